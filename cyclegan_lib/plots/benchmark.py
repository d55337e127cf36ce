"""Figures of the benchmark, one function each, returning a matplotlib Figure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cyclegan_lib.evaluation.measures import MEASURES
from cyclegan_lib.plots import style

# of a difference, told apart in grey
VERDICTS = {
    "better": {"marker": "o", "color": style.COLOUR_TRANSLATED, "label": "better beyond doubt"},
    "undecided": {"marker": "o", "color": "#555555", "markerfacecolor": "white", "label": "undecided"},
    "worse": {"marker": "X", "color": style.COLOUR_A, "label": "worse beyond doubt"},
}
FOREST_NOTE = (
    "Lines: 95 % intervals over the test recordings, whose number is in brackets. On the right, the baseline"
    " that was best on that pair by that measure."
)


def benchmark(differences: dict[str, dict[str, Any]], measures: Sequence[str]) -> Figure:
    """The CycleGAN minus the best unpaired baseline on every pair of devices, with 95 % intervals.

    `differences` are {pair: {measure: the benchmark's Difference}}, a line for each pair, `measures` keys of
    `MEASURES`, a panel each. Beside a line stands which baseline it is; the better half is shaded.
    """
    figure, axes = style.new_figure(11, 1.7 + 0.3 * len(differences), 1, len(measures), sharey=True)
    points = {}
    for axis, name in zip(axes, measures, strict=True):
        shown = [(i, of_pair[name]) for i, of_pair in enumerate(differences.values()) if name in of_pair]
        for place, found in shown:
            look = VERDICTS[found.verdict]
            if found.low is not None:
                axis.plot([found.low, found.high], [place, place], color=look["color"], linewidth=1.6)
            (points[look["label"]],) = axis.plot(found.mean, place, linestyle="none", markersize=7, **look)
            style.beside(axis, place, found.against)
        axis.axvline(0, color="black", linewidth=0.8)
        ends = [abs(x) for _, found in shown for x in (found.low, found.high, found.mean) if x is not None]
        farthest = 1.08 * max(ends, default=0) or 1.0
        axis.set_xlim(-farthest, farthest)
        axis.axvspan(0, -MEASURES[name].cost(farthest), color="0.94", zorder=0)
        axis.set_xlabel(MEASURES[name].axis)
    style.title(axes[0], "CycleGAN minus the best baseline")
    tested = [next((f" ({found.n})" for found in of_pair.values()), "") for of_pair in differences.values()]
    axes[0].set_yticks(range(len(tested)), [pair + n for pair, n in zip(differences, tested, strict=True)])
    axes[0].set_ylim(len(tested) - 0.4, -0.6)
    place = {"loc": "outside upper right", "frameon": False, "fontsize": 8, "ncols": len(VERDICTS)}
    figure.legend(points.values(), points.keys(), **place)
    figure.supxlabel(FOREST_NOTE, fontsize=8)
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
        axis.set_xlabel("criterion on held-out recordings\n← the least is chosen")
        axis.set_ylabel(MEASURES["nmse"].axis)
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
    axes[0].set_ylabel("NMSE, untrained\n← less is better")
    return figure
