"""Figures of a translation: one sequence, and measures beside those of other methods."""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.findings import of_difference
from cyclegan_lib.evaluation.measures import MEASURES
from cyclegan_lib.plots import style

if TYPE_CHECKING:
    from cyclegan_lib.evaluation.report import Row

INTERVALS = "Black: 95 % interval over recordings; of a distance, one standard deviation over their halvings."

CAPTION_WIDTH = 150  # letters
WAVE_MOMENTS = 500  # of which a waveform shows the lowest and the highest sample


class TranslationFigure:
    """Source, truth, translation and difference, drawn once and filled with one sequence after another.

    On the left what the source recorded and its translation, on the right the truth and the difference to
    it, and below how far the translation is off. `paired` is with the truth; otherwise the last panel is what
    the translation changed. `heard` adds the waveforms above, and the place of each slice in them. Showing
    another sequence takes a third of the time of a new figure.
    """

    def __init__(self, settings: FeatureSettings, paired: bool, heard: bool = False) -> None:
        self.settings, self.paired = settings, paired
        heights = [0.3, 1, 1] if heard else [1, 1]
        self.figure, axes = style.new_figure(
            11, 2.1 * sum(heights) + 0.6, len(heights), 2, sharex=True, height_ratios=heights
        )
        self.waves, (source, truth, translated, difference) = axes[:-4], axes[-4:]
        self.axes = [source, translated, *([truth] if paired else []), difference]
        if not paired:
            for axis in (*self.waves[1:], truth):
                axis.set_visible(False)
            self.waves = self.waves[:1]

    def show(
        self,
        source: np.ndarray,
        translated: np.ndarray,
        truth: np.ndarray | None,
        names: tuple[str, str],
        sounds: Sequence[np.ndarray | None] = (),
    ) -> Figure:
        """Fill the panels; (slices, 40) dB each, and the source's and the target's device.

        `sounds` are those of the source and of the truth, (samples,) each, as far as there are some.
        """
        panels = {f"{names[0]}, as recorded": source, f"{names[0]}, translated to {names[1]}": translated}
        last, difference = "what translation changed: translated − recorded", translated - source
        if self.paired:
            panels[f"{names[1]}, the truth: the same moment, recorded there"] = truth
            last, difference = "difference: translated − truth", translated - truth
        levels = style.scale(panels.values())
        panels[last] = difference
        for axis, name in zip(self.axes, panels, strict=True):
            style.title(axis, name)
        if not self.axes[0].images:
            self._fill(list(panels.values()))
        for axis, x in zip(self.axes, panels.values(), strict=True):
            axis.images[0].set_data(x.T)
            axis.images[0].set_extent((0, len(x) * self.settings.slice_hop_s, 0, x.shape[1]))
        for axis in self.axes[:-1]:
            axis.images[0].set_clim(*levels)
        for axis, sound in zip_longest(self.waves, sounds[: len(self.waves)]):
            self._wave(axis, sound, len(source))
        if self.paired:
            text = wrap(of_difference(difference, self.settings), CAPTION_WIDTH)
            self.figure.supxlabel("\n".join(text), fontsize=9)
        return self.figure

    def _fill(self, panels: list[np.ndarray]) -> None:
        for axis, x in zip(self.axes[:-1], panels, strict=False):
            image = style.panel(axis, x, self.settings, style.LEVEL_MAP, 0, 1)
        beside = self.axes[-2:-1] if self.paired else self.axes[:2]
        style.colour_bar(image, beside, "level (dB), one scale")
        limits = (-style.LARGEST_DIFFERENCE, style.LARGEST_DIFFERENCE)
        image = style.panel(self.axes[-1], panels[-1], self.settings, style.DIFFERENCE_MAP, *limits)
        style.colour_bar(image, self.axes[-1:], "difference (dB)", extend="both")
        for axis in (self.axes[1], self.axes[-1]):
            axis.set_xlabel("time (s)")
        for axis in self.axes[2:]:  # on the right: the scale is that of the left
            axis.set_ylabel("")
            axis.tick_params(labelleft=False)
        for axis in self.waves:
            style.title(axis, " ")
            axis.set_yticks([])
        if self.paired:
            self.figure.supxlabel("\n", fontsize=9)  # room for two lines
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # laid out once: nothing moves from one sequence to the next

    def _wave(self, axis: Axes, sound: np.ndarray | None, slices: int) -> None:
        """The lowest and highest sample of each of some hundred moments, and where the slices lie."""
        for artist in (*axis.lines, *axis.collections):
            artist.remove()
        style.title(axis, "no sound" if sound is None else "waveform; grey: its slices")
        if sound is None:
            return
        hop_s, rate = self.settings.slice_hop_s, self.settings.sample_rate
        moments = np.array_split(sound[: round(slices * hop_s * rate)], WAVE_MOMENTS)
        x = np.array([[part.min(), part.max()] for part in moments if len(part)])
        peak = max(float(np.abs(x).max()), 1e-9)
        axis.broken_barh(
            [(i * hop_s, self.settings.slice_s) for i in range(slices)], (-1.4, 2.8), color="0.88"
        )
        times = np.repeat(np.linspace(0, slices * hop_s, len(x)), 2)
        axis.plot(times, x.ravel() / peak, color=style.OTHER_COLOURS[0], linewidth=0.6)
        axis.set_ylim(-1.4, 1.4)


