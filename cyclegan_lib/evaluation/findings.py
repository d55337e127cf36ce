"""What was found, in sentences: every figure computed from the data, every device by its own name."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.measures import IN_USE, MEASURES, TRANSLATED, best_baseline
from cyclegan_lib.evaluation.reliability import SUSPECT, Reliability
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.log_mel import band_frequencies, frequency_ranges, hertz

if TYPE_CHECKING:  # which needs POT
    from cyclegan_lib.evaluation.report import Evaluation

UNHEARD = 0.25  # r² of levels below which a band of the target is next to unheard at the source
MANY = 6  # ranges of frequencies are not listed
OFF_DB = 5.0  # a band that is off by so much on average over a sequence is named
MUCH_LESS = 2 / 3  # of the other device's spread


def of_devices(a: FeatureSet, b: FeatureSet) -> list[str]:
    """How the levels of two devices differ, and how much each varies within a band."""
    settings = a.settings or FeatureSettings()
    slices = [x.real_slices() for x in (a, b)]
    apart = slices[0].mean(axis=0) - slices[1].mean(axis=0)  # (40,) dB
    spreads = [x.std(axis=0) for x in slices]  # (40,) dB
    said = [
        f"{a.device} is {abs(apart.mean()):.1f} dB {'louder' if apart.mean() > 0 else 'quieter'} than"
        f" {b.device} on average over the bands: from {_extreme(apart, np.argmin, settings, '+')} to"
        f" {_extreme(apart, np.argmax, settings, '+')}.",
        f"Levels within a band vary by {spreads[0].mean():.1f} dB at {a.device} and by"
        f" {spreads[1].mean():.1f} dB at {b.device} (standard deviation of the slices).",
    ]
    for device, other, less in (
        (a.device, b.device, spreads[0] < MUCH_LESS * spreads[1]),
        (b.device, a.device, spreads[1] < MUCH_LESS * spreads[0]),
    ):
        if less.any():
            where = frequency_ranges(less, settings)
            said.append(f"{device} varies less than two thirds as much as {other} at {where}.")
    return said


def of_change(before: FeatureSet, after: FeatureSet) -> list[str]:
    """What a translation adds to each band, and how much that depends on the recording."""
    settings = before.settings or FeatureSettings()
    added = after.mean_spectra() - before.mean_spectra()  # (sequences, 40) dB
    spread = added.std(axis=0)
    return [
        f"The translation from {before.device} to {after.device} adds"
        f" {_extreme(added.mean(axis=0), np.argmin, settings, '+', 0)} to"
        f" {_extreme(added.mean(axis=0), np.argmax, settings, '+', 0)} on average.",
        f"What it adds differs between recordings by {spread.mean():.0f} dB (standard deviation), most,"
        f" {_extreme(spread, np.argmax, settings, decimals=0)}.",
    ]


def of_evaluation(result: "Evaluation") -> list[str]:
    """Whether the translation is nearer than none and than the best baseline."""
    ours, untranslated = result.row(TRANSLATED), result.row("identity")
    nearer = ours.sliced_wasserstein < untranslated.sliced_wasserstein
    said = [
        f"The translation is {'' if nearer else 'not '}nearer to {result.target_device} than no translation:"
        f" sliced Wasserstein {ours.sliced_wasserstein:.2f}, untranslated"
        f" {untranslated.sliced_wasserstein:.2f}."
    ]
    for name in ("nmse", *IN_USE):
        rows = result.compared(name)
        value, best = getattr(rows[TRANSLATED], name), best_baseline(map(vars, rows.values()), name)
        if value is not None and best:
            cost = MEASURES[name].cost
            order = "better" if cost(value) < cost(best[1]) else "no better"
            label = MEASURES[IN_USE.get(name, name) if result.ways else name].label
            said.append(
                f"{label[0].upper()}{label[1:]}: {value:.2f}, {order} than the best baseline"
                f" ({best[0]}, {best[1]:.2f})."
            )
    return said


def of_errors(found: Reliability, source: str, target: str, settings: FeatureSettings) -> list[str]:
    """Where a translation errs, and what of it can be foreseen; without a truth, where it is in doubt."""
    if found.difference is None:
        worst = found.recording[found.worst_first()[0]]
        return [
            f"Where it errs is not known: no test recording is of a moment that {target} heard too. The"
            f" restarts disagree most on {worst} of {source}."
        ]
    error = found.band_error[0]
    unheard = frequency_ranges(found.heard < UNHEARD, settings)
    return [
        f"The error is {np.sqrt((error**2).mean()):.1f} dB, largest, {_extreme(error, np.argmax, settings)};"
        f" smallest, {_extreme(error, np.argmin, settings)}.",
        f"{source} hears little of what is loud at {target} at {unheard} (r² of the recordings'"
        f" levels below {UNHEARD})."
        if unheard
        else f"In every band the levels at {source} tell of those at {target} (r² of the recordings' levels"
        f" at least {UNHEARD}).",
        f"{found.constant_part:.0%} of the squared error is the same in all slices of a recording, which is"
        " carried to a wrong level; the rest changes within it.",
        f"The quarter of the recordings on which the restarts disagree most holds {found.caught:.0%} of the"
        f" squared error; {SUSPECT:.0%} would be chance.",
    ]


def of_difference(difference: np.ndarray, settings: FeatureSettings) -> str:
    """How far a translation is off, and in which bands; translated minus truth, (slices, 40) dB."""
    constant = difference.mean(axis=0)  # (40,)
    most = np.argmax(np.abs(constant))
    off = np.abs(constant) >= OFF_DB
    worst, ranges = _extreme(constant, lambda _: most, settings, "+"), frequency_ranges(off, settings)
    if ranges.count(",") >= MANY:
        lowest, highest = band_frequencies(settings)[off][[0, -1]]
        ranges = f"between {hertz(lowest)} and {hertz(highest)}"
    return (
        f"The translation is {np.sqrt((difference**2).mean()):.1f} dB off the truth (root mean square), at"
        f" worst, on average over time, by {worst}. Bands that are off by {OFF_DB:g} dB or more on average: "
        + (f"{off.sum()} of {len(off)} ({ranges})." if off.any() else "none.")
    )


def _extreme(
    values: np.ndarray, which: Callable, settings: FeatureSettings, sign: str = "", decimals: int = 1
) -> str:
    band = which(values)
    return f"{values[band]:{sign}.{decimals}f} dB at {hertz(band_frequencies(settings)[band])}"
