"""How often a classifier is right where nobody knows the truth: an estimate from its confidence."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from cyclegan_lib.errors import InputError
from cyclegan_lib.faults.models import FaultModels, recordings_per_class
from cyclegan_lib.features import FeatureSet

FOLDS = 5
RESAMPLED = 200  # times, for an interval


class Expected(NamedTuple):
    """An accuracy that is to be expected, and its 95 % interval."""

    mean: float
    low: float
    high: float


def expected_accuracy(
    held_out: np.ndarray,
    right: np.ndarray,
    asked: np.ndarray,
    groups: tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 0,
) -> Expected:
    """Estimate the accuracy on `asked`, (m, classes) probabilities, whose truth is not known.

    Average thresholded confidence [1]_: above the threshold is as large a part of `held_out`, (n, classes)
    out-of-fold probabilities, as is `right`, bool (n,); the estimate is the part of `asked` above it.
    `groups` are the recordings of both, (n,) and (m,), which are drawn again for the interval; without
    them each row is one.

    References
    ----------
    .. [1] S. Garg, S. Balakrishnan, Z. C. Lipton, B. Neyshabur and H. Sedghi, "Leveraging Unlabeled Data to
       Predict Out-of-Distribution Performance", ICLR 2022.
    """
    confidence, of_asked = held_out.max(axis=1), asked.max(axis=1)
    members = [_members(rows) for rows in groups or (np.arange(len(held_out)), np.arange(len(asked)))]
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(RESAMPLED):
        here, there = (np.concatenate([of[i] for i in rng.integers(len(of), size=len(of))]) for of in members)
        drawn.append(_above(confidence[here], right[here], of_asked[there]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Expected(_above(confidence, right, of_asked), float(low), float(high))


def _above(confidence: np.ndarray, right: np.ndarray, asked: np.ndarray) -> float:
    """The part of `asked` above the threshold that fits."""
    wrong = int((~right).sum())
    if wrong == 0:
        return 1.0
    return float(np.mean(asked > np.sort(confidence)[wrong - 1]))


def _members(groups: np.ndarray) -> list[np.ndarray]:
    """The rows of each group."""
    return [np.flatnonzero(groups == name) for name in np.unique(groups)]


def held_out_probabilities(labelled: FeatureSet, seed: int = 0) -> dict[str, np.ndarray]:
    """Probabilities of the sequences that have a label by classifiers that were not trained on them.

    Of each of `FaultModels`, (labelled sequences, classes) in the order of `labelled.classes`. A recording
    is in one fold, with all of its sequences; there are `FOLDS`, or as many as the commonest class has
    recordings. Sets with the same recordings and labels have the same folds, so that their probabilities can
    be averaged. A class of one recording has probability 0 where that is held out: nothing else can be known.
    """
    labelled = labelled.select(labelled.labelled)
    classes = labelled.classes
    folds = min(FOLDS, max(recordings_per_class(labelled).values(), default=0))
    if folds < 2 or len(classes) < 2:
        raise InputError(
            f"the labelled set of {labelled.device} has one recording of each class, or one class only; to"
            " say what accuracy is to be expected a classifier needs two classes, one of them twice"
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # that a class has fewer recordings than there are folds
        warnings.simplefilter("ignore", UserWarning)
        dealt = list(splitter.split(labelled.label, labelled.label, labelled.recording))
    found = {name: np.zeros((len(labelled), len(classes))) for name in FaultModels().models}
    for train, held_out in dealt:
        known = labelled.select(train)
        if len(known.classes) > 1:  # two classes of which one is held out
            columns = np.searchsorted(classes, known.classes)
            for name, each in FaultModels(seed).fit(known).probabilities(labelled.select(held_out)).items():
                found[name][np.ix_(held_out, columns)] = each
    return found
