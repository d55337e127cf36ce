"""The choice of the checkpoint, judged on trails made up so that every answer is known."""

import numpy as np
import pytest

from cyclegan_lib import plots
from cyclegan_lib.benchmark import report
from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.choice import choice, choices, trails
from cyclegan_lib.benchmark.cyclegan_rows import UNTRAINED, WITHOUT_LABELS, with_pairs
from cyclegan_lib.benchmark.numbers import Benchmark

COLUMNS = ("epoch", "criterion", "nmse", "members", "member_criteria", "forest", "logistic")
TRAIL = [
    dict(zip(COLUMNS, point, strict=True))
    for point in (
        (0, 3.0, 0.50, [0.6, 0.7], [3.1, 2.9], 0.4, 0.5),
        (2, 2.0, 0.30, [0.4, 0.5], [2.2, 1.8], 0.6, 0.5),
        (4, 1.0, 0.33, [0.5, 0.6], [0.9, 1.1], 0.7, 0.5),
    )
]


def cell(method="CycleGAN", nmse=0.33, seed=0, **extras):
    tested = {"recording": ["x", "y"], "slices": [50, 50], "nmse": [nmse - 0.1, nmse + 0.1]}
    return Cell("sensors", seed, method, {"nmse": nmse}, tested, {"rotations": [extras]})


def test_what_was_chosen_and_what_it_cost():
    became = choice(TRAIL)
    assert (became["start"], became["chosen"], became["best"]) == (0.50, 0.33, 0.30)
    assert became["regret"] == pytest.approx(0.1)
    assert became["single"] == 0.5  # the restart with the lowest criterion of its own, 0.9
    assert became["mean_single"] == pytest.approx(0.55)
    assert became["rank_nmse"] == pytest.approx(0.5)
    assert became["rank_forest"] == pytest.approx(-1.0)
    assert np.isnan(became["rank_logistic"])  # the accuracy never changes


def test_one_row_for_each_pair_and_cells_without_a_trail_are_passed_over():
    cells = [cell(trail=TRAIL), cell(seed=1, trail=TRAIL[:1]), cell("CORAL", 0.9), cell(seed=2)]
    assert len(choices(cells)) == 2
    row = only_row(report.choice_table(Benchmark(cells, ["sensors"], ["CycleGAN"], [0, 1], {}, {})))
    assert (row["pair"], row["regret"], row["rank logistic"]) == ("sensors", "5.0 %", "n/a")
    assert row["not worse than untrained"] == "2 of 2"


def only_row(table):
    heading, row = table
    return dict(zip(heading, row, strict=True))


@pytest.fixture
def helped():
    """The CycleGAN's cells with a trail, and what it starts from with other help."""
    numbers = {UNTRAINED: [0.50, 0.40], WITHOUT_LABELS: [0.52, 0.46], with_pairs(1): [0.45, 0.38]}
    cells = [cell(nmse=nmse, seed=seed, trail=TRAIL) for seed, nmse in enumerate([0.33, 0.35])]
    cells += [cell(name, nmse, seed) for name, both in numbers.items() for seed, nmse in enumerate(both)]
    return Benchmark(cells, ["sensors"], ["CycleGAN", *numbers], [0, 1], {}, {})


def test_help_is_the_difference_paired_by_recording(helped):
    row = only_row(report.help_table(helped))
    assert row["labels of B"].startswith("-0.040 (") and row["1 pair"].startswith("-0.035 (")
    assert row["8 pairs"] == "n/a"
    assert report.pairs_curves(helped) == {"sensors": {0: [0.50, 0.40], 1: [0.45, 0.38]}}


def test_report_and_figures_show_the_choice_and_the_curve(helped):
    row = only_row(report.overview(helped))
    assert row["recordings"] == "n/a"  # nothing to be compared with
    assert (row["pair"], row["NMSE"], row["best unpaired baseline"]) == ("sensors", "0.340", "n/a")
    assert "## Choice of the checkpoint" in report.markdown(helped)
    figure = plots.checkpoints(trails(helped.cells))
    chosen = figure.axes[0].lines[2]
    assert (chosen.get_xdata(), chosen.get_ydata()) == (1.0, 0.33)
    curve = plots.pairs_curve(report.pairs_curves(helped)).axes[0].lines[0]
    assert list(curve.get_ydata()) == pytest.approx([0.45, 0.415])
