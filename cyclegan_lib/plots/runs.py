"""Figures of runs side by side: measures over their parameters, curves, one recording through each model."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.measures import MEASURES, RUN_MEASURES, Result
from cyclegan_lib.plots import style

# parameters that repeat a measurement instead of changing it
SEEDS = {"seed": "seed of splits and training", "data_seed": "seed of the simulated recordings"}
PANELS_ABREAST = 3
LOGARITHMIC = 10.0  # from this ratio of largest to smallest value on, the axis is logarithmic
LABEL_GAP = 0.08  # least distance of two labels, as a part of the panel
LONG = 12  # characters of a name that is written aslant below an axis
# five and four: colour and line together repeat after twenty curves, and neighbours differ in grey, too
CURVE_COLOURS = (style.COLOUR_TRANSLATED, *style.OTHER_COLOURS[:4])
LINES = ("-", "--", ":", "-.")
BASELINE = "#777777"  # dark enough for a line and its name


def comparison(runs: Sequence[tuple[dict[str, Any], Result]], grid: dict[str, list[Any]]) -> Figure:
    """Every measure over the grid, a panel each; `runs` are the grid's values and the result of each run.

    The numeric parameter with most values is on the horizontal axis, each combination of the others is a
    line, or of words a dash; `SEEDS` are dots with their 95 % intervals, and the line is their mean. The best
    unpaired baseline of each run is dotted, with its name. What is what stands below.
    """
    measures = [name for name in RUN_MEASURES if any(name in result.translated for _, result in runs)]
    columns = min(PANELS_ABREAST, len(measures))
    rows = -(-len(measures) // columns)
    figure, axes = style.new_figure(3.7 * columns, 2.9 * rows, rows, columns)
    x = max(grid, key=lambda name: (name not in SEEDS, _is_numeric(grid[name]), len(grid[name])))
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
                if x in SEEDS:
                    mean = [float(np.mean([value for _, value in points]))] * len(at)
                axis.plot(*zip(*points, strict=True), "o", color=colour, markersize=3.5, alpha=0.6)
                joined = "-" if _is_numeric(grid[x]) else "_"
                axis.plot(at, mean, joined, color=colour, linewidth=1.6, markersize=14)
                limits = [(place, *result.interval[name]) for place, result in own if name in result.interval]
                if limits:
                    axis.vlines(*zip(*limits, strict=True), color=colour, alpha=0.35, linewidth=1)
                ends.append((at[-1], mean[-1], line, colour))
        ends += _baseline(axis, [(places[v[x]], *r.baseline[name]) for v, r in runs if name in r.baseline])
        _ticks(axis, x, places)
        axis.set_ylabel(MEASURES[name].axis)
        axis.margins(x=0.08, y=0.18)
        _direct_labels(axis, ends)
    for axis in axes[len(measures) :]:
        axis.set_visible(False)
    what = "95 % intervals are over test recordings. Dotted: the best unpaired baseline."
    if seeds := " and ".join(said for name, said in SEEDS.items() if name in grid):
        what = f"Dots: each {seeds}; their mean is drawn through. {what}"
    figure.supxlabel(what, fontsize=8, x=0.01, ha="left")
    return figure


def curves(histories: Mapping[str, Sequence[dict[str, float]]], chosen: Mapping[str, int | None]) -> Figure:
    """Held-out distance and losses over epochs, the runs over each other; a dot is the epoch that was chosen.

    `histories` holds by run what training logs of each epoch, `chosen` the number of its chosen epoch.
    """
    panels = {
        "val_distance": "distance to held-out recordings (chooses)",
        "train_cycle": "cycle-consistency loss of training",
        "train_discriminator": "loss of the discriminators",
    }
    figure, axes = style.new_figure(11, 6.5, len(panels), sharex=True)
    for axis, (key, what) in zip(axes, panels.items(), strict=True):
        for i, (run, history) in enumerate(histories.items()):
            points = {line["epoch"]: line[key] for line in history if key in line}
            look = {"color": CURVE_COLOURS[i % len(CURVE_COLOURS)], "linewidth": 1.4}
            line = LINES[i % len(LINES)]
            axis.plot(list(points), list(points.values()), line, label=run, **look)
            if key == "val_distance" and chosen.get(run) in points:
                axis.plot(chosen[run], points[chosen[run]], "o", color=look["color"])
        style.title(axis, what)
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    style.legend(axes[0], loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def through_models(
    recorded: np.ndarray,
    translated: Mapping[str, np.ndarray],
    truth: np.ndarray | None,
    names: tuple[str, str],
    settings: FeatureSettings,
) -> Figure:
    """One sequence as the source recorded it, translated by the model of each run, and the truth if known.

    Sequences are (slices, 40), dB, all on one scale; `names` are the source's and the target's device. With
    the truth each translation's error stands above it: root mean square over bands and slices.
    """
    panels = {f"{names[0]}, as recorded": recorded}
    for run, x in translated.items():
        error = "" if truth is None else f": error {np.sqrt(np.mean((x - truth) ** 2)):.1f} dB"
        panels[f"{run}{error}"] = x
    if truth is not None:
        panels[f"{names[1]}, the truth"] = truth
    rows = -(-len(panels) // 2)
    figure, axes = style.new_figure(11, 1.9 * rows, rows, 2, sharex=True)
    levels = style.scale(panels.values())
    for axis, (name, x) in zip(axes, panels.items(), strict=False):
        image = style.panel(axis, x, settings, style.LEVEL_MAP, *levels)
        style.title(axis, name)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[len(panels) - 2 : len(panels)]:
        axis.set_xlabel("time (s)")
        axis.tick_params(labelbottom=True)
    style.colour_bar(image, axes, "level (dB)")
    return figure


def _is_numeric(values: Iterable[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _line(values: dict[str, Any], x: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if name != x and name not in SEEDS)


def _means(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    at = sorted({place for place, _ in points})
    return at, [float(np.mean([value for place, value in points if place == here])) for here in at]


def _baseline(axis: Axes, points: list[tuple[float, str, float]]) -> list[tuple[float, float, str, Any]]:
    """Draw the baselines as one dotted line; return its end under each of their names."""
    if not points:
        return []
    at, mean = _means([(place, value) for place, _, value in points])
    if np.allclose(mean, mean[0]):
        axis.axhline(mean[0], color=BASELINE, linestyle=":", linewidth=1.6)
    else:
        axis.plot(at, mean, color=BASELINE, linestyle=":", linewidth=1.6)
    return [(at[-1], mean[-1], name, BASELINE) for name in dict.fromkeys(name for _, name, _ in points)]


def _ticks(axis: Axes, name: str, places: dict[Any, float]) -> None:
    numeric, numbers = _is_numeric(places), list(places.values())
    if numeric and min(numbers) > 0 and max(numbers) / min(numbers) >= LOGARITHMIC:
        axis.set_xscale("log")
    names = [f"{value:g}" if numeric else str(value) for value in places]
    aslant = {"rotation": 20, "ha": "right"} if max(map(len, names)) > LONG else {}
    axis.set_xticks(numbers, names, **aslant)
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
