"""Where a classifier trained on the target meets the source: ways to use a translation.

A classifier of B's recordings can be asked about A's translated ones; trained on B's recordings translated to
A and back, which went through what it will be asked about; or trained on B's translated to A, and asked about
A's as they are, also by several translations and with random changes. They err differently, so that those
of `VOTERS` may vote.
"""

from collections.abc import Callable

import numpy as np

from cyclegan_lib.faults.augmentation import augmented
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.features import FeatureSet

FORWARD, THERE_AND_BACK, REVERSE, AUGMENTED = "forward", "there and back", "reverse", "augmented"
VOTE = "vote"
# what is trained on, of B, and what is asked about, of A: "BAB" was translated to A and back again, "BA+" to
# A in several ways
WAYS = {FORWARD: ("B", "AB"), THERE_AND_BACK: ("BAB", "AB"), REVERSE: ("BA", "A"), AUGMENTED: ("BA+", "A")}
VOTERS = (THERE_AND_BACK, REVERSE)
RECOMMENDED = AUGMENTED
ALL_WAYS = (*WAYS, VOTE)

# by way, then by model ("forest", "logistic"): (sequences, classes)
Probabilities = dict[str, dict[str, np.ndarray]]
Translate = Callable[[FeatureSet], FeatureSet]


def trained_by(way: str) -> tuple[str, ...]:
    """The ways whose classifiers answer, and are averaged, in a way: itself, but in a vote."""
    return VOTERS if way == VOTE else (way,)


def versions(labelled: FeatureSet, back: Translate, there: Translate, seed: int = 0) -> dict[str, FeatureSet]:
    """What the ways train on but for B's labelled set itself: `back` translates to A, `there` to B."""
    to_a = back(labelled)
    return {"BA": to_a, "BAB": there(to_a), "BA+": augmented(labelled, to_a, seed)}


def probabilities(
    labelled: dict[str, FeatureSet], asked: dict[str, FeatureSet], seed: int = 0
) -> tuple[list[str], Probabilities]:
    """Train on versions of B's labelled set (see `WAYS`), ask about versions of A's ("A", "AB").

    Returns the classes, and of each way whose versions are there the probability of each class; the vote's
    is the mean of its voters'.
    """
    classes: list[str] = []
    by_way: Probabilities = {}
    for way, (train, test) in WAYS.items():
        if train in labelled and test in asked:
            models = FaultModels(seed).fit(labelled[train])
            classes, by_way[way] = models.classes, models.probabilities(asked[test])
    if all(way in by_way for way in VOTERS):
        votes = [by_way[way] for way in VOTERS]
        by_way[VOTE] = {model: np.mean([vote[model] for vote in votes], axis=0) for model in votes[0]}
    return classes, by_way
