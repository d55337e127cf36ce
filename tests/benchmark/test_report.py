"""The arithmetic of the report, on cells made up so that every answer can be worked out otherwise."""

import json

import numpy as np
import pytest

from cyclegan_lib import plots
from cyclegan_lib.benchmark import report
from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.numbers import Benchmark, Difference
from cyclegan_lib.benchmark.report import markdown
from cyclegan_lib.benchmark.targets import targets
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation import measures

MEASURES = ("nmse", "accuracy_forest", "augmented_forest")
NONE = [None] * 3
# of each method those measures, with three seeds
REACHED = {
    "identity": ([4.0, 5.0, 6.0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    "mean shift": ([0.8, 0.6, 1.0], [0.5, 0.6, 0.4], [0.5, 0.6, 0.4]),
    "Gaussian OT": ([0.9, 0.9, 1.1], [0.8, 0.7, 0.9], [0.6, 0.6, 0.6]),
    "CycleGAN": ([0.4, 0.5, 0.3], [0.6, 0.7, 0.5], [0.7, 0.8, 0.6]),
    "supervised MLP": ([0.3, 0.4, 0.2], [0.7, 0.7, 0.7], NONE),
    "own labels of A": (NONE, [0.9, 0.9, 0.9], NONE),
    "real B": ([0.0, 0.0, 0.0], [0.9, 0.9, 0.9], NONE),
}
NMSE = {method: errors for method, (errors, _, _) in REACHED.items() if errors != NONE}
RECORDINGS = 20


def spread(value):
    """Numbers of so many recordings whose mean is the value, the first ones below it."""
    return (value + np.linspace(-0.1, 0.1, RECORDINGS)).tolist()


def made(seeds=(0, 1, 2), reached=REACHED, pair="sensors", **more):
    cells = []
    for seed in seeds:
        recordings = {"train_a": [20, 20 + seed % 2], "train_b": [20, 20], "test_b": [13, 13]}
        for method, columns in reached.items():
            values = {measure: column[seed] for measure, column in zip(MEASURES, columns, strict=True)}
            tested = {"recording": [f"r{i:02}" for i in range(RECORDINGS)], "slices": [50] * RECORDINGS}
            tested |= {name: spread(value) for name, value in values.items() if value is not None}
            extras = {}
            if method == "CycleGAN":
                shares = {
                    "A": {"x": 0.5, "y": 0.5},
                    "B": {"x": 0.1, "y": 0.9},
                    "estimated": {"x": 0.4, "y": 0.6},
                }
                extras = {
                    "expected": {"augmented_forest": values["augmented_forest"] + 0.1},
                    "shares": shares,
                }
            cells.append(Cell(pair, seed, method, values, tested, extras, recordings))
    given = {"pairs": [pair], "methods": list(reached), "left_out": {}, "versions": {"torch": "2"}}
    return Benchmark(cells=cells, seeds=list(seeds), **{**given, **more})


def test_mean_and_deviation():
    spread = made().spreads["sensors", "mean shift", "nmse"]
    expected = (0.8, np.std([0.8, 0.6, 1.0], ddof=1), 3)
    assert (spread.mean, spread.deviation, spread.n) == pytest.approx(expected)
    assert made((1,)).spreads["sensors", "mean shift", "nmse"].deviation is None
    assert made().mean("sensors", "mean shift", "c2st") is None


def test_the_best_baseline_is_unpaired_and_the_best_of_its_column():
    result = made()
    assert result.best_baseline("sensors", "nmse") == "mean shift"  # neither the bound nor the truth
    assert result.best_baseline("sensors", "accuracy_forest") == "Gaussian OT"
    assert result.best_baseline("sensors", "c2st") is None
    assert result.best_linear("sensors", "augmented_forest", 2) == ["Gaussian OT", "mean shift"]


def test_an_interval_comes_from_recordings_not_from_seeds():
    rng = np.random.default_rng(0)
    each = rng.normal(0.1, 0.2, 60)  # differences of 60 recordings
    names = [f"r{i:02}" for i in range(60)]

    def cells(seed):
        # what all recordings have in common with a seed, both methods share
        for method, values in (("CycleGAN", 0.5 + seed + each), ("CORAL", np.full(60, 0.5 + seed))):
            tested = {"recording": names, "slices": [50] * 60, "nmse": values.tolist()}
            yield Cell("p", seed, method, {"nmse": float(np.mean(values))}, tested)

    def difference(seeds):
        given = [cell for seed in seeds for cell in cells(seed)]
        return Benchmark(given, ["p"], ["CORAL", "CycleGAN"], list(seeds), {}, {}).difference("p", "nmse")

    one, five = difference(range(1)), difference(range(5))
    assert one.n == five.n == 60 and one.mean == pytest.approx(each.mean())
    assert (one.low, one.high) == pytest.approx((five.low, five.high))  # more seeds are no more recordings
    half = 1.96 * each.std() / np.sqrt(60)
    assert (one.low, one.high) == pytest.approx((each.mean() - half, each.mean() + half), abs=0.01)


def test_longer_recordings_weigh_more_and_only_common_seeds_are_compared():
    def cell(method, seed, values):
        return Cell(
            "p", seed, method, {"nmse": 1.0}, {"recording": ["x", "y"], "slices": [50, 150], "nmse": values}
        )

    cells = [cell("CORAL", 0, [0.0, 0.0]), cell("CycleGAN", 0, [1.0, 2.0]), cell("CycleGAN", 1, [9.0, 9.0])]
    result = Benchmark(cells, ["p"], ["CORAL", "CycleGAN"], [0, 1], {}, {})
    assert result.gained("p", "nmse", "CycleGAN", "CORAL").mean == pytest.approx(1.75)
    assert result.gained("p", "c2st", "CycleGAN", "CORAL") is None


@pytest.mark.parametrize(
    ("value", "on_error", "on_accuracy"),
    [(0.1, "better", "worse"), (0.9, "worse", "better"), (0.51, "undecided", "undecided")],
)
def test_verdict(value, on_error, on_accuracy):
    noise = np.random.default_rng(0).normal(0, 0.2, RECORDINGS)
    cells = []
    for name, values in (("CycleGAN", value + noise), ("CORAL", np.full(RECORDINGS, 0.5))):
        tested = {"recording": [f"r{i}" for i in range(RECORDINGS)], "slices": [50] * RECORDINGS}
        both = {"nmse": values.tolist(), "accuracy_forest": values.tolist()}
        cells.append(Cell("p", 0, name, {n: float(np.mean(x)) for n, x in both.items()}, tested | both))
    differences = Benchmark(cells, ["p"], ["CORAL", "CycleGAN"], [0], {}, {}).differences("p")
    verdicts = {measure: difference.verdict for measure, difference in differences.items()}
    assert verdicts == {"nmse": on_error, "accuracy_forest": on_accuracy}


def test_ratios_are_of_means():
    result = made()
    assert result.ratio("sensors", "nmse", "mean shift") == pytest.approx(0.4 / 0.8)
    assert result.ratio("sensors", "nmse", "supervised MLP") == pytest.approx(0.4 / 0.3)
    assert result.ratio("sensors", "nmse", "real B") is None  # its error is 0
    assert result.ratio("sensors", "nmse", None) is None
    assert result.ratio("sensors", "c2st", "mean shift") is None


def test_recovery_counts_from_identity_forward_to_the_larger_of_own_labels_and_bound():
    assert made().recovery("sensors", "CycleGAN", "augmented_forest") == pytest.approx(
        (0.7 - 0.5) / (0.9 - 0.5)
    )
    assert made().recovery("sensors", "CycleGAN", "accuracy_forest") == pytest.approx(0.25)
    bound = {**REACHED, "own labels of A": (NONE, [0.5] * 3, NONE)}
    assert made(reached=bound).recovery("sensors", "CycleGAN", "augmented_forest") == pytest.approx(1.0)
    nothing = {**bound, "supervised MLP": (NONE, [0.51] * 3, NONE)}
    assert made(reached=nothing).recovery("sensors", "CycleGAN", "augmented_forest") is None
    assert made().recovery("sensors", "CycleGAN", "augmented_logistic") is None


def test_targets_are_shown_met_or_not():
    def reached(pair, **more):
        found = targets(made(pair=pair, **more))
        return {target.name: (target.reached and round(target.reached, 3), target.met) for target in found}

    of = reached("motors")
    assert of["NMSE to the better of mean shift and affine, worst seed"] == (None, None)  # no affine
    assert of["NMSE to the best unpaired baseline"] == (0.5, True)
    assert of["augmented, forest: minus the best unpaired baseline, Gaussian OT"] == (-0.1, False)
    assert of["augmented, forest: minus untranslated"] == (0.2, True)
    assert of["augmented, forest: minus the best linear map, Gaussian OT, used so"] == (0.1, True)
    assert of["recovered, mean over real pairs and classifiers"] == (0.5, False)
    assert of["expected accuracy without labels of A: mean absolute error"] == (0.1, True)
    affine = {**REACHED, "per-feature affine": ([0.7, 0.4, 0.6], *REACHED["mean shift"][1:])}
    start = {**affine, "untrained CycleGAN": ([0.35, 0.6, 0.6], NONE, NONE)}
    of = reached("microphones", reached=start)
    assert of["NMSE to the better of mean shift and affine, worst seed"] == (1.25, False)
    assert of["NMSE to the better of mean shift and affine, mean over seeds"] == (0.774, True)
    assert of["choice: NMSE to the best of shift, affine and start, worst seed"] == (1.25, False)
    assert not any("linear" in name or "unpaired" in name for name in of)  # of real devices alone


def test_markdown_says_everything():
    text = markdown(made(left_out={"microphones": "x does not exist"}))
    assert "3 seeds (0, 1, 2)" in text and "torch 2" in text
    assert "- Left out: microphones, because x does not exist." in text
    assert "20 to 21 of A, 20 others of B. Test recordings, heard by both: 20 in each seed." in text
    assert "0.400 ± 0.100" in text
    row = line_of(text, "augmented, forest: minus the best linear map, Gaussian OT")
    assert row[1:] == ["sensors", "≥ 0.00", "0.100", "yes"]
    assert line_of(text, "own labels of A")[1:3] == ["n/a", "0.900 ± 0.000"]
    behind = text.partition("## Where the CycleGAN is behind")[2]
    assert "sensors, forest ↑: -0.200 against Gaussian OT" in behind and "NMSE" not in behind
    # without the CycleGAN there is nothing to compare
    text = markdown(made(methods=["identity", "mean shift"]))
    assert "target" not in text and "behind" not in text


def line_of(text, start):
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_tables_that_fit_on_a_page():
    result = made()
    heading, row = report.overview(result)
    assert row[:5] == ["sensors", "20", "0.400", "0.800 (mean shift)", "0.50"] and row[-1] == "0.50 / n/a"
    heading, *rows = report.ways_table(result)
    assert [row[1] for row in rows] == ["Gaussian OT", "mean shift", "CycleGAN"]
    assert rows[-1][2:] == ["0.600 / n/a", "n/a / n/a", "n/a / n/a", "0.700 / n/a", "n/a / n/a"]
    heading, row = report.expected_table(result)
    assert row == ["sensors", "0.800 / 0.700", "n/a / n/a", "0.100", "0.100", "0.400"]


def test_json_holds_the_same_and_is_read_back(tmp_path):
    result = made(left_out={"microphones": "x does not exist"})
    path = result.save(tmp_path / "deep")
    assert Benchmark.load(path) == result
    written = json.loads(path.read_text(encoding="utf-8"))
    pair = written["pairs"]["sensors"]
    assert pair["rows"]["mean shift"]["nmse"]["mean"] == pytest.approx(0.8)
    assert pair["recordings"]["train_a"] == [20, 21]
    assert pair["differences"]["nmse"]["ratio_to_baseline"] == pytest.approx(0.5)
    assert pair["recovery"]["CycleGAN"]["augmented_forest"] == pytest.approx(0.5)
    assert {target["met"] for target in written["targets"]} == {True, False, None}
    assert len(written["cells"]) == 21 and written["seeds"] == [0, 1, 2]
    assert written["left_out"] == {"microphones": "x does not exist"}
    for damaged in ({}, {**written, "pairs": ["sensors"]}, {**written, "seeds": [0.5]}):
        path.write_text(json.dumps(damaged), encoding="utf-8")
        with pytest.raises(InputError, match="benchmark.json that `cyclegan benchmark` wrote"):
            Benchmark.load(path)
    with pytest.raises(InputError, match="does not exist"):
        Benchmark.load(tmp_path / "other.json")


def test_figure_shows_the_differences_with_their_intervals_and_what_is_better():
    result = made()
    differences = {"sensors": result.differences("sensors"), "motors": {}}
    error, accuracy = plots.benchmark(differences, ("nmse", "augmented_forest")).axes
    for axis, name, better in ((error, "nmse", -1), (accuracy, "augmented_forest", 1)):
        found = differences["sensors"][name]
        interval, mean, zero = axis.lines
        assert list(interval.get_xdata()) == [found.low, found.high]
        assert list(mean.get_xdata()) == [found.mean] and mean.get_label().startswith(found.verdict)
        assert list(zero.get_xdata()) == [0, 0]
        assert [text.get_text() for text in axis.texts] == [found.against]
        assert np.sign(axis.patches[0].get_width()) == better, "shaded"
        assert np.sign(measures.MEASURES[name].cost(1)) == -better
    assert error.get_xlabel() == "NMSE against the pairs\n← less is better"
    assert [label.get_text() for label in error.get_yticklabels()] == [f"sensors ({RECORDINGS})", "motors"]


def test_what_is_undecided_or_worse_has_a_marker_of_its_own():
    given = {"low": -0.1, "high": 0.1, "n": 9, "against": "CORAL"}
    verdicts = ("better", "undecided", "worse")
    differences = {name: {"nmse": Difference(mean=0.0, verdict=name, **given)} for name in verdicts}
    (axis,) = plots.benchmark(differences, ("nmse",)).axes
    points = [line for line in axis.lines if line.get_label().startswith(verdicts)]
    assert len({(line.get_marker(), line.get_markerfacecolor() == "white") for line in points}) == 3
    one = {"x": {"nmse": Difference("CORAL", 0.2, None, None, 1, "undecided")}}
    (axis,) = plots.benchmark(one, ("nmse",)).axes
    assert len(axis.lines) == 2, "no interval"
