"""What two devices' recordings are, side by side, and whether training on them will work."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError, printable, some
from cyclegan_lib.features.feature_set import FeatureSet, check_same_settings
from cyclegan_lib.features.log_mel import FLOOR, band_frequencies
from cyclegan_lib.features.normalization import CONSTANT_DB

SILENT_DB = 10 * np.log10(FLOOR) + 1  # features this low are the floor's
# A recording is far from all others if its mean spectrum is so many times as far from the median one as is
# usual, and so many dB: machines of one device differ by less, silence and other units by more.
FAR_TIMES, FAR_DB = 6.0, 20.0
FEW = 5  # of fewer recordings none can be called usual
MIN_RECORDINGS = 8  # with fewer nothing is trained
# docs/experiments.md: with 18 recordings the start fitted accidents of them (row 3); 22 were enough to help
ADVISED_RECORDINGS = 30
MIN_TEST = 8  # recordings: of fewer, one more or less is more than an eighth of the accuracy
TEST_PART = 0.25  # of the recordings, as `cyclegan split` takes it
MEETING_PART = 0.5  # of the bands
SILENT_PART = 0.1  # of a recording's slices, from which on it is named


def by_recording(feature_set: FeatureSet) -> Iterator[tuple[str, FeatureSet]]:
    """Each recording, in the order of the names, with its sequences in the order of their starts."""
    order = np.lexsort((feature_set.start_s, feature_set.recording))
    names, first = np.unique(feature_set.recording[order], return_index=True)
    for name, index in zip(names, np.split(order, first[1:]), strict=True):
        yield str(name), feature_set.select(index)


def fingerprints(*feature_sets: FeatureSet) -> dict[bytes, list[str]]:
    """Names of recordings by their features, bit by bit; silent ones are left out."""
    groups: dict[bytes, list[str]] = defaultdict(list)
    for feature_set in feature_sets:
        for name, recording in by_recording(feature_set):
            slices = recording.real_slices()  # (slices, 40) dB
            if slices.max() > SILENT_DB:
                groups[hashlib.sha256(np.ascontiguousarray(slices)).digest()].append(name)
    return groups


def copies(*feature_sets: FeatureSet) -> list[tuple[str, ...]]:
    """Names of recordings that hold the same features, as groups of two or more.

    Recordings of one name in several sets are one where they are equal. Silent ones are no copies.
    """
    unique = (tuple(dict.fromkeys(names)) for names in fingerprints(*feature_sets).values())
    return [names for names in unique if len(names) > 1]


def outliers(feature_set: FeatureSet) -> dict[str, str]:
    """Recordings that are silent, constant or farther from all others than anything plausible; why, by name.

    How far a recording is: the root mean square over the 40 bands, in dB, of its mean spectrum less the
    median of all recordings' mean spectra.
    """
    found, spectra = {}, {}
    for name, recording in by_recording(feature_set):
        slices = recording.real_slices()  # (slices, 40) dB
        silent = (slices.max(axis=1) <= SILENT_DB).mean()
        if silent > SILENT_PART:
            found[name] = "silent" if silent == 1 else f"silent in {silent:.0%} of its slices"
        elif len(slices) > 1 and (np.ptp(slices, axis=0) < CONSTANT_DB).all():
            found[name] = "the same in every slice"
        else:
            spectra[name] = slices.mean(axis=0, dtype=np.float64)
    if len(spectra) < FEW:
        return found
    apart = np.stack(list(spectra.values()))  # (recordings, 40) dB
    apart = np.sqrt(np.square(apart - np.median(apart, axis=0)).mean(axis=1))  # (recordings,) dB
    usual = float(np.median(apart))
    for name, distance in zip(spectra, apart, strict=True):
        if distance > max(FAR_DB, FAR_TIMES * usual):
            found[name] = f"{distance:.0f} dB from the others, of which half are within {usual:.1f} dB"
    return found


def classes(feature_set: FeatureSet) -> dict[str, int]:
    """How many recordings each class has; "" is none, where only some have one."""
    if feature_set.label is None:
        return {}
    _, first = np.unique(feature_set.recording, return_index=True)
    names, counts = np.unique(feature_set.label[first], return_counts=True)
    return {printable(str(name)): int(count) for name, count in zip(names, counts, strict=True)}


def overlapping(a: FeatureSet, b: FeatureSet) -> np.ndarray:
    """In which bands mean and one standard deviation of all slices of one meet those of the other, (40,)."""
    (mean_a, std_a), (mean_b, std_b) = (
        (f(x.real_slices(), axis=0) for f in (np.mean, np.std)) for x in (a, b)
    )
    return np.abs(mean_a - mean_b) <= std_a + std_b


def warnings(a: FeatureSet, b: FeatureSet) -> list[str]:
    """What of two devices' training sets may make the training worse than it looks, a sentence each."""
    return [*_of_both(a, b), *_of_one(a), *_of_one(b)]


