"""A pair of devices with hidden truth: what a method may see, what it is measured on, and what must hold."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.extract import slice_recording
from cyclegan_lib.features.normalization import CONSTANT_DB

LEAST_RECORDINGS = 8  # in each domain

# recording, fault, {device: (samples,)}: the same moment, as each device heard it
Moments = Iterable[tuple[str, str, dict[str, np.ndarray]]]


@dataclass(frozen=True)
class DevicePair:
    """Two devices, as one seed deals their recordings.

    Attributes
    ----------
    train_a, train_b : FeatureSet
        Unpaired: no moment is in both. A has no labels, B has.
    test_a, test_b : FeatureSet
        The same moments, row by row, with labels: for the evaluation alone.
    truth_a : FeatureSet
        The rows of `train_a` as B heard them, for the supervised bound and the curve over pairs alone.
    """

    train_a: FeatureSet
    train_b: FeatureSet
    test_a: FeatureSet
    test_b: FeatureSet
    truth_a: FeatureSet


def feature_sets(moments: Moments, settings: FeatureSettings, offsets: int) -> dict[str, FeatureSet]:
    """Slice recordings into a labelled set for each device that heard them, row by row the same sound.

    Parameters
    ----------
    moments : iterable of (recording, fault, {device: (samples,)})
    settings : FeatureSettings
    offsets : int
        Starts at which each recording is sliced, see `slice_recording`.

    Returns
    -------
    dict of FeatureSet, by device
    """
    rows: dict[str, list[tuple]] = {}
    for name, fault, sounds in moments:
        for device, sound in sounds.items():
            sequences, starts, _ = slice_recording(sound, settings, offsets)
            rows.setdefault(device, []).append(
                (sequences, [name] * len(sequences), starts, [fault] * len(sequences))
            )
    found = {}
    for device, parts in rows.items():
        features, recording, start_s, label = (np.concatenate(part) for part in zip(*parts, strict=True))
        found[device] = FeatureSet(
            features, recording.astype(str), start_s, device, settings, label.astype(str)
        )
    return found


def checked(name: str, pair: DevicePair) -> DevicePair:
    """Refuse what cannot be learned from or measured; then take the labels off A's training recordings.

    Parameters
    ----------
    name : str
        What messages call the pair.
    pair : DevicePair
        All of its sets with labels.

    Raises
    ------
    InputError
        If a set has fewer than 8 recordings or constant features, if both devices did not hear the same
        seconds, or if the domains have no fault in common or the test one that B's training lacks.
    """
    for part in fields(pair):
        given: FeatureSet = getattr(pair, part.name)
        number = len(np.unique(given.recording))
        if number < LEAST_RECORDINGS:
            raise InputError(
                f"the pair '{name}' has {number} recordings of at least {given.settings.needed_s:g} s in"
                f" {part.name}; at least {LEAST_RECORDINGS} are needed"
            )
        if (given.features.std(axis=(0, 1)) < CONSTANT_DB).all():
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
    """What a method makes of a pair's test set.

    Attributes
    ----------
    features : float32 array, (sequences, slices, 40), dB
        The rows of `test_a` as the method thinks B would have heard them.
    extras : dict
        Further figures of the method, of plain JSON types: they are kept beside its measures.
    """

    features: np.ndarray
    extras: dict[str, Any] = field(default_factory=dict)
