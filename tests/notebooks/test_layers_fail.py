"""No layer passes whatever it is shown: each fails on every alteration, and on what nbval passes unseen.

What nbval has to compute again is shown to it in one call a layer, several altered notebooks at once.
"""

import json
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest
from helpers import write_notebook
from nbval.plugin import get_sanitize_patterns
from notebooks.alterations import (
    ALTERATIONS,
    alter,
    change_a_number,
    remove_a_count,
    replace_in_source,
    strip_an_output,
)
from notebooks.layers import SANITIZE, check_same_again, check_same_results, compare, run_nbval
from notebooks.metrics import COLUMNS, MEASURED, ROWS, check_metrics, check_printed, measured
from notebooks.whole import printed_by

from notebooks import layers

TINY = (
    'run_dir: str = ""  # folder for what is written\ndata_dir: str = ""  # folder of data\nseed: int = 0',
    "from cyclegan_lib.workspace import Workspace\n\nwork = Workspace.open(globals())",
    "import json\n\nimport numpy as np\n\nnumbers = np.random.default_rng(seed).normal(size=9)\n"
    '(work.run / "metrics.json").write_text(json.dumps(numbers.tolist()))\n'
    'print(f"mean {numbers.mean():.3f}")',
    '# NBVAL_IGNORE_OUTPUT\nprint(f"deviation {numbers.std():.3f}")',
    "round(float(numbers.max()), 2)",
)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A run of one tiny notebook through papermill: the run's folder."""
    folder = tmp_path_factory.mktemp("project") / "runs" / "tiny"
    folder.mkdir(parents=True)
    paths = str(write_notebook(folder.parent / "tiny.ipynb", *TINY)), str(folder / "01_tiny.ipynb")
    given = {"run_dir": str(folder), "data_dir": "data", "seed": 3}
    papermill.execute_notebook(*paths, given, kernel_name="python3", progress_bar=False)
    return folder


@pytest.fixture
def tiny(executed, tmp_path) -> Path:
    """A copy of that notebook to alter, in a folder to run it again in."""
    folder = tmp_path / "tiny"
    shutil.copytree(executed, folder)
    replace_in_source(folder / "01_tiny.ipynb", str(executed), str(folder))
    return folder / "01_tiny.ipynb"


def beside(tiny: Path, name: str) -> Path:
    """Another copy in that folder."""
    return Path(shutil.copyfile(tiny, tiny.with_name(name)))


