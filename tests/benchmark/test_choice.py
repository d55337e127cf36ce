"""The choice of the checkpoint, judged on trails made up so that every answer is known."""

import numpy as np
import pytest

from cyclegan_lib import plots
from cyclegan_lib.benchmark import report
from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.choice import choice, choices, trails
from cyclegan_lib.benchmark.cyclegan_rows import UNTRAINED, WITHOUT_LABELS, with_pairs
from cyclegan_lib.benchmark.numbers import Benchmark


def point(epoch, criterion, nmse, members, member_criteria, forest=0.5):
    return {
        "epoch": epoch,
        "criterion": criterion,
        "nmse": nmse,
        "forest": forest,
        "logistic": 0.5,
        "members": members,
        "member_criteria": member_criteria,
    }


TRAIL = [
    point(0, 3.0, 0.50, [0.6, 0.7], [3.1, 2.9], 0.4),
    point(2, 2.0, 0.30, [0.4, 0.5], [2.2, 1.8], 0.6),
    point(4, 1.0, 0.33, [0.5, 0.6], [0.9, 1.1], 0.7),
]


def cell(method="CycleGAN", nmse=0.33, seed=0, **extras):
    return Cell("sensors", seed, method, {"nmse": nmse}, extras=extras)


def test_what_was_chosen_and_what_it_cost():
    found = choice(cell(trail=TRAIL))
    assert (found["start"], found["chosen"], found["best"]) == (0.50, 0.33, 0.30)
    assert found["regret"] == pytest.approx(0.1)
    assert found["single"] == 0.5  # the restart with the lowest criterion of its own, 0.9
    assert found["mean_single"] == pytest.approx(0.55)
    assert found["rank_nmse"] == pytest.approx(0.5)
    assert found["rank_forest"] == pytest.approx(-1.0)
    assert np.isnan(found["rank_logistic"])  # the accuracy never changes


def test_one_row_for_each_pair_and_cells_without_a_trail_are_passed_over():
    cells = [cell(trail=TRAIL), cell(seed=1, trail=TRAIL[:1]), cell("CORAL", 0.9), cell(seed=2)]
    assert len(choices(cells)) == 2
    heading, row = report.choice_table(Benchmark(cells, ["sensors"], ["CycleGAN"], [0, 1], {}, {}))
    values = dict(zip(heading, row, strict=True))
    assert values["pair"] == "sensors"
    assert values["regret"] == "5.0 %"
    assert values["not worse than untrained"] == "2 of 2"
    assert values["rank logistic"] == "n/a"


def helped() -> Benchmark:
    numbers = {
        "CycleGAN": [0.33, 0.35],
        UNTRAINED: [0.50, 0.40],
        WITHOUT_LABELS: [0.52, 0.46],
        with_pairs(1): [0.45, 0.38],
    }
    cells = [
        cell(method, nmse, seed, **({"trail": TRAIL} if method == "CycleGAN" else {}))
        for method, errors in numbers.items()
        for seed, nmse in enumerate(errors)
    ]
    return Benchmark(cells, ["sensors"], list(numbers), [0, 1], {}, {})


def test_help_is_the_difference_paired_by_seed():
    heading, row = report.help_table(helped())
    values = dict(zip(heading, row, strict=True))
    assert values["labels of B"].startswith("-0.040 (")
    assert values["1 pair"].startswith("-0.035 (")
    assert values["8 pairs"] == "n/a"
    assert report.pairs_curves(helped()) == {"sensors": {0: [0.50, 0.40], 1: [0.45, 0.38]}}


def test_report_and_figures_show_the_choice_and_the_curve():
    result = helped()
    assert "## Choice of the checkpoint" in report.markdown(result)
    figure = plots.checkpoints(trails(result.cells))
    chosen = figure.axes[0].lines[2]
    assert (chosen.get_xdata(), chosen.get_ydata()) == (1.0, 0.33)
    curve = plots.pairs_curve(report.pairs_curves(result)).axes[0].lines[0]
    assert list(curve.get_ydata()) == pytest.approx([0.45, 0.415])


def test_overview_has_a_row_for_each_pair_and_says_what_is_missing():
    heading, row = report.overview(helped())
    assert len(row) == len(heading)
    assert row[:3] == ["sensors", "0.340", "n/a"]
