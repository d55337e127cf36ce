"""Renewing the committed outputs: all or nothing of a notebook, and the same again."""

import nbformat
import pytest

from cyclegan_lib.cli import main


@pytest.mark.slow
def test_outputs_are_renewed_one_notebook_after_the_other_and_nothing_else(project, capsys):
    (project / "notebooks" / "02_training.ipynb").unlink()
    path, failing = sorted((project / "notebooks").iterdir())
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    before = failing.read_bytes()
    # the tiny notebook 04 reads what only a run leaves behind
    assert main(["run", "--in-place"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("cyclegan: 04_domain_shift.ipynb failed with FileNotFoundError")
    assert failing.read_bytes() == before
    notebook = nbformat.read(path, as_version=4)
    assert [cell.source for cell in notebook.cells] == sources
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    assert code[2].outputs[0].text == "simulated\n"
    assert notebook.metadata.language_info == {"name": "python"}, "no version, which differs between machines"
    once = path.read_bytes()
    failing.unlink()
    assert main(["run", "--in-place"]) == 0
    assert path.read_bytes() == once
    assert [entry.name for entry in project.iterdir()] == ["notebooks"]
