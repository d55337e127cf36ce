"""Renewing the committed outputs: all or nothing of a notebook, and the same again."""

import nbformat

from cyclegan_lib.cli import main


def test_outputs_are_renewed_and_the_project_keeps_its_files(project, capsys):
    (project / "notebooks" / "04_domain_shift.ipynb").unlink()
    path = project / "notebooks" / "01_data_normalization.ipynb"
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    assert main(["run", "--in-place"]) == 0
    notebook = nbformat.read(path, as_version=4)
    assert [cell.source for cell in notebook.cells] == sources
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    assert code[2].outputs[0].text == "simulated\n"
    assert notebook.metadata.language_info == {"name": "python"}, "no version, which differs between machines"
    assert sorted(entry.name for entry in project.iterdir()) == ["notebooks"]
    once = path.read_bytes()
    assert main(["run", "--in-place"]) == 0
    assert path.read_bytes() == once


def test_a_notebook_that_fails_keeps_its_outputs_and_is_named(project, capsys):
    # the tiny notebook 04 reads what only a run leaves behind
    path = project / "notebooks" / "04_domain_shift.ipynb"
    before = path.read_bytes()
    assert main(["run", "--in-place"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("cyclegan: 04_domain_shift.ipynb failed with FileNotFoundError")
    assert path.read_bytes() == before
