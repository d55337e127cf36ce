"""Figures of recordings and of their features: waveforms, sequences, spectra, distributions, slices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.log_mel import hertz
from cyclegan_lib.plots import style

EMBEDDED_SLICES = 1500  # slices shown in an embedding; more only cover each other
MOST, OUTLINE_BINS = 0.95, 60  # of the target's slices are within the outer line, on so many bins a side


def recordings(sounds: dict[str, np.ndarray], settings: FeatureSettings, seconds: float = 0.5) -> Figure:
    """Waveforms of the same moment as each device heard it; {device: (samples,)}, full scale is 1."""
    figure, axes = style.new_figure(9, 1.9 * len(sounds), len(sounds), sharex=True, sharey=True)
    for axis, (device, sound), colour in zip(axes, sounds.items(), style.COLOURS, strict=False):
        shown = sound[: round(seconds * settings.sample_rate)]
        axis.plot(np.arange(len(shown)) / settings.sample_rate, shown, color=colour, linewidth=0.6)
        axis.set(ylabel="amplitude (full scale 1)", xlim=(0, seconds))
        style.title(axis, device)
    axes[-1].set_xlabel("time (s)")
    return figure


def feature_panels(panels: dict[str, np.ndarray], settings: FeatureSettings, unit: str = "dB") -> Figure:
    """Sequences as images on one scale, time against frequency; {title: (slices, 40)}."""
    figure, axes = style.new_figure(9, 2.2 * len(panels), len(panels), sharex=True)
    low, high = style.scale(panels.values())
    for axis, (name, x) in zip(axes, panels.items(), strict=True):
        image = style.panel(axis, x, settings, style.LEVEL_MAP, low, high)
        style.title(axis, name)
    axes[0].set_xlim(0, max(map(len, panels.values())) * settings.slice_hop_s)  # of the longest
    style.colour_bar(image, axes, f"level ({unit})")
    axes[-1].set_xlabel("time (s)")
    return figure


def spectra(sets: dict[str, np.ndarray], settings: FeatureSettings, unit: str = "dB") -> Figure:
    """Mean level of each band with one standard deviation around it; {device: (..., 40)}, all slices.

    The last of three, the translated one, is dashed, because it should lie on the second.
    """
    figure, (axis,) = style.new_figure(9, 3.8, 1)
    frequencies = style.band_frequencies(settings)
    for (name, x), colour, line in zip(sets.items(), style.COLOURS, style.LINES, strict=False):
        frames = x.reshape(-1, x.shape[-1])  # (slices, 40)
        mean, std = frames.mean(axis=0), frames.std(axis=0)
        axis.plot(frequencies, mean, line, color=colour, label=name)
        axis.fill_between(frequencies, mean - std, mean + std, color=colour, alpha=0.15, linewidth=0)
    style.frequency_axis(axis, settings)
    axis.set_ylabel(f"level ({unit})")
    style.title(axis, "mean of all slices, and one standard deviation around it")
    style.legend(axis)
    return figure


def distributions(
    columns: dict[str, dict[str, np.ndarray]],
    bands: Sequence[int],
    labels: Sequence[str],
    settings: FeatureSettings,
) -> Figure:
    """Histograms of single bands, a row each; columns with the same label share their scale.

    `columns` are {title: {device: (..., 40)}}, all slices, `bands` features from 0, and `labels` what the x
    axis of each column shows, with its unit. The second device, the target, is filled.
    """
    figure, axes = style.new_figure(9, 2.1 * len(bands), len(bands), len(columns), sharey="row")
    grid = np.asarray(axes).reshape(len(bands), len(columns))
    frequencies = style.band_frequencies(settings)
    for row, band in enumerate(bands):
        for axis, (name, sets), label in zip(grid[row], columns.items(), labels, strict=True):
            alike = [s for s, other in zip(columns.values(), labels, strict=True) if other == label]
            edges = np.linspace(*style.scale(x[..., band] for s in alike for x in s.values()), 60)
            for number, (device, x) in enumerate(sets.items()):
                counts, _ = np.histogram(x[..., band], edges)
                parts, colour = 100 * counts / x[..., band].size, style.COLOURS[number]
                if number == 1:
                    axis.stairs(parts, edges, fill=True, color=colour, alpha=0.25)
                outline = {"drawstyle": "steps-post", "linestyle": style.LINES[number], "linewidth": 1.5}
                axis.plot(edges, [*parts, parts[-1]], color=colour, label=device, **outline)
            style.title(axis, f"{name}, {hertz(frequencies[band])}")
            axis.set_xlabel(label if row == len(bands) - 1 else "")
        grid[row, 0].set(ylabel="slices (%)", ylim=(0, None))
    style.legend(grid[0, -1])  # where translated features are shown, it is here
    return figure


def embedding(
    source: np.ndarray, translated: np.ndarray, target: np.ndarray, names: tuple[str, str], seed: int = 0
) -> Figure:
    """Slices in the plane of the two directions in which all of them vary most, before and after translation.

    Dots are slices of the source, and translated ones; lines hold half and `MOST` of the target's. The
    features are (..., 40), dB, all slices, `names` the source's and the target's device; `seed` draws the
    slices that are shown.
    """
    from sklearn.decomposition import PCA  # which takes a second to import

    rng = np.random.default_rng(seed)
    clouds = []
    for x in (source, target, translated):
        frames = x.reshape(-1, x.shape[-1])
        clouds.append(frames[rng.permutation(len(frames))[:EMBEDDED_SLICES]])  # (points, 40)
    plane = PCA(2, random_state=seed).fit(np.concatenate(clouds))
    share = plane.explained_variance_ratio_
    placed = [plane.transform(cloud) for cloud in clouds]  # (points, 2) each
    figure, axes = style.new_figure(9, 4.2, 1, 2, sharex=True, sharey=True)
    shown = ((0, f"{names[0]}, as recorded"), (2, f"{names[0]}, translated"))
    for axis, (i, what) in zip(axes, shown, strict=True):
        axis.scatter(*placed[i].T, s=6, alpha=0.35, color=style.COLOURS[i], linewidth=0, label=what)
        _outlines(axis, placed[1], names[1], np.concatenate(placed))
        style.title(axis, what)
        axis.set_xlabel(f"first principal component (dB), {share[0]:.0%} of variance")
    axes[0].set_ylabel(f"second (dB), {share[1]:.0%}")
    handles, labels = axes[1].get_legend_handles_labels()
    place = {"loc": "outside lower center", "ncols": 4, "frameon": False, "fontsize": 8, "markerscale": 3}
    figure.legend([*axes[0].collections[:1], *handles], [shown[0][1], *labels], **place)
    return figure


def _outlines(axis: Axes, points: np.ndarray, name: str, everything: np.ndarray) -> None:
    """Lines around half and `MOST` of the points, (n, 2), on a smoothed histogram."""
    margins = [max(1.0, 0.1 * np.ptp(x)) for x in everything.T]  # so that no line is cut off
    edges = [
        np.linspace(x.min() - m, x.max() + m, OUTLINE_BINS + 1)
        for x, m in zip(everything.T, margins, strict=True)
    ]
    density = gaussian_filter(np.histogram2d(*points.T, edges)[0], 1.5)
    bins = [np.digitize(x, e) - 1 for x, e in zip(points.T, edges, strict=True)]
    middles = [(e[1:] + e[:-1]) / 2 for e in edges]
    for part, line in ((0.5, "-"), (MOST, ":")):
        level = np.quantile(density[tuple(bins)], 1 - part)
        axis.contour(*middles, density.T, [level], colors="black", linestyles=line, linewidths=1.3)
        axis.plot([], [], line, color="black", linewidth=1.3, label=f"around {part:.0%} of {name}")
