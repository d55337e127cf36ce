"""A pair of devices with hidden truth: what a method may see, what it is measured on, and what must hold."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.faults.ways import versions
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.extract import slice_recording
from cyclegan_lib.features.normalization import CONSTANT_DB

MIN_PAIR_RECORDINGS = 8  # in each domain

# recording, fault, {device: (samples,)}: the same moment, as each device heard it
Moments = Iterable[tuple[str, str, dict[str, np.ndarray]]]


@dataclass(frozen=True)
class DevicePair:
    """Two devices, as one rotation of a seed deals their recordings."""

    # unpaired: no moment is in both; A has no labels, B has
    train_a: FeatureSet
    train_b: FeatureSet
    # the same moments, row by row, with labels: for the evaluation alone
    test_a: FeatureSet
    test_b: FeatureSet
    # the rows of train_a as B heard them: for the supervised bound and the curve over pairs alone
    truth_a: FeatureSet
    # train_a with its labels, which nobody has in use: for the row "own labels of A" alone
    labelled_a: FeatureSet


def feature_sets(moments: Moments, settings: FeatureSettings, offsets: int) -> dict[str, FeatureSet]:
    """Slice recordings into a labelled set for each device that heard them, row by row the same sound.

    Each recording is sliced from `offsets` starts, see `slice_recording`.
    """
    rows: dict[str, list[tuple]] = {}
    for name, fault, sounds in moments:
        for device, sound in sounds.items():
            sequences, starts, _ = slice_recording(sound, settings, offsets)
            if sequences.shape[1] < settings.slices:  # a short recording has no whole one
                sequences, starts = np.empty((0, settings.slices, settings.n_features)), starts[:0]
            names, faults = (np.repeat(text, len(sequences)) for text in (name, fault))
            rows.setdefault(device, []).append((sequences, names, starts, faults))
    sets = {}
    for device, parts in rows.items():
        features, recording, start_s, label = map(np.concatenate, zip(*parts, strict=True))
        sets[device] = FeatureSet(features, recording, start_s, device, settings, label)
    return sets


def check_pair(name: str, pair: DevicePair) -> DevicePair:
    """Refuse what cannot be learned from or measured; then take the labels off A's training recordings.

    All sets come with labels. Raises InputError if a set has fewer than 8 recordings or constant features, if
    both devices did not hear the same seconds, or if the domains have no fault in common or the test one that
    B's training lacks.
    """
    for part in fields(pair):
        given: FeatureSet = getattr(pair, part.name)
        number = len(np.unique(given.recording))
        if number < MIN_PAIR_RECORDINGS:
            raise InputError(
                f"the pair '{name}' has {number} recordings of at least {given.settings.needed_s:g} s in"
                f" {part.name}; at least {MIN_PAIR_RECORDINGS} are needed"
            )
        if (given.real_slices().std(axis=0) < CONSTANT_DB).all():
            raise InputError(f"the pair '{name}' has only equal features in {part.name}; give real sound")
    for x, y in ((pair.train_a, pair.truth_a), (pair.test_a, pair.test_b)):
        if not (np.array_equal(x.recording, y.recording) and np.array_equal(x.start_s, y.start_s)):
            raise InputError(
                f"the pair '{name}' has recordings of unequal length; both devices must hear the same"
            )
    faults = {part: set(getattr(pair, part).label) for part in ("train_a", "train_b", "test_b")}
    if not faults["train_a"] & faults["train_b"]:
        raise InputError(
            f"the two domains of the pair '{name}' have no fault condition in common; give some in both"
        )
    unseen = sorted(faults["test_b"] - faults["train_b"])
    if unseen:
        raise InputError(
            f"the pair '{name}' is tested on the fault '{unseen[0]}', which no training recording of B has;"
            " give B some"
        )
    return replace(pair, train_a=replace(pair.train_a, label=None), truth_a=replace(pair.truth_a, label=None))


@dataclass(frozen=True)
class Translation:
    """What a method makes of a pair's test set."""

    # (sequences, slices, 40) float32, dB: the rows of test_a as the method thinks B would have heard them;
    # None where nothing is translated
    features: np.ndarray | None
    # what else classifiers are trained on: versions of B's training set, see `faults.ways`
    labelled: dict[str, FeatureSet] = field(default_factory=dict)
    # further figures of the method, of plain JSON types: they are kept beside its measures
    extras: dict[str, Any] = field(default_factory=dict)


def in_both_directions(
    pair: DevicePair,
    there: Callable[[np.ndarray], np.ndarray],
    back: Callable[[np.ndarray], np.ndarray],
    seed: int,
    extras: dict[str, Any] | None = None,
) -> Translation:
    """What maps of features to B and to A make of a pair, for every way of `faults.ways`."""
    labelled = versions(
        pair.train_b,
        lambda b: b.with_features(back(b.features), pair.train_a.device),
        lambda a: a.with_features(there(a.features), pair.train_b.device),
        seed,
    )
    return Translation(there(pair.test_a.features), labelled, extras or {})