def layers_2_and_3_fail(tiny: Path, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        compare(tiny)
    with pytest.raises(AssertionError, match=said):
        check_same_again(tiny.parent)


@pytest.fixture
def run(committed_again, tmp_path) -> Path:
    """A copy of what the committed notebooks measured, to alter."""
    return Path(shutil.copytree(committed_again[0], tmp_path / "run"))


@pytest.mark.parametrize("name", ALTERATIONS)
def test_layer_1_fails_on(name, run):
    alter(run / MEASURED, ALTERATIONS[name], "| identity")
    with pytest.raises(AssertionError, match="04_domain_shift|in the table|not printed"):
        check_metrics(run)


@pytest.mark.parametrize("name", sorted(ALTERATIONS.keys() - {"a changed number"}))
@pytest.mark.parametrize(("within", "cell"), [("", 4), ("deviation", 5)], ids=["compared", "ignored"])
def test_layers_2_and_3_fail_without_nbval_on(name, within, cell, tiny):
    alter(tiny, ALTERATIONS[name], within)
    layers_2_and_3_fail(tiny, f"01_tiny.ipynb, code cell {cell}")


@pytest.mark.slow
def test_a_changed_number_is_found_by_computing_it_again(tiny):
    """Layer 3 lets pass what machines may differ in; layer 2 compares that as well, on one machine."""
    changed, hidden, failing = (beside(tiny, f"0{i}_{i}.ipynb") for i in (2, 3, 4))
    alter(changed, change_a_number)
    alter(hidden, change_a_number, "deviation")
    with pytest.raises(AssertionError) as failure:
        check_same_again(tiny.parent)
    found, printed = str(failure.value).split(":\n", 1)
    assert found.endswith("came from 02_2.ipynb, code cell 4, 03_3.ipynb, code cell 5")
    assert "Cell outputs differ" in printed
    # its committed outputs are whole, but the library is not what it was
    replace_in_source(failing, "numbers.mean()", "numbers.average()")
    with pytest.raises(AssertionError) as failure:
        compare(tiny, changed, hidden, failing)
    found, printed = str(failure.value).split(":\n", 1)
    assert "came from 02_2.ipynb, code cell 4, 04_4.ipynb, code cell 4" in found
    assert "Cell outputs differ" in printed and "AttributeError" in printed


def test_layer_1_fails_on_each_changed_measure(run):
    metrics = measured(run)
    printed = printed_by(nbformat.read(run / MEASURED, as_version=4))
    check_printed(metrics, printed)
    for row in metrics["rows"]:
        for name, measure in COLUMNS.items():
            kept = row[name]
            row[name] = (kept or 0) + 10**-measure.decimals
            with pytest.raises(AssertionError, match=f"{name} of {row['name']}"):
                check_printed(metrics, printed)
            row[name] = kept


CHANGES = {
    "gap": (lambda m: m.update(gap_closed=0.5), r"0\.5, not 0\.\d+$"),
    "row": (lambda m: m["rows"][-1].update(sliced_wasserstein=0.5), r"0\.\d+, not 0\.\d+$"),
    "headline": (lambda m: m.update(headline=m["headline"].replace("NMSE 0", "NMSE 1")), "headline says"),
    "missing number": (lambda m: m["rows"][-1].update(nmse=None), "nmse of CycleGAN is None"),
    "worse than nothing": (
        lambda m: m["rows"][-1].update(nmse=m["rows"][2]["nmse"] + 1, interval={}),
        "no nearer than no",
    ),
    "missing row": (lambda m: m["rows"].pop(2), "the rows are"),
    "missing deviation": (lambda m: m["rows"][3]["deviation"].pop("c2st"), "deviations of mean shift"),
    "seed": (lambda m: m.update(seed=4), "not printed: mean of 4 halvings"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_layer_1_fails_on_other_metrics(run, change, said):
    metrics = measured(run)
    assert [row["name"] for row in metrics["rows"]] == ROWS
    change(metrics)
    (run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(AssertionError, match=said):
        check_metrics(run)


def test_layer_1_fails_on_a_missing_figure_or_notebook(run):
    (run / "figures" / "04_spectra.svg").unlink()
    with pytest.raises(AssertionError, match="04_spectra.svg"):
        check_metrics(run)
    (run / "05_benchmark.ipynb").unlink()
    with pytest.raises(AssertionError, match="lacks notebooks"):
        check_metrics(run)


@pytest.mark.slow
def test_a_cell_that_was_never_run_fails_though_nbval_passes_it(tiny, tmp_path):
    changed, loose = beside(tiny, "02_changed.ipynb"), tmp_path / "loose.cfg"
    for change in (strip_an_output, remove_a_count):
        alter(tiny, change, at=3)
    # the sanitising file is really used: with this one a changed number passes, too
    alter(changed, change_a_number)
    loose.write_text("regex: mean -?\\d\\.\\d+\nreplace: mean NUMBER\n", encoding="utf-8")
    assert run_nbval(tiny, changed, sanitize=loose)[0] == 0
    changed.unlink()
    layers_2_and_3_fail(tiny, "code cell 4: its execution count is None")


def test_layer_2_fails_without_the_folders_that_a_run_is_given(tiny):
    # without them the notebook would run in the project's own folders, and find what is there already
    replace_in_source(tiny, "data_dir = ", "data = ")
    with pytest.raises(AssertionError, match="papermill was not given data_dir"):
        check_same_again(tiny.parent)
    alter(tiny, lambda cell: cell.metadata.update(tags=[]), at=1)
    with pytest.raises(AssertionError, match="0 cells of parameters"):
        check_same_again(tiny.parent)


def test_layer_2_fails_on_other_measures_and_pictures(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "figures").mkdir(parents=True)
        with pytest.raises(AssertionError, match="neither measures nor pictures|other files"):
            check_same_results(first, folder)
        (folder / "metrics.json").write_text("1", encoding="utf-8")
        (folder / "figures" / "a.png").write_bytes(b"png")
    check_same_results(first, second)
    (second / "figures" / "a.png").write_bytes(b"gnp")
    with pytest.raises(AssertionError, match="a.png differs"):
        check_same_results(first, second)
    (second / "figures" / "a.png").unlink()
    with pytest.raises(AssertionError, match="other files"):
        check_same_results(first, second)


def test_layer_3_fails_without_notebooks():
    with pytest.raises(AssertionError, match="no notebooks"):
        compare()


OUTCOMES = ["5 passed, 1 skipped", "5 passed, 1 deselected", "5 passed", "6 xfailed"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_cells_that_nbval_leaves_out_make_layers_2_and_3_fail(tiny, monkeypatch, outcome):
    monkeypatch.setattr(layers, "run_nbval", lambda *paths: (0, f"===== {outcome} in 2.31s =====\n"))
    layers_2_and_3_fail(tiny, "of 6 cells not all were compared")


def test_nothing_in_outputs_needs_to_be_sanitised():
    # nbval skips lines that it cannot read without a word, so a pattern may be written and not be in force
    assert get_sanitize_patterns("# why\nregex: a\nreplace: b\n") == [("a", "b")]
    assert get_sanitize_patterns("regex: a\n\nreplace: b\n") == []
    lines = SANITIZE.read_text(encoding="utf-8").splitlines()
    assert lines and all(line.startswith("# ") for line in lines), "a pattern: test that it is read, say why"
