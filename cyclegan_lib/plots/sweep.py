"""The figure of a sweep: each measure over the grid."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from cyclegan_lib.evaluation.measures import MEASURES, RUN_MEASURES, Result
from cyclegan_lib.plots import style

REPEATED = "seed"  # values that repeat a measurement instead of changing it
PANELS_ABREAST = 3
LOGARITHMIC = 10.0  # from this ratio of largest to smallest value on, the axis is logarithmic
LABEL_GAP = 0.08  # least distance of two labels, as a part of the panel


def comparison(runs: Sequence[tuple[dict[str, Any], Result]], grid: dict[str, list[Any]]) -> Figure:
    """Every measure over the grid, a panel each; `runs` are the grid's values and the result of each run.

    The numeric parameter with most values is on the horizontal axis, each combination of the others is a
    line; seeds are dots with their 95 % intervals, and the line is their mean. The best unpaired baseline of
    each run is dotted, with its name.
    """
    measures = [name for name in RUN_MEASURES if any(name in result.translated for _, result in runs)]
    columns = min(PANELS_ABREAST, len(measures))
    rows = -(-len(measures) // columns)
    figure, axes = style.new_figure(3.7 * columns, 2.9 * rows, rows, columns)
    x = max(grid, key=lambda name: (name != REPEATED, _is_numeric(grid[name]), len(grid[name])))
    # at its number, or evenly spaced
    places = {v: float(v) if _is_numeric(grid[x]) else float(i) for i, v in enumerate(grid[x])}
    lines = {_line(values, x): None for values, _ in runs}
    shades = LinearSegmentedColormap.from_list("lines", [style.COLOUR_TRANSLATED, style.OTHER_COLOURS[0]])
    colours = [shades(i / max(1, len(lines) - 1)) for i in range(len(lines))]
    for axis, name in zip(axes, measures, strict=False):
        ends = []
        for line, colour in zip(lines, colours, strict=True):
            own = [
                (places[values[x]], result)
                for values, result in runs
                if _line(values, x) == line and name in result.translated
            ]
            points = [(place, result.translated[name]) for place, result in own]
            if points:
                at, mean = _means(points)
                axis.plot(*zip(*points, strict=True), "o", color=colour, markersize=3.5, alpha=0.6)
                axis.plot(at, mean, color=colour, linewidth=1.6)
                limits = [(place, *result.interval[name]) for place, result in own if name in result.interval]
                if limits:
                    axis.vlines(*zip(*limits, strict=True), color=colour, alpha=0.35, linewidth=1)
                ends.append((at[-1], mean[-1], line, colour))
        _baseline(axis, [(places[v[x]], *r.baseline[name]) for v, r in runs if name in r.baseline])
        _ticks(axis, x, places)
        axis.set_ylabel(MEASURES[name].axis)
        axis.margins(x=0.08, y=0.18)
        _direct_labels(axis, ends)
    for axis in axes[len(measures) :]:
        axis.set_visible(False)
    return figure


def _is_numeric(values: Iterable[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _line(values: dict[str, Any], x: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if name not in (x, REPEATED))


def _means(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    at = sorted({place for place, _ in points})
    return at, [float(np.mean([value for place, value in points if place == here])) for here in at]


def _baseline(axis: Axes, points: list[tuple[float, str, float]]) -> None:
    if not points:
        return
    names = ", ".join(dict.fromkeys(name for _, name, _ in points))
    at, mean = _means([(place, value) for place, _, value in points])
    if np.allclose(mean, mean[0]):
        axis.axhline(mean[0], color=style.COLOUR_OTHER, linestyle=":", linewidth=1.6)
    else:
        axis.plot(at, mean, color=style.COLOUR_OTHER, linestyle=":", linewidth=1.6)
    axis.annotate(names, (at[0], mean[0]), (0, 2), textcoords="offset points", fontsize=7.5, color="#777777")


def _ticks(axis: Axes, name: str, places: dict[Any, float]) -> None:
    numeric, numbers = _is_numeric(places), list(places.values())
    if numeric and min(numbers) > 0 and max(numbers) / min(numbers) >= LOGARITHMIC:
        axis.set_xscale("log")
    axis.set_xticks(numbers, [f"{value:g}" if numeric else str(value) for value in places])
    axis.minorticks_off()
    axis.set_xlabel(name)


def _direct_labels(axis: Axes, ends: list[tuple[float, float, str, Any]]) -> None:
    """Write each line's name beside its end, moved apart where lines end close together."""
    low, high = axis.get_ylim()
    last = -np.inf
    for _, value, text, colour in sorted((end for end in ends if end[2]), key=lambda end: end[1]):
        place = max((value - low) / (high - low), last + LABEL_GAP)
        axis.annotate(
            text,
            (1, place),
            (4, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=colour,
            annotation_clip=False,
        )
        last = place
