"""Every figure: one function each, data in, matplotlib Figure out.

Colours are Okabe and Ito's, told apart by colour-blind readers too, and mean the same everywhere: domain A
orange, domain B blue, translated green.
"""

from collections.abc import Sequence

import librosa
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from cyclegan_lib.config import FeatureSettings

COLOUR_A, COLOUR_B, COLOUR_TRANSLATED, COLOUR_OTHER = "#D55E00", "#0072B2", "#009E73", "#999999"
COLOURS = (COLOUR_A, COLOUR_B, COLOUR_TRANSLATED)
LEVEL_MAP, DIFFERENCE_MAP = "magma", "RdBu_r"
POINTS = 1500  # slices shown in an embedding; more only cover each other


def band_frequencies(settings: FeatureSettings) -> np.ndarray:
    """Centre frequency of each mel band in Hz, (40,)."""
    return librosa.mel_frequencies(
        settings.n_features + 2, fmin=settings.f_min, fmax=settings.sample_rate / 2
    )[1:-1]


def recordings(sounds: dict[str, np.ndarray], settings: FeatureSettings, seconds: float = 0.5) -> Figure:
    """Waveforms of the same moment as each device heard it; {device: (samples,)}, full scale is 1."""
    figure, axes = new_figure(9, 1.9 * len(sounds), len(sounds), sharex=True)
    for axis, (device, sound), colour in zip(axes, sounds.items(), COLOURS, strict=False):
        shown = sound[: round(seconds * settings.sample_rate)]
        axis.plot(np.arange(len(shown)) / settings.sample_rate, shown, color=colour, linewidth=0.5)
        axis.set(ylabel="amplitude", title=device)
    axes[-1].set_xlabel("time (s)")
    return figure


def feature_panels(panels: dict[str, np.ndarray], settings: FeatureSettings, unit: str = "dB") -> Figure:
    """Sequences as images on one scale, time against frequency; {title: (slices, 40)}."""
    figure, axes = new_figure(9, 2.2 * len(panels), len(panels), sharex=True)
    low, high = _scale(panels.values())
    for axis, (title, x) in zip(axes, panels.items(), strict=True):
        image = _panel(axis, x, settings, LEVEL_MAP, low, high)
        axis.set_title(title)
    figure.colorbar(image, ax=list(axes), label=unit, fraction=0.03)
    axes[-1].set_xlabel("time (s)")
    return figure


