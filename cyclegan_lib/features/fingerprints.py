"""What recordings are known again by: digits of their features' SHA-256."""

import hashlib

import numpy as np

from cyclegan_lib.features.feature_set import DIGITS, FeatureSet

KEPT = 5000  # sequences that a checkpoint remembers: 60 kB


def fingerprint(feature_set: FeatureSet) -> str:
    """16 hexadecimal digits of a whole set; the order of its sequences counts, names and padding do not."""
    return hashlib.sha256(np.ascontiguousarray(feature_set.real_slices())).hexdigest()[:16]


def remembered(feature_set: FeatureSet) -> str:
    """The fingerprints of the sequences, one after the other; of more than `KEPT` the lowest."""
    return "".join(np.unique(feature_set.fingerprints)[:KEPT])


def recognised(feature_set: FeatureSet, remembered: str) -> np.ndarray:
    """Which sequences are known to be among those remembered, bool (sequences,)."""
    known = [remembered[start : start + DIGITS] for start in range(0, len(remembered), DIGITS)]
    return np.isin(feature_set.fingerprints, known)
