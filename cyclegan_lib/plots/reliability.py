"""Which slices and recordings translate badly, and why."""

from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.reliability import Reliability
from cyclegan_lib.plots import style


def reliability(judged: Reliability, settings: FeatureSettings) -> Figure:
    """Errors by recording, time and frequency, and what foretells them; without a truth, only the signs."""
    if judged.difference is None:
        figure, (axis,) = style.new_figure(6, 4, 1)
        _scatter(axis, judged, judged.disagreement, judged.novelty)
        axis.set(xlabel="disagreement of the restarts (z-scores)", ylabel="novelty (1 is usual)")
        return figure
    figure, (slices, signs, bands, heard) = style.new_figure(10, 7, 2, 2)
    _slice_errors(slices, judged, settings)
    _scatter(signs, judged, judged.disagreement, judged.error)
    signs.set(
        xlabel="disagreement of the restarts (z-scores)", ylabel="error (dB)", xlim=(0, None), ylim=(0, None)
    )
    foresight = next(iter(judged.foresight().values()))
    style.title(signs, f"where the restarts disagree (Spearman {foresight:.2f})")

    frequencies = style.band_frequencies(settings)
    everything, constant = judged.band_error
    bands.plot(frequencies, everything, color=style.COLOUR_TRANSLATED, label="all of it")
    label = "constant in a recording"
    bands.fill_between(
        frequencies, constant, color=style.COLOUR_TRANSLATED, alpha=0.25, linewidth=0, label=label
    )
    bands.set(ylabel="error (dB)", ylim=(0, None))
    style.title(bands, "error by band")
    style.legend(bands)
    heard.plot(frequencies, judged.heard, color=style.COLOUR_A)
    heard.set(ylabel="r² of recordings' levels", ylim=(0, 1))
    style.title(heard, "what the source hears of the target's level")
    for axis in (bands, heard):
        style.frequency_axis(axis, settings)
    return figure


def _slice_errors(axis: Axes, judged: Reliability, settings: FeatureSettings) -> None:
    errors = judged.slice_error[judged.worst_first()]  # (sequences, slices)
    end = errors.shape[1] * settings.slice_hop_s
    extent = (0, end, len(errors), 0)
    options = {"aspect": "auto", "cmap": style.ERROR_MAP, "vmin": 0, "interpolation": "nearest"}
    image = axis.imshow(errors, extent=extent, **options)
    style.colour_bar(image, [axis], "error of a slice (dB)")
    axis.set(xlabel="time (s)", ylabel="recording, worst first")
    style.title(axis, "slices and recordings")


def _scatter(axis: Axes, judged: Reliability, x: np.ndarray, y: np.ndarray) -> None:
    if judged.label is None:
        axis.scatter(x, y, s=18, color=style.COLOUR_OTHER)
        return
    for label, colour, marker in zip(
        np.unique(judged.label), cycle(style.OTHER_COLOURS), cycle(style.MARKERS), strict=False
    ):
        chosen = judged.label == label
        axis.scatter(x[chosen], y[chosen], s=18, color=colour, marker=marker, label=label, alpha=0.8)
    style.legend(axis)
