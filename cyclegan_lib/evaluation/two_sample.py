"""Can a classifier tell two sets apart? Recordings never stand on both sides of a fold."""

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from cyclegan_lib.errors import InputError

C2ST_FOLDS = 5
# Measured on 2 × 40 simulated recordings: 10 extremely randomised trees on 1,000 slices of each set take
# 0.07 s and tell a Gaussian-OT translation from the target with 0.63, as far from the null as 30 trees do,
# which take 0.18 s: no row of two pairs moved by more than 0.025, and halvings scatter by 0.02 to 0.12. Two
# folds instead of five save as much, and move rows by 0.07.
TREES = 10
MIN_LEAF = 5
MAX_SLICES = 1000


def classifier_two_sample_test(
    x: np.ndarray,
    recording_x: np.ndarray,
    y: np.ndarray,
    recording_y: np.ndarray,
    seed: int = 0,
    max_slices: int = MAX_SLICES,
) -> float:
    """Compute the accuracy with which a classifier tells slices of two sets apart [1]_.

    0.5: it cannot tell. 1: it always can. Cross-validated with all slices of one recording in one fold,
    wherever they stand: neighbouring slices are nearly equal, so a classifier that has seen some of them
    tells the others by the recording, not by the device. A recording with the same name in both sets is
    kept in one fold for the same reason. The classifier is extremely randomised trees; both sets give
    equally many slices. With few recordings the answer for equal distributions scatters around a little
    less than 0.5 (what is held out of a set is missing from it in training): compare with the null.

    The sets are (sequences, slices, d), of two recordings or more, with the name of its recording for each
    sequence; `seed` draws the slices, at most `max_slices` of each set, the folds and the trees. What is
    returned is the mean over both sets of the part of their held-out slices that are recognised. Raises
    InputError if there is not one name for each sequence.

    References
    ----------
    .. [1] D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017.
    """
    for features, names in ((x, recording_x), (y, recording_y)):
        if len(names) != len(features):
            raise InputError(f"a set has {len(features)} sequences and {len(names)} names of recordings")
    groups_x, groups_y = np.repeat(recording_x, x.shape[1]), np.repeat(recording_y, y.shape[1])
    rng = np.random.default_rng(seed)
    n = min(len(groups_x), len(groups_y), max_slices)
    keep_x, keep_y = (_spread(groups, n, rng) for groups in (groups_x, groups_y))
    d = x.shape[-1]
    both = np.concatenate([x.reshape(-1, d)[keep_x], y.reshape(-1, d)[keep_y]])  # (2n, d)
    groups = np.concatenate([groups_x[keep_x], groups_y[keep_y]])
    labels = np.repeat([0, 1], n)
    folds = min(C2ST_FOLDS, *(len(np.unique(groups[labels == label])) for label in (0, 1)))
    predicted = cross_val_predict(
        ExtraTreesClassifier(TREES, min_samples_leaf=MIN_LEAF, random_state=seed, n_jobs=1),
        both,
        labels,
        groups=groups,
        cv=StratifiedGroupKFold(folds, shuffle=True, random_state=seed),
    )
    return float(balanced_accuracy_score(labels, predicted))


def _spread(groups: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` rows, as equally many from each recording as it has."""
    order = rng.permutation(len(groups))
    inverse = np.unique(groups[order], return_inverse=True)[1]
    by_group = np.argsort(inverse, kind="stable")
    counts = np.bincount(inverse)
    rank = np.empty(len(groups), dtype=int)  # how many of its recording come before a row
    rank[by_group] = np.concatenate([np.arange(count) for count in counts])
    return order[np.argsort(rank, kind="stable")[:n]]
