"""What recordings are known again by: digits of their features' SHA-256."""

import hashlib

import numpy as np

from cyclegan_lib.features.feature_set import FeatureSet

DIGITS = 12  # of a sequence: among a million no two are the same by chance
KEPT = 5000  # sequences that a checkpoint remembers: 60 kB


def fingerprint(feature_set: FeatureSet) -> str:
    """16 hexadecimal digits of a whole set; the order of its sequences counts, names and padding do not."""
    return hashlib.sha256(feature_set.real_slices().tobytes()).hexdigest()[:16]


def fingerprints(feature_set: FeatureSet) -> np.ndarray:
    """Hexadecimal digits of each sequence, str (sequences,): the same where the features are."""
    rows = zip(feature_set.features, feature_set.lengths, strict=True)
    return np.array([hashlib.sha256(x[:length].tobytes()).hexdigest()[:DIGITS] for x, length in rows])


def remembered(feature_set: FeatureSet) -> str:
    """The fingerprints of the sequences, one after the other; of more than `KEPT` the lowest."""
    return "".join(np.unique(fingerprints(feature_set))[:KEPT])


def recognised(feature_set: FeatureSet, remembered: str) -> np.ndarray:
    """Which sequences are known to be among those remembered, bool (sequences,)."""
    known = [remembered[start : start + DIGITS] for start in range(0, len(remembered), DIGITS)]
    return np.isin(fingerprints(feature_set), known)
