"""What in feature sets speaks against training on them: copies, silence, too few, nothing in common."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.errors import InputError, printable, some
from cyclegan_lib.features.feature_set import FeatureSet, check_same_settings
from cyclegan_lib.features.log_mel import FLOOR
from cyclegan_lib.features.normalization import CONSTANT_DB

SILENT_DB = 10 * np.log10(FLOOR) + 1  # features this low are the floor's
# A recording is far from all others if its mean spectrum is so many times as far from the median one as is
# usual, and so many dB: machines of one device differ by less, silence and other units by more.
FAR_TIMES, FAR_DB = 6.0, 20.0
FEW = 5  # of fewer recordings none can be called usual
MIN_RECORDINGS = 8  # with fewer nothing is trained
# docs/experiments.md: with 18 recordings the start fitted accidents of them (row 3); 22 were enough to help
ADVISED_RECORDINGS = 30
MEETING_PART = 0.5  # of the bands
SILENT_PART = 0.1  # of a recording's slices, from which on it is named
COMPARED = 2000  # sequences, evenly spaced: more do not move a device's mean and deviation
Heard = dict[str, list[str]]  # names of recordings by what they sound like


def by_recording(feature_set: FeatureSet) -> Iterator[tuple[str, FeatureSet]]:
    """Each recording, in the order of the names, with its sequences in the order of their starts."""
    names, order, first = _in_order(feature_set)
    for name, index in zip(names, np.split(order, first[1:]), strict=True):
        yield name, feature_set.select(index)


def _in_order(feature_set: FeatureSet) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The recordings' names, sorted; their sequences, one recording after the other; where each begins."""
    order = np.lexsort((feature_set.start_s, feature_set.recording))
    names, first = np.unique(feature_set.recording[order], return_index=True)
    return names.tolist(), order, first


def names_by_sound(*feature_sets: FeatureSet) -> Heard:
    """Names of recordings by their features, bit by bit; silent ones are left out."""
    groups: Heard = defaultdict(list)
    for feature_set in feature_sets:
        names, order, first = _in_order(feature_set)
        loudest = np.empty(len(feature_set))
        for index, features in feature_set.by_length():
            loudest[index] = features.reshape(len(index), -1).max(axis=1)
        heard = np.maximum.reduceat(loudest[order], first) > SILENT_DB
        digits = feature_set.fingerprints[order].tolist()
        for name, (start, end), is_heard in zip(
            names, pairwise([*first.tolist(), len(digits)]), heard, strict=True
        ):
            if is_heard:
                groups["".join(digits[start:end])].append(name)
    return groups


def copies(*feature_sets: FeatureSet) -> list[tuple[str, ...]]:
    """Names of recordings that hold the same features, as groups of two or more.

    Recordings of one name in several sets are one where they are equal. Silent ones are no copies.
    """
    return alike(names_by_sound(*feature_sets))


def alike(heard: Heard) -> list[tuple[str, ...]]:
    """The same of what `names_by_sound` gives."""
    unique = (tuple(dict.fromkeys(names)) for names in heard.values() if len(names) > 1)
    return [names for names in unique if len(names) > 1]


def outliers(feature_set: FeatureSet) -> dict[str, str]:
    """Recordings that are silent, constant or farther from all others than anything plausible; why, by name.

    How far a recording is: the root mean square over the 40 bands, in dB, of its mean spectrum less the
    median of all recordings' mean spectra.
    """
    names, order, first = _in_order(feature_set)
    silent, low, high = (np.empty((len(feature_set), *shape)) for shape in ((), (N_FEATURES,), (N_FEATURES,)))
    for index, features in feature_set.by_length():
        silent[index] = (features.max(axis=2) <= SILENT_DB).sum(axis=1)
        low[index], high[index] = features.min(axis=1), features.max(axis=1)
    # (recordings,) and (recordings, 40) from here on
    slices = np.add.reduceat(feature_set.lengths[order], first)
    silent = np.add.reduceat(silent[order], first) / slices
    ranges = np.maximum.reduceat(high[order], first) - np.minimum.reduceat(low[order], first)
    odd = (silent > SILENT_PART) | (slices > 1) & (ranges < CONSTANT_DB).all(axis=1)
    found = {}
    for index in np.flatnonzero(odd):
        part = f"silent in {silent[index]:.0%} of its slices" if silent[index] < 1 else "silent"
        found[names[index]] = part if silent[index] > SILENT_PART else "the same in every slice"
    if (~odd).sum() < FEW:
        return found
    sums = feature_set.mean_spectra() * feature_set.lengths[:, None]
    spectra = np.add.reduceat(sums[order], first) / slices[:, None]
    apart = np.sqrt(np.square(spectra - np.median(spectra[~odd], axis=0)).mean(axis=1))  # dB
    usual = float(np.median(apart[~odd]))
    for index in np.flatnonzero(~odd & (apart > max(FAR_DB, FAR_TIMES * usual))):
        found[names[index]] = (
            f"{apart[index]:.0f} dB from the others, of which half are within {usual:.1f} dB"
        )
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
    some_of = (side.select(np.s_[:: -(-len(side) // COMPARED)]) for side in (a, b))
    slices = [side.real_slices().astype(np.float64) for side in some_of]  # (slices, 40) each
    means, deviations = (np.stack([f(x, axis=0) for x in slices]) for f in (np.mean, np.std))  # (2, 40)
    return np.abs(means[0] - means[1]) <= deviations.sum(axis=0)


def warnings(a: FeatureSet, b: FeatureSet, heard: Sequence[Heard] | None = None) -> list[str]:
    """What of two devices' training sets may make the training worse than it looks, a sentence each.

    `heard` is what `names_by_sound` gives of each of the two, where it is known.
    """
    heard = heard or [names_by_sound(side) for side in (a, b)]
    return [*_of_both(a, b, heard), *_of_one(a, heard[0]), *_of_one(b, heard[1])]


def _of_both(a: FeatureSet, b: FeatureSet, heard: Sequence[Heard]) -> Iterator[str]:
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
    if both := [heard[0][digest][0] for digest in heard[0] if digest in heard[1]]:
        yield f"the same sound is in both, {len(both)} times: {some(both)}"
    meet = overlapping(a, b)
    if meet.mean() < MEETING_PART:
        yield (
            f"{(~meet).sum()} of {len(meet)} bands of {a.device} and {b.device} do not meet; see that neither"
            " is in other units (--scale) or of other machines"
        )


def _of_one(side: FeatureSet, heard: Heard) -> Iterator[str]:
    groups = alike(heard)
    recordings = len(np.unique(side.recording)) - sum(len(group) - 1 for group in groups)
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
    for group in groups:
        yield f"{side.device}: {len(group)} recordings are copies, and count once: {some(group)}"
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, reason in outliers(side).items():
        reasons[reason].append(name)
    for reason, names in reasons.items():
        yield f"{side.device}: {reason}: {some(names)}"
