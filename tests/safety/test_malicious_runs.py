"""Sweeps, parameters and notebooks run no code that they are not made of."""

import nbformat
import pytest
from helpers import PROJECT, QUICK
from safety.payloads import array_file, refused, saved

from cyclegan_lib.cli import main
from cyclegan_lib.errors import InputError
from cyclegan_lib.workspace import Workspace

SWEEPS = (
    "!!python/object/apply:os.system [touch HARM]",
    "{grid: {seed: !!python/object/apply:os.system [touch HARM]}}",
    "{grid: {seed: [!!python/object/new:os.system [touch HARM]]}}",
    "{name: !!python/name:os.system '', grid: {seed: [0]}}",
    "{grid: {seed: [\"__import__('os').system('touch HARM')\"]}}",
    "{name: \"$(touch HARM)\", grid: {seed: ['`touch HARM`']}}",
    "{grid: {domain_a: [\"'; import os; os.system('touch HARM') #\"]}}",
)


@pytest.mark.parametrize("text", SWEEPS)
def test_sweep_files_run_nothing(text, tmp_path, harm, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT)
    bad = tmp_path / "bad.yml"
    bad.write_text(text.replace("HARM", str(harm)))
    refused(capsys, harm, bad, "sweep", bad)


def test_parameters_that_look_like_code_are_text(tmp_path, harm, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT)
    code = f"__import__('os').system('touch {harm}')"
    for name in ("max_epochs", "lambda_cycle", "use_labels", "domain_a", "resume"):
        assert main(["run", "-p", name, code]) == 2
        assert name in capsys.readouterr().err
    assert not harm.exists()


def test_a_notebook_reads_text_that_looks_like_code_as_text(tmp_path, harm):
    """papermill writes parameters into a cell: what ends a string there must stay inside it."""
    from papermill.parameterize import parameterize_notebook

    cell = nbformat.v4.new_code_cell('domain_a: str = ""  # a path', metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "display_name": "x", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel, "papermill": {}})
    text = f"\"\"\"'''\\\n__import__('os').system('touch {harm}') #"
    found = parameterize_notebook(notebook, {"domain_a": text})
    scope: dict = {}
    for one in found.cells:
        exec(one.source, scope)
    assert scope["domain_a"] == text and not harm.exists()


@pytest.mark.parametrize("name", ["resume", "domain_a"])
def test_files_that_parameters_name_run_nothing(name, trained, domains, tmp_path, harm):
    """What notebook 02 does with them, after the check of its parameters."""
    from cyclegan_lib.training import train

    bad = tmp_path / "bad.npz"
    saved(bad, harm) if name == "resume" else array_file(bad, harm, "label")
    cells = ["", f'{name}: str = ""  # file: one\n', f'# Parameters\n{name} = "{bad}"\n']
    scope = {"In": cells, name: str(bad), "run_dir": str(tmp_path)}
    Workspace.open(scope)
    given = {"domain_a": domains[0], "domain_b": domains[1], "resume": None, name: bad}
    with pytest.raises(InputError, match=bad.name):
        train(**given, checkpoint_dir=tmp_path / "out", settings=QUICK, progress=False)
    assert not harm.exists() and not (tmp_path / "out").exists()
