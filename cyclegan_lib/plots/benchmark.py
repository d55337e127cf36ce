"""Figures of the benchmark, one function each, returning a matplotlib Figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cyclegan_lib.evaluation.measures import TRANSLATED
from cyclegan_lib.faults.ways import RECOMMENDED
from cyclegan_lib.plots import style

if TYPE_CHECKING:
    import pandas as pd

FARTHEST = 1.5  # the benchmark's panels end here: an NMSE of 1 is as bad as answering the mean


def benchmark(numbers: "pd.DataFrame", methods: Sequence[str], measures: dict[str, str]) -> Figure:
    """Methods on every pair of devices: the mean over seeds as a bar, each seed as a dot.

    `numbers` are the benchmark's, one line a number, a row of panels for each pair; `measures` is
    {measure: axis label}, a column of panels each. A diamond is the mean of an accuracy in the recommended
    way of use, where the method has ways.
    """
    pairs = list(numbers["pair"].unique())
    groups = numbers.groupby(["pair", "method", "measure"])["value"]
    seeds = {key: values.to_numpy() for key, values in groups}
    height = 0.6 + (0.5 + 0.21 * len(methods)) * len(pairs)
    figure, axes = style.new_figure(11, height, len(pairs), len(measures), sharey=True, sharex="col")
    grid = np.asarray(axes).reshape(len(pairs), len(measures))
    colours = [style.COLOUR_TRANSLATED if method == TRANSLATED else style.COLOUR_OTHER for method in methods]
    for column, (measure, label) in zip(grid.T, measures.items(), strict=True):
        shown = numbers[(numbers["measure"] == measure) & numbers["method"].isin(methods)]
        limit = min(1.05 * (max(shown["value"], default=0) or 1), FARTHEST)
        for axis, pair in zip(column, pairs, strict=True):
            for place, (method, colour) in enumerate(zip(methods, colours, strict=True)):
                values = seeds.get((pair, method, measure), np.empty(0))
                mean = values.mean() if len(values) else 0.0
                axis.barh(place, mean, color=colour)
                axis.plot(values, np.full(len(values), place), "o", color="black", markersize=2.5)
                recommended = seeds.get((pair, method, measure.replace("accuracy", RECOMMENDED)))
                if measure.startswith("accuracy") and recommended is not None:
                    axis.plot(
                        recommended.mean(), place, "D", color="white", markeredgecolor="black", markersize=4
                    )
                # an untranslated error is many times larger than the rest: it runs out of the panel
                if mean > limit:
                    text = f"{mean:.1f} →"
                    axis.text(0.98 * limit, place, text, ha="right", va="center", fontsize=8)
            axis.set_yticks(range(len(methods)), methods, fontsize=8)
            style.title(axis, pair if measure == next(iter(measures)) else "")
        column[-1].set_xlabel(label)
        column[0].set_xlim(0, limit)
    grid[0, 0].invert_yaxis()
    return figure


def checkpoints(runs: dict[str, list[tuple[np.ndarray, np.ndarray, int]]]) -> Figure:
    """The criterion against the error: one line a training run, from its start (ring) to its end.

    `runs` is {pair: [(criterion, NMSE, index of the chosen checkpoint), ...]}, a panel for each pair.
    """
    columns = min(3, len(runs))
    rows = -(-len(runs) // columns)
    figure, axes = style.new_figure(11, 3.2 * rows, rows, columns)
    for axis in axes[len(runs) :]:
        axis.set_visible(False)
    for axis, (pair, of_pair) in zip(axes, runs.items(), strict=False):
        for criterion, error, chosen in of_pair:
            axis.plot(criterion, error, color=style.COLOUR_OTHER, linewidth=1)
            axis.plot(criterion[0], error[0], "o", color=style.COLOUR_OTHER, markerfacecolor="white")
            axis.plot(criterion[chosen], error[chosen], "o", color=style.COLOUR_TRANSLATED)
        style.title(axis, pair)
        axis.set_xlabel("criterion on held-out recordings")
        axis.set_ylabel("NMSE against the pairs")
    return figure


def pairs_curve(curves: dict[str, dict[int, Sequence[float]]]) -> Figure:
    """NMSE over the number of recordings heard by both devices: the mean over seeds, each seed as a dot.

    `curves` is {pair of devices: {number of paired recordings: one NMSE for each seed}}.
    """
    figure, axes = style.new_figure(11, 3.2, 1, len(curves), sharey=True)
    for axis, (pair, curve) in zip(axes, curves.items(), strict=True):
        places = np.arange(len(curve))
        axis.plot(places, [np.mean(errors) for errors in curve.values()], color=style.COLOUR_TRANSLATED)
        for place, errors in zip(places, curve.values(), strict=True):
            axis.plot(np.full(len(errors), place), errors, "o", color="black", markersize=2.5)
        axis.set_xticks(places, [str(number) for number in curve])
        style.title(axis, pair)
        axis.set_xlabel("paired recordings")
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("NMSE, untrained")
    return figure