def _of_both(a: FeatureSet, b: FeatureSet) -> Iterator[str]:
    if a.device == b.device:
        yield f"both are of the device {a.device}; give one of each device"
    try:
        check_same_settings(a, b, a.device, b.device)
    except InputError as error:
        yield str(error)
    sides = [classes(side).keys() - {""} for side in (a, b)]
    if not sides[1]:
        yield f"{b.device} has no labels: nothing keeps its fault classes apart in the training"
    for (here, there), (own, other) in zip(((a, b), (b, a)), (sides, sides[::-1]), strict=True):
        if own and other and (alone := sorted(own - other)):
            yield f"of {here.device} alone, not of {there.device}: the class {some(alone)}"
    heard = [fingerprints(side) for side in (a, b)]
    if both := [heard[0][digest][0] for digest in heard[0] if digest in heard[1]]:
        yield f"the same sound is in both, {len(both)} times: {some(both)}"
    meet = overlapping(a, b)
    if meet.mean() < MEETING_PART:
        yield (
            f"{(~meet).sum()} of {len(meet)} bands of {a.device} and {b.device} do not meet; see that neither"
            " is in other units (--scale) or of other machines"
        )


def _of_one(side: FeatureSet) -> Iterator[str]:
    alike = copies(side)
    recordings = len(np.unique(side.recording)) - sum(len(group) - 1 for group in alike)
    if recordings < MIN_RECORDINGS:
        yield (
            f"{side.device}: {recordings} recordings, and training needs {MIN_RECORDINGS};"
            " --split-every makes several of a long one"
        )
    elif recordings < ADVISED_RECORDINGS:
        yield (
            f"{side.device}: {recordings} recordings; from fewer than {ADVISED_RECORDINGS} or so their"
            " accidents are learned as well"
        )
    for group in alike:
        yield f"{side.device}: {len(group)} recordings are copies, and count once: {some(group)}"
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, reason in outliers(side).items():
        reasons[reason].append(name)
    for reason, names in reasons.items():
        yield f"{side.device}: {reason}: {some(names)}"


@dataclass(frozen=True)
class Comparison:
    """What two devices' recordings are, side by side."""

    rows: list[tuple[str, str, str]]  # of what, of A, of B
    overlap: np.ndarray  # (40,) bool: bands that meet
    apart: str  # the frequencies of the others
    warnings: list[str]

    def __str__(self) -> str:
        width = max(len(row[0]) for row in self.rows), max(len(row[1]) for row in self.rows)
        lines = [f"{what:{width[0]}}  {a:{width[1]}}  {b}".rstrip() for what, a, b in self.rows]
        lines.append(f"bands that meet: {self.overlap.sum()} of {len(self.overlap)}{self.apart}")
        found = [f"- {warning}" for warning in self.warnings]
        return "\n".join([*lines, "will it work?", *(found or ["nothing speaks against it"])])


def compare(a: FeatureSet, b: FeatureSet, more: Iterable[tuple[str, str, str]] = ()) -> Comparison:
    """Compare two devices' recordings before training; `more` are rows about their files."""
    facts = [_facts(side) for side in (a, b)]
    rows = [(what, of_a, facts[1][what]) for what, of_a in facts[0].items()]
    common = len(np.intersect1d(a.recording, b.recording))
    counts = [classes(side) for side in (a, b)]
    for name in sorted(counts[0].keys() | counts[1].keys(), key=lambda name: (name == "", name)):
        numbers = (str(count.get(name, 0)) if count else "-" for count in counts)  # - : no labels at all
        rows.append((f"class {name}" if name else "no class", *numbers))
    rows += [*more, ("names in common", str(common), str(common))]
    overlap = overlapping(a, b)
    return Comparison(rows, overlap, _apart(a, overlap), warnings(a, b) + [*_tests(a), *_tests(b)])


def _facts(side: FeatureSet) -> dict[str, str]:
    settings = side.settings
    levels = [recording.real_slices().mean() for _, recording in by_recording(side)]  # (recordings,) dB
    silent = (side.real_slices().max(axis=1) <= SILENT_DB).mean()
    lengths = np.unique(side.lengths)
    hop_s = (settings or FeatureSettings()).slice_hop_s
    return {
        "device": side.device,
        "recordings": str(len(levels)),
        "sequences": str(len(side)),
        "slices of each": f"{lengths[0]}" + (f" to {lengths[-1]}" if len(lengths) > 1 else ""),
        "sound": f"{side.lengths.sum() * hop_s / 60:.1f} min",
        "sample rate": "unknown" if settings is None else f"{settings.sample_rate} Hz",
        "channel": "unknown" if settings is None else str(settings.channel or "mean of all"),
        "level": f"{np.mean(levels):.1f} ± {np.std(levels):.1f} dB",
        "silence": f"{silent:.1%}",
        "copies": str(sum(len(group) - 1 for group in copies(side))),
        "far from the others": str(len(outliers(side))),
    }


def _tests(side: FeatureSet) -> Iterator[str]:
    """What recordings held out for a test can decide."""
    held_out = round(TEST_PART * len(np.unique(side.recording)))
    if 0 < held_out < MIN_TEST:
        yield (
            f"{side.device}: a quarter to test on are {held_out} recordings; an accuracy measured on them is"
            f" known within ±{1 / np.sqrt(held_out):.2f} at best"
        )


def _apart(side: FeatureSet, overlap: np.ndarray) -> str:
    """The ranges of frequency in which the bands do not meet."""
    if overlap.all() or side.settings is None:
        return ""
    hertz = band_frequencies(side.settings)
    edges = np.flatnonzero(np.diff(np.r_[0, ~overlap, 0]))
    ranges = [f"{hertz[low]:.0f} to {hertz[high - 1]:.0f} Hz" for low, high in edges.reshape(-1, 2)]
    return f", but not {', '.join(ranges)}"
