"""The notebooks: as committed, run again and compared, and run with other parameters."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from helpers import PROJECT

from cyclegan_lib import pipeline
from cyclegan_lib.errors import InputError
from cyclegan_lib.workspace import declared_parameters

NAMES = ("01_data_normalization", "02_training", "03_export", "04_domain_shift", "05_benchmark")
COMMITTED = [PROJECT / "notebooks" / f"{name}.ipynb" for name in NAMES]


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    """A folder like the project's, so that running the notebooks leaves the project's own results alone."""
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    return folder


def nbval(*notebooks: Path) -> tuple[int, str]:
    """Run notebooks again, compare their outputs with those in the files: (exit code, what was printed)."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout",
        "1800",
    ]
    command += ["--nbval-sanitize-with", str(PROJECT / "tests" / "notebooks" / "sanitize.cfg")]
    command += ["-p", "no:cacheprovider", "--rootdir", str(notebooks[0].parent), "-c", "/dev/null"]
    done = subprocess.run(
        [*command, *map(str, notebooks)], capture_output=True, text=True, cwd=notebooks[0].parent
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", COMMITTED, ids=lambda p: p.stem)
def test_committed_notebooks_are_whole(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs) or path.stem == "03_export"
    assert all(len(cell.source.splitlines()) <= 20 for cell in cells)
    assert cells[0].metadata.tags == ["parameters"]
    assert declared_parameters(cells[0].source).keys() >= {"run_dir", "data_dir", "seed"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < 1.5e6


@pytest.mark.parametrize("path", COMMITTED, ids=lambda p: p.stem)
def test_compared_outputs_hold_no_paths_and_no_unrounded_numbers(path):
    for cell in code_cells(nbformat.read(path, as_version=4)):
        for output in cell.outputs:
            text = output.get("text", "") + output.get("data", {}).get("text/plain", "")
            assert not re.search(r"(^|\s)/\w+/", text), text
            assert not re.search(r"\d\.\d{5,}", text), text


def test_nbval_finds_the_committed_outputs_again(workspace):
    notebooks = [workspace / "notebooks" / path.name for path in COMMITTED]
    code, printed = nbval(*notebooks)
    assert code == 0, printed[-5000:]
    expected = sum(len(code_cells(nbformat.read(path, as_version=4))) for path in COMMITTED)
    assert f"{expected} passed" in printed


def test_nbval_fails_when_an_output_changes(workspace):
    # after the test above, so that the recordings are there already
    altered = workspace / "notebooks" / "01_altered.ipynb"
    notebook = nbformat.read(COMMITTED[0], as_version=4)
    cell = next(c for c in code_cells(notebook) if "spread within" in str(c.outputs))
    output = next(o for o in cell.outputs if "spread within" in o.get("text", ""))
    output.text = output.text.replace("spread within a band: cpc006 ", "spread within a band: cpc006 9")
    nbformat.write(notebook, altered)
    code, printed = nbval(altered)
    assert code == 1, printed[-3000:]
    assert "1 failed" in printed
    assert "cpc006 9" in printed


def test_a_small_run_through_papermill_and_its_metrics(tmp_path, monkeypatch):
    project = tmp_path / "a project"
    shutil.copytree(PROJECT / "notebooks", project / "notebooks", ignore=shutil.ignore_patterns(".*"))
    monkeypatch.chdir(project)
    given = {"train_recordings": "24", "test_recordings": "16", "max_epochs": "8", "seed": "3"}
    given["data_dir"] = "data/small"
    printed = pipeline.run("small", given)
    folder = project / "runs" / "small"
    for part in ("report.html", "checkpoints", "exported_models", "closes", "NMSE"):
        assert part in printed
    metrics = json.loads((folder / "metrics.json").read_text())
    rows = {row["name"]: row for row in metrics["rows"]}
    assert metrics["headline"] in printed
    assert (project / "data" / "small" / "cpc006.npz").exists()
    assert rows["CycleGAN"]["sliced_wasserstein"] < rows["identity"]["sliced_wasserstein"]
    assert rows["CycleGAN"]["nmse"] < rows["identity"]["nmse"]
    # with 8 recordings a side the null itself scatters: a translation may come nearer than it
    assert 0.5 < metrics["gap_closed"] <= 1.5
    for name in NAMES:
        executed = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        assert all(cell.execution_count for cell in code_cells(executed))
    injected = json.dumps(nbformat.read(folder / "02_training.ipynb", as_version=4))
    assert "max_epochs = 8" in injected
    report = (folder / "report.html").read_text()
    assert 'src="http' not in report
    assert report.count("data:image/png;base64") >= 10
    assert all(f'href="#{name}"' in report for name in NAMES)
    assert {f"04_{name}" for name in ("translation", "spectra", "embedding", "measures")} <= {
        path.stem for path in (folder / "figures").glob("*.png")
    }
    assert (folder / "exported_models" / "inference_example.py").exists()


def test_a_mistyped_parameter_stops_plain_papermill_too(tmp_path):
    command = [sys.executable, "-m", "papermill", str(COMMITTED[1]), str(tmp_path / "out.ipynb")]
    done = subprocess.run(
        [*command, "-p", "max_epoch", "3", "--cwd", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "unknown parameter 'max_epoch'" in done.stderr
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert sum(cell.execution_count is not None for cell in code_cells(executed)) <= 3


def test_refused_input_of_a_notebook_is_a_sentence(tmp_path, monkeypatch):
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "notebooks", project / "notebooks", ignore=shutil.ignore_patterns(".*"))
    monkeypatch.chdir(project)
    with pytest.raises(InputError, match="train_recordings"):
        pipeline.run("refused", {"train_recordings": "1"})
    with pytest.raises(InputError, match="plain folder name"):
        pipeline.run("../elsewhere")


def test_a_run_of_the_same_name_is_set_aside(tmp_path, monkeypatch):
    folder = tmp_path / "runs" / "demo"
    folder.mkdir(parents=True)
    (folder / "kept.txt").write_text("mine")
    (tmp_path / "notebooks").mkdir()
    shutil.copy(COMMITTED[0], tmp_path / "notebooks")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        pipeline.run("demo", {"train_recordings": "1"})
    assert (tmp_path / "runs" / "demo-earlier-1" / "kept.txt").read_text() == "mine"
