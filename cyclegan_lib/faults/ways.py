"""Where a classifier trained on the target meets the source: ways to use a translation.

A classifier of B's recordings can be asked about A's translated ones; trained on B's recordings translated to
A and back, which went through what it will be asked about; or trained on B's translated to A, and asked about
A's as they are. They err differently, so that those of `VOTERS` may vote.
"""

import numpy as np

from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.features import FeatureSet

FORWARD, THERE_AND_BACK, REVERSE, VOTE = "forward", "there and back", "reverse", "vote"
# what is trained on, of B, and what is asked about, of A: "BAB" was translated to A and back again
WAYS = {FORWARD: ("B", "AB"), THERE_AND_BACK: ("BAB", "AB"), REVERSE: ("BA", "A")}
VOTERS = (THERE_AND_BACK, REVERSE)
RECOMMENDED = VOTE

# by way, then by model ("forest", "logistic"): (sequences, classes)
Probabilities = dict[str, dict[str, np.ndarray]]


def probabilities(
    labelled: dict[str, FeatureSet], asked: dict[str, FeatureSet], seed: int = 0
) -> tuple[list[str], Probabilities]:
    """Train on versions of B's labelled set ("B", "BA", "BAB"), ask about versions of A's ("A", "AB").

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