def translation(
    source: np.ndarray,
    translated: np.ndarray,
    truth: np.ndarray | None,
    names: tuple[str, str],
    settings: FeatureSettings,
) -> Figure:
    """One sequence: source, translated, and the truth with the difference; without a pair, what changed.

    Sequences are (slices, 40), dB; `names` are the source's and the target's device.
    """
    return TranslationFigure(settings, truth is not None).show(source, translated, truth, names)


def change(
    source: np.ndarray, translated: np.ndarray, target: np.ndarray, settings: FeatureSettings
) -> Figure:
    """What a translation adds to each band, and how far that differs between recordings.

    A fixed filter would add the same to every recording: it would have no spread. The features are
    (sequences, slices, 40), dB; the target's need not be the same recordings.
    """
    figure, (axis,) = style.new_figure(9, 3.8, 1)
    frequencies = style.band_frequencies(settings)
    added = (translated - source).mean(axis=1)  # (sequences, 40)
    low, high = np.percentile(added, [5, 95], axis=0)
    axis.axhline(0, color=style.COLOUR_A, linestyle=style.LINES[0], label="source, untranslated")
    gap = target.mean(axis=(0, 1)) - source.mean(axis=(0, 1))  # (40,)
    axis.plot(frequencies, gap, color=style.COLOUR_B, label="target")
    axis.plot(frequencies, added.mean(axis=0), "--", color=style.COLOUR_TRANSLATED, label="translated, mean")
    label, colour = "9 of 10 recordings", style.COLOUR_TRANSLATED
    axis.fill_between(frequencies, low, high, color=colour, alpha=0.2, linewidth=0, label=label)
    style.frequency_axis(axis, settings)
    axis.set_ylabel("level above the source (dB)")
    style.title(axis, "what the translation adds")
    style.legend(axis)
    return figure


def rows(table: Sequence["Row"], measures: Sequence[str], null: str) -> Figure:
    """Bars of several measures for the rows of an evaluation, with intervals; the null is a dotted line.

    The last row is the translation that is judged, `null` names the one that a perfect translation would
    equal. `measures` are keys of `MEASURES`, a panel each; what no row has is left out.
    """
    measures = [name for name in measures if any(getattr(row, name) is not None for row in table)]
    figure, axes = style.new_figure(11, 1.4 + 0.34 * len(table), 1, len(measures), sharey=True)
    shown = [row for row in table if row.name != null]
    (reference,) = (row for row in table if row.name == null)
    places = range(len(shown))
    colours = [style.COLOUR_OTHER] * (len(shown) - 1) + [style.COLOUR_TRANSLATED]
    for axis, name in zip(axes, measures, strict=True):
        values = [getattr(row, name) for row in shown]
        axis.barh(places, [value or 0.0 for value in values], color=colours)
        spans = [_span(row, name) for row in shown]
        for place, value, span in zip(places, values, spans, strict=True):
            if span:
                axis.plot(span, [place, place], color="black", linewidth=1.2)
            weight = "bold" if place == places[-1] else "normal"
            style.beside(axis, place, MEASURES[name].text(value), weight=weight)
        if (of_null := getattr(reference, name)) is not None:
            axis.axvline(of_null, color=style.COLOUR_B, linestyle=":", linewidth=2, label=null)
        ends = [span[1] for span in spans if span]
        axis.set_xlim(0, 1.05 * max([*ends, *filter(None, values), of_null or 0.0, 1e-9]))
        axis.set_xlabel(MEASURES[name].axis)
    axes[0].set_yticks(places, [row.name for row in shown])
    axes[0].get_yticklabels()[-1].set_weight("bold")
    axes[0].invert_yaxis()
    figure.supxlabel(INTERVALS, fontsize=8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", frameon=False, fontsize=8)
    return figure


def _span(row: "Row", name: str) -> tuple[float, float] | None:
    """The ends of a value's interval, or of one deviation around it; None where it has neither."""
    value, deviation = getattr(row, name), row.deviation.get(name)
    around = None if None in (value, deviation) else (value - deviation, value + deviation)
    return row.interval.get(name, around)
