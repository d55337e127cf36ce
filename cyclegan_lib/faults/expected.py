"""How often a classifier is right where nobody knows the truth: an estimate from its confidence."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from cyclegan_lib.errors import InputError
from cyclegan_lib.faults.models import FaultModels, recordings_per_class, with_labels
from cyclegan_lib.features import FeatureSet

FOLDS = 5
RESAMPLED = 200  # times, for an interval
# labelled recordings from which on more than half of what confidence errs by on them is believed (on seven
# real pairs with 20 to 25 labelled recordings, 15 to 100 do about as well)
TRUSTED_FROM = 30


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

    The mean confidence there, and what it errs by on `held_out`, (n, classes) out-of-fold probabilities of
    which `right`, bool (n,), are right (difference of confidences [1]_). That error is itself uncertain
    where few recordings tell it, and counts by r / (r + 30) with r of them. `groups` are the recordings of
    both, (n,) and (m,); without them each row is one. They are drawn again for the interval, with the whole
    of the error that they have then, and so is which of the recordings asked about are right.

    References
    ----------
    .. [1] D. Guillory, V. Shankar, S. Ebrahimi, T. Darrell and L. Schmidt, "Predicting with Confidence on
       Unseen Distributions", ICCV 2021.
    """
    errs, confidence = right - held_out.max(axis=1), asked.max(axis=1)
    here, there = (_members(rows) for rows in groups or (np.arange(len(held_out)), np.arange(len(asked))))
    error = errs.mean() * len(here) / (len(here) + TRUSTED_FROM)
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(RESAMPLED):
        of_errs, of_asked = (
            values[np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])]
            for values, rows in ((errs, here), (confidence, there))
        )
        expected = np.clip(of_asked.mean() + error + of_errs.mean() - errs.mean(), 0, 1)
        drawn.append(rng.binomial(len(there), expected) / len(there))
    mean = float(np.clip(confidence.mean() + error, 0, 1))
    low, high = map(float, np.quantile(drawn, (0.025, 0.975)))
    return Expected(mean, min(low, mean), max(high, mean))


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
    labelled = with_labels(labelled)
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