def spectra(sets: dict[str, np.ndarray], settings: FeatureSettings, unit: str = "dB") -> Figure:
    """Mean level of each band with one standard deviation around it; {device: (sequences, slices, 40)}."""
    figure, (axis,) = new_figure(9, 4, 1)
    frequencies = band_frequencies(settings)
    for (name, x), colour in zip(sets.items(), _colours(sets), strict=True):
        frames = x.reshape(-1, x.shape[-1])  # (slices, 40)
        mean, std = frames.mean(axis=0), frames.std(axis=0)
        axis.plot(frequencies, mean, color=colour, label=name)
        axis.fill_between(frequencies, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
    axis.set(xscale="log", xlabel="frequency (Hz)", ylabel=f"level ({unit})")
    ticks = [f for f in (100, 200, 500, 1000, 2000, 5000, 10000) if frequencies[0] <= f <= frequencies[-1]]
    axis.set_xticks(ticks, [str(f) for f in ticks])
    axis.minorticks_off()
    axis.legend()
    return figure


def distributions(
    columns: dict[str, dict[str, np.ndarray]], bands: Sequence[int], labels: Sequence[str]
) -> Figure:
    """Histograms of single bands, a row each; a column for each entry, {title: {device: (n, slices, 40)}}."""
    figure, axes = new_figure(9, 2 * len(bands), len(bands), len(columns))
    grid = np.asarray(axes).reshape(len(bands), len(columns))
    for column, ((title, sets), label) in enumerate(zip(columns.items(), labels, strict=True)):
        for row, band in enumerate(bands):
            axis = grid[row, column]
            values = {name: x[..., band].ravel() for name, x in sets.items()}
            edges = np.linspace(*_scale(values.values()), 60)
            for (name, v), colour in zip(values.items(), _colours(sets), strict=True):
                axis.hist(v, edges, density=True, color=colour, alpha=0.5, label=name)
            axis.set(yticks=[], ylabel=f"band {band}", xlabel=label if row == len(bands) - 1 else "")
        grid[0, column].set_title(title)
    grid[0, 0].legend()
    return figure


def training_curves(history: Sequence[dict[str, float]], best_epoch: int | None = None) -> Figure:
    """Held-out distance and losses over epochs; the chosen epoch is marked."""
    figure, axes = new_figure(9, 5.5, 3, sharex=True)
    panels = {
        "held-out distance": ("val_distance_AB", "val_distance_BA", "val_distance"),
        "cycle loss": ("val_cycle_A", "val_cycle_B", "train_cycle"),
        "other losses": ("train_adversarial", "train_identity", "train_discriminator"),
    }
    colours = (COLOUR_TRANSLATED, COLOUR_A, COLOUR_OTHER)
    for axis, (label, names) in zip(axes, panels.items(), strict=True):
        for name, colour in zip(names, colours, strict=True):
            points = [(h["epoch"], h[name]) for h in history if name in h]
            if points:
                axis.plot(*zip(*points, strict=True), color=colour, label=name, linewidth=1.2)
        if best_epoch is not None:
            axis.axvline(best_epoch, color="black", linestyle=":", label=f"chosen: epoch {best_epoch}")
        axis.set_ylabel(label)
        if any(not line.get_label().startswith("_") for line in axis.lines):
            axis.legend(loc="lower left", fontsize=8)
    axes[0].set_ylim(bottom=0)
    axes[-1].set_xlabel("epoch")
    return figure


def translation(
    source: np.ndarray,
    translated: np.ndarray,
    truth: np.ndarray | None,
    names: tuple[str, str],
    settings: FeatureSettings,
) -> Figure:
    """One sequence: source, translated and, where there is a pair, the truth and the difference; dB.

    Parameters
    ----------
    source, translated, truth : arrays, (slices, 40), dB
    names : (str, str)
        The source's and the target's device.
    """
    panels = {f"{names[0]}, as recorded": source, f"{names[0]} translated to {names[1]}": translated}
    if truth is not None:
        panels[f"{names[1]}, the same moment as it was recorded there"] = truth
    rows = len(panels) + (truth is not None)
    figure, axes = new_figure(9, 2.1 * rows, rows, sharex=True)
    low, high = _scale(panels.values())
    for axis, (title, x) in zip(axes, panels.items(), strict=False):
        image = _panel(axis, x, settings, LEVEL_MAP, low, high)
        axis.set_title(title)
    figure.colorbar(image, ax=list(axes[: len(panels)]), label="level (dB)", fraction=0.03)
    if truth is not None:
        image = _panel(axes[-1], translated - truth, settings, DIFFERENCE_MAP, -15, 15)
        axes[-1].set_title("difference: translated − truth")
        figure.colorbar(image, ax=[axes[-1]], label="dB", fraction=0.03)
    axes[-1].set_xlabel("time (s)")
    return figure


def embedding(sets: dict[str, np.ndarray], seed: int = 0) -> Figure:
    """Slices in the plane of the two directions in which all of them vary most; {name: (n, slices, 40)}."""
    rng = np.random.default_rng(seed)
    frames = {name: x.reshape(-1, x.shape[-1]) for name, x in sets.items()}
    frames = {name: x[rng.permutation(len(x))[:POINTS]] for name, x in frames.items()}  # (points, 40)
    plane = PCA(2, random_state=seed).fit(np.concatenate(list(frames.values())))
    figure, (axis,) = new_figure(7, 5.5, 1)
    for (name, x), colour in zip(frames.items(), _colours(sets), strict=True):
        axis.scatter(*plane.transform(x).T, s=4, alpha=0.35, color=colour, label=name, linewidth=0)
    share = plane.explained_variance_ratio_
    axis.set(
        xlabel=f"first principal component (dB), {share[0]:.0%} of the variance",
        ylabel=f"second (dB), {share[1]:.0%}",
    )
    axis.legend(markerscale=4)
    return figure


def rows(table: Sequence[tuple[str, dict[str, float | None]]], measures: dict[str, str], null: str) -> Figure:
    """Bars of several measures for the rows of an evaluation; the null is a dotted line.

    Parameters
    ----------
    table : list of (row name, {measure: value or None})
    measures : dict
        {measure: axis label}, one panel each.
    null : str
        The row that a perfect translation would equal.
    """
    measures = {m: label for m, label in measures.items() if any(v[m] is not None for _, v in table)}
    figure, axes = new_figure(9, 0.9 + 0.34 * len(table), 1, len(measures), sharey=True)
    shown = [(name, values) for name, values in table if name != null]
    names = [name for name, _ in shown]
    for axis, (measure, label) in zip(axes, measures.items(), strict=True):
        # untranslated distances are many times longer: a logarithmic axis shows both ends
        values = [v[measure] or 0.0 for _, v in shown]
        colours = [COLOUR_TRANSLATED if name == names[-1] else COLOUR_OTHER for name in names]
        axis.barh(names, values, color=colours)
        reference = dict(table)[null][measure]
        if reference:
            axis.axvline(reference, color=COLOUR_B, linestyle=":", linewidth=2)
        if max(values) > 10 * (min(v for v in values if v > 0) if any(values) else 1):
            axis.set_xscale("log")
        axis.set_xlabel(label)
    axes[0].invert_yaxis()
    return figure


def new_figure(
    width: float, height: float, nrows: int, ncols: int = 1, **sharing: bool
) -> tuple[Figure, list[Axes]]:
    """A figure of this size in inches, and its panels in a flat list."""
    # not pyplot: figures that it makes are kept open for the whole session, and shown twice in a notebook
    figure = Figure(figsize=(width, height), layout="constrained", dpi=80)
    axes = figure.subplots(nrows, ncols, squeeze=False, **sharing)
    return figure, list(axes.ravel())


def _panel(
    axis: Axes, x: np.ndarray, settings: FeatureSettings, colours: str, low: float, high: float
) -> object:
    end = len(x) * settings.slice_hop_s
    image = axis.imshow(
        x.T, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high, extent=(0, end, 0, x.shape[1])
    )
    ticks = np.array([4, 14, 24, 34])
    axis.set_yticks(ticks + 0.5, [f"{f:.0f}" for f in band_frequencies(settings)[ticks]])
    axis.set_ylabel("Hz")
    return image


def _scale(arrays: Sequence[np.ndarray]) -> tuple[float, float]:
    values = np.concatenate([np.ravel(x) for x in arrays])
    return float(np.percentile(values, 0.5)), float(np.percentile(values, 99.5))


def _colours(sets: dict) -> list[str]:
    return [*COLOURS, COLOUR_OTHER][: len(sets)]
