"""The arithmetic of the report, on cells made up so that every answer can be worked out otherwise."""

import json

import numpy as np
import pytest
from scipy import stats

from cyclegan_lib import plots
from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.numbers import Benchmark
from cyclegan_lib.benchmark.report import markdown
from cyclegan_lib.errors import InputError

MEASURES = ("nmse", "accuracy_forest", "recovery_forest")
NONE = [None] * 3
# of each method those measures, with three seeds
REACHED = {
    "identity": ([4.0, 5.0, 6.0], [0.5, 0.5, 0.6], NONE),
    "CORAL": ([0.8, 0.6, 1.0], [0.5, 0.6, 0.4], [0.0, None, 0.2]),
    "Gaussian OT": ([0.7, 0.9, 1.1], [0.8, 0.7, 0.9], NONE),
    "CycleGAN": ([0.4, 0.5, 0.3], [0.6, 0.7, 0.5], [0.9, None, 0.8]),
    "supervised MLP": ([0.3, 0.4, 0.2], [0.8, 0.9, 0.7], NONE),
    "real B": ([0.0, 0.0, 0.0], [0.9, 0.9, 0.9], [1.0, None, 1.0]),
}
NMSE = {method: errors for method, (errors, _, _) in REACHED.items()}


def made(seeds=(0, 1, 2), **more):
    cells = []
    for seed in seeds:
        recordings = {"train_a": 20 + seed % 2, "train_b": 20, "test_b": 13}
        for method, columns in REACHED.items():
            values = {measure: column[seed] for measure, column in zip(MEASURES, columns, strict=True)}
            cells.append(Cell("sensors", seed, method, values, recordings=recordings))
    given = {"pairs": ["sensors"], "methods": list(NMSE), "left_out": {}, "versions": {"torch": "2"}}
    return Benchmark(cells=cells, seeds=list(seeds), **{**given, **more})


def test_mean_and_deviation():
    spread = made().spreads["sensors", "CORAL", "nmse"]
    expected = (0.8, np.std([0.8, 0.6, 1.0], ddof=1), 3)
    assert (spread.mean, spread.deviation, spread.n) == pytest.approx(expected)
    assert made((1,)).spreads["sensors", "CORAL", "nmse"].deviation is None
    assert made().mean("sensors", "CORAL", "c2st") is None


def test_the_best_baseline_is_unpaired_and_the_best_of_its_column():
    result = made()
    assert result.best_baseline("sensors", "nmse") == "CORAL"  # neither the bound nor the truth
    assert result.best_baseline("sensors", "accuracy_forest") == "Gaussian OT"
    assert result.best_baseline("sensors", "c2st") is None


def test_paired_difference_is_scipys_t_interval():
    difference = made().difference("sensors", "nmse")
    each = np.array(NMSE["CycleGAN"]) - NMSE["CORAL"]
    expected = stats.ttest_1samp(each, 0).confidence_interval(0.95)
    assert difference.against == "CORAL" and difference.n == 3
    assert (difference.mean, difference.low, difference.high) == pytest.approx((each.mean(), *expected))


def test_only_seeds_that_both_have_are_compared():
    both = made().difference("sensors", "recovery_forest")
    assert both.n == 2 and both.mean == pytest.approx(0.75)
    single = made((2,)).difference("sensors", "nmse")
    assert single.low is single.high is None and single.verdict == "undecided"


@pytest.mark.parametrize(
    ("values", "on_error", "on_accuracy"),
    [
        ([0.1, 0.11, 0.12], "better", "worse"),
        ([0.9, 0.91, 0.92], "worse", "better"),
        ([0.1, 0.5, 0.9], "undecided", "undecided"),
    ],
)
def test_verdict(values, on_error, on_accuracy):
    rows = {"CycleGAN": values, "CORAL": [0.5] * 3}
    cells = [
        Cell("p", seed, name, {"nmse": value, "accuracy_forest": value})
        for name, of_seeds in rows.items()
        for seed, value in enumerate(of_seeds)
    ]
    differences = Benchmark(cells, ["p"], list(rows), [0, 1, 2], {}, {}).differences("p")
    verdicts = {measure: difference.verdict for measure, difference in differences.items()}
    assert verdicts == {"nmse": on_error, "accuracy_forest": on_accuracy}


