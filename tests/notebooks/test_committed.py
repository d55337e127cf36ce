"""Layer 3: the notebooks as committed are whole, and run again they give the same outputs."""

import re
import subprocess
import sys

import nbformat
import pytest
from helpers import PROJECT
from notebooks.alterations import alter, change_a_number
from notebooks.layers import COMMITTED, COMPARE, NAMES, check_found, compare, cyclegan, numbered
from notebooks.metrics import check_metrics
from notebooks.whole import check_whole, code_cells, is_ignored, texts

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.runs.parameters import notebooks_of, with_settings
from cyclegan_lib.workspace import declared_parameters

EACH = pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)


def test_every_committed_notebook_is_looked_at():
    assert numbered(PROJECT / "notebooks") == COMMITTED


def test_a_run_has_all_of_them_but_the_one_that_compares_runs():
    assert tuple(path.stem for path in notebooks_of(PROJECT)) == NAMES


@EACH
def test_committed_notebooks_are_whole(path):
    check_whole(path)
    notebook = nbformat.read(path, as_version=4)
    cells = code_cells(notebook)
    assert cells[0].metadata.tags == ["parameters"]
    needed = {"runs", "recording"} if path.stem == COMPARE else {"data_dir", "seed"}
    assert declared_parameters(cells[0].source).keys() >= {"run_dir", *needed}
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < 1.5e6
    # times and versions change with each run: without them, one that found the same leaves the file as it was
    assert notebook.metadata.language_info == {"name": "python"}
    assert "papermill" not in notebook.metadata
    assert all(cell.metadata.keys() <= {"tags"} for cell in notebook.cells)


def test_training_takes_every_setting_as_a_parameter_and_says_what_the_settings_say():
    cell = code_cells(nbformat.read(COMMITTED[1], as_version=4))[0].source
    assert cell == with_settings(cell)
    assert TrainingSettings.flat_fields().keys() | {"pairs", "resume"} <= declared_parameters(cell).keys()
    old = cell.replace("lambda_cycle: float = 3.0", "lambda_cycle: float = 4.0")
    assert old != cell == with_settings(old)


@EACH
def test_committed_notebooks_show_figures_and_compare_numbers(path):
    cells = code_cells(nbformat.read(path, as_version=4))
    kinds = {kind for cell in cells for output in cell.outputs for kind in output.get("data", {})}
    assert "image/png" in kinds
    compared = [text for cell in cells if not is_ignored(cell) for out in cell.outputs for text in texts(out)]
    assert re.search(r"\d\.\d", "\n".join(compared)), "nothing that is compared is a measured number"


def test_nbval_finds_the_committed_outputs_again(committed_again):
    run, found = committed_again
    check_found(COMMITTED, *found)
    check_metrics(run)


@pytest.mark.slow
def test_nbval_fails_when_a_committed_number_changes(project):
    # the benchmark's notebook needs nothing that another one wrote
    altered = project / "notebooks" / "05_altered.ipynb"
    altered.write_bytes(COMMITTED[4].read_bytes())
    alter(altered, change_a_number)
    with pytest.raises(AssertionError, match="05_altered.ipynb, code cell 13") as failure:
        compare(altered)
    assert "Cell outputs differ" in str(failure.value)


@pytest.mark.slow
def test_a_mistyped_parameter_stops_plain_papermill_too(tmp_path):
    command = [sys.executable, "-m", "papermill", str(COMMITTED[1]), "out.ipynb", "-p", "max_epoch", "3"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path)
    assert done.returncode != 0 and "unknown parameter 'max_epoch'" in done.stderr
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert sum(cell.execution_count is not None for cell in code_cells(executed)) <= 3


def test_a_value_that_no_notebook_takes_is_a_sentence_and_earlier_runs_stay(project):
    earlier = project / "runs" / "refused"
    earlier.mkdir(parents=True)
    (earlier / "kept.txt").write_text("mine", encoding="utf-8")
    done = cyclegan(project, "run", "--name", "refused", "-p", "train_recordings", "1")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "train_recordings" in done.stderr.splitlines()[-1]
    assert (earlier / "kept.txt").read_text(encoding="utf-8") == "mine"
