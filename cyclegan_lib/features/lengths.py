"""One length for sets whose sequences differ in length, so that equal numbers of slices are compared."""

from dataclasses import replace

import numpy as np

from cyclegan_lib.features.feature_set import FeatureSet

MAY_BE_SHORTER = 10  # one of so many recordings may be shorter than is usual


def usual_length(feature_set: FeatureSet) -> int:
    """The length that nine of ten recordings reach with their longest sequence, in slices."""
    _, place = np.unique(feature_set.recording, return_inverse=True)
    longest = np.zeros(place.max() + 1, dtype=int)  # (recordings,)
    np.maximum.at(longest, place, feature_set.lengths)
    return int(np.sort(longest)[len(longest) // MAY_BE_SHORTER])


def common_length(*feature_sets: FeatureSet) -> int:
    """The usual length of the set whose is shortest."""
    return min(map(usual_length, feature_sets))


def left_out(feature_set: FeatureSet, length: int, title: str) -> list[str]:
    """A sentence on what `cut` and `first` leave out of the set `title` as too short; none if all is long."""
    short = int((feature_set.lengths < length).sum())
    if not short:
        return []
    return [f"{title}: left out as shorter than {length} slices: {short} of {len(feature_set)} sequences"]


def shared_slices(x: FeatureSet, y: FeatureSet) -> tuple[np.ndarray, np.ndarray]:
    """What two sets hold of the same moments, row by row: (slices in all, 40) dB each."""
    slices = np.minimum(x.lengths, y.lengths)
    return replace(x, slices=slices).real_slices(), replace(y, slices=slices).real_slices()