def test_ratios_are_of_means():
    result = made()
    assert result.ratio("sensors", "nmse", "CORAL") == pytest.approx(0.4 / 0.8)
    assert result.ratio("sensors", "nmse", "supervised MLP") == pytest.approx(0.4 / 0.3)
    assert result.ratio("sensors", "nmse", "real B") is None  # its error is 0
    assert result.ratio("sensors", "nmse", None) is None
    assert result.ratio("sensors", "c2st", "CORAL") is None


def test_targets_are_shown_met_or_not():
    reached = {row["name"]: (row["reached"], row["met"]) for row in made().targets("sensors")}
    assert reached["NMSE to best unpaired baseline"] == (pytest.approx(0.5), True)
    assert reached["NMSE to supervised bound"] == (pytest.approx(4 / 3), False)
    assert reached["recovered (forest)"] == (pytest.approx(0.85), True)
    assert reached["recovered (logistic)"] == (None, None)


def test_markdown_says_everything():
    text = markdown(made(left_out={"microphones": "x does not exist"}))
    assert "3 seeds (0, 1, 2)" in text and "torch 2" in text
    assert "- Left out: microphones, because x does not exist." in text
    assert "Training recordings: 20 to 21 of A, 20 others of B. Test recordings, heard by both: 13." in text
    assert "0.400 ± 0.100" in text
    line = next(line for line in text.splitlines() if line.startswith("| NMSE to supervised"))
    assert [cell.strip() for cell in line.strip("|").split("|")][1:] == ["≤ 1.25", "1.33", "no"]
    behind = text.partition("## Where the CycleGAN is behind")[2]
    assert "sensors, forest ↑: -0.200 against Gaussian OT" in behind and "NMSE" not in behind
    # without the CycleGAN there is nothing to compare
    text = markdown(made(methods=["identity", "CORAL"]))
    assert "target" not in text and "behind" not in text


def test_json_holds_the_same_and_is_read_back(tmp_path):
    result = made(left_out={"microphones": "x does not exist"})
    path = result.save(tmp_path / "deep")
    assert Benchmark.load(path) == result
    written = json.loads(path.read_text(encoding="utf-8"))
    pair = written["pairs"]["sensors"]
    assert pair["rows"]["CORAL"]["nmse"]["mean"] == pytest.approx(0.8)
    assert pair["recordings"]["train_a"] == [20, 21]
    assert pair["differences"]["nmse"]["ratio_to_baseline"] == pytest.approx(0.5)
    assert [target["met"] for target in pair["targets"]] == [True, False, True, None]
    assert len(written["cells"]) == 18 and written["seeds"] == [0, 1, 2]
    assert written["left_out"] == {"microphones": "x does not exist"}
    for damaged in ({}, {**written, "pairs": ["sensors"]}, {**written, "seeds": [0.5]}):
        path.write_text(json.dumps(damaged))
        with pytest.raises(InputError, match="benchmark.json that `cyclegan benchmark` wrote"):
            Benchmark.load(path)
    with pytest.raises(InputError, match="does not exist"):
        Benchmark.load(tmp_path / "other.json")


def test_figure_shows_means_seeds_and_what_runs_out_of_the_panel():
    measures = {"nmse": "NMSE", "accuracy_forest": "accuracy"}
    figure = plots.benchmark(made().numbers, list(NMSE), measures)
    error, accuracy = figure.axes
    assert [bar.get_width() for bar in error.patches] == pytest.approx([np.mean(v) for v in NMSE.values()])
    assert list(accuracy.lines[3].get_xdata()) == REACHED["CycleGAN"][1]
    assert [text.get_text() for text in error.texts] == ["5.0 →"]
    assert error.get_title(loc="left") == "sensors" and accuracy.get_xlabel() == "accuracy"
