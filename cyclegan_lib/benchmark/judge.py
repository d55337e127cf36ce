"""What a translation is worth, on a pair whose truth is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cyclegan_lib.benchmark.device_pair import DevicePair, Translation
from cyclegan_lib.evaluation.halvings import distances_over_halvings, halvings
from cyclegan_lib.faults.expected import expected_accuracy, held_out_probabilities
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.faults.shares import estimated_shares
from cyclegan_lib.faults.ways import FORWARD, RECOMMENDED, WAYS, probabilities, trained_by
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.features.normalization import CONSTANT_DB

DECIMALS = 5  # of a recording's numbers
WEIGHT = "slices"  # of a recording


def way_measure(way: str, model: str) -> str:
    """What the accuracy of a classifier in a way of `faults.ways` is called: forward's plainly so."""
    return f"{'accuracy' if way == FORWARD else way.replace(' ', '_')}_{model}"


FORWARDS, RECOMMENDEDS = (
    tuple(way_measure(way, model) for model in ("forest", "logistic")) for way in (FORWARD, RECOMMENDED)
)


@dataclass(frozen=True)
class Measured:
    """What a method reached on one rotation of a pair, or on all of them together."""

    # columns with a row for each test recording: its name, slices, part of the NMSE, and by `way_measure`
    # the part of its sequences that is classified rightly
    tested: dict[str, list[Any]]
    distances: dict[str, float | None]
    # by measure the accuracy that is expected without labels of A
    expected: dict[str, float] = field(default_factory=dict)
    # how often each class occurs: "A", in the test set; "B", in its training set; "estimated" for A
    shares: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, float | None]:
        """The mean of each column over all slices, and the distances."""
        weights = self.tested[WEIGHT]
        columns = [name for name in self.tested if name not in ("recording", WEIGHT)]
        return {n: float(np.average(self.tested[n], weights=weights)) for n in columns} | self.distances

    @classmethod
    def pooled(cls, rotations: Sequence["Measured"]) -> "Measured":
        """All test recordings together; distances are means, what is estimated a mean over test slices."""
        weights = [sum(each.tested[WEIGHT]) for each in rotations]
        tested = {
            name: [value for each in rotations for value in each.tested[name]] for name in rotations[0].tested
        }
        shares = {
            name: _mean([each.shares[name] for each in rotations], weights) for name in rotations[0].shares
        }
        return cls(
            tested,
            _mean([each.distances for each in rotations], [1.0] * len(rotations)),
            _mean([each.expected for each in rotations], weights),
            shares,
        )


def _mean(each: Sequence[dict[str, float | None]], weights: Sequence[float]) -> dict[str, float | None]:
    """The weighted mean of each number: None where one is, 0 for a class that one lacks."""
    columns = {
        name: [of_one.get(name, 0.0) for of_one in each] for name in dict.fromkeys(n for e in each for n in e)
    }
    return {
        name: None if None in column else float(np.average(column, weights=weights))
        for name, column in columns.items()
    }


def truth_variance(rotations: Iterable[DevicePair]) -> np.ndarray:
    """The variance of each feature over the test truth of all rotations of a seed, (40,)."""
    return np.concatenate([pair.test_b.real_slices() for pair in rotations]).astype(np.float64).var(axis=0)


class Judge:
    """Measures every method of one rotation of a pair alike.

    Everything that does not depend on the method is computed once: the fault classifiers trained on B and
    the halvings of the test recordings. The seed is that of the classifiers, the halvings and the
    projections; errors are relative to `variance`, (40,), see `truth_variance`.
    """

    def __init__(self, pair: DevicePair, seed: int, variance: np.ndarray) -> None:
        self.pair, self.seed, self.variance = pair, seed, variance
        self._models = FaultModels(seed).fit(pair.train_b)
        self._normalizer = Normalizer.fit(pair.train_b.features, pair.train_b.features, mode="per-domain")
        self._halves = list(halvings(pair.test_a.recording, pair.test_b.recording, seed))
        self._names, self._place = np.unique(pair.test_a.recording, return_inverse=True)

    def measure(self, translation: Translation, expect: bool = False) -> Measured:
        """Measure what a method made of the pair.

        Distances are those of `cyclegan_lib.evaluation.halvings`: one half of the translated recordings
        against the *other* half of B's, in the z-scores of B's training recordings, mean over the halvings.
        B's own recordings are measured the same way, half against half, and so are the null. Where nothing is
        translated there are accuracies alone. With `expect` there is an expected accuracy as well, and class
        shares, both in the recommended way and without the labels of A.

        Raises InputError if the features hold NaN.
        """
        a, b = self.pair.test_a, self.pair.test_b
        slices = np.bincount(self._place, a.lengths)
        tested: dict[str, list[Any]] = {
            "recording": self._names.tolist(),
            WEIGHT: slices.astype(int).tolist(),
        }
        distances: dict[str, float | None] = {}
        asked, by_way = {"A": a}, {}
        if translation.features is not None:
            asked["AB"] = translated = a.with_features(translation.features, b.device)
            # both devices heard the same recordings, so that the null's halves are everyone's halves
            (over_halvings,) = distances_over_halvings(
                {"": translated}, b, self._normalizer, self._halves, self.seed, progress=False
            ).values()
            distances = {name: float(np.mean(x)) if x else None for name, x in over_halvings.items()}
            tested["nmse"] = self._of_each(self._errors(translated.features), slices)
            by_way[FORWARD] = self._models.probabilities(translated)
        classes, others = probabilities(translation.labelled, asked, self.seed)
        by_way |= others
        for way, answers in by_way.items():
            if way == FORWARD:
                classes = self._models.classes
            elif FORWARD not in by_way:  # a classifier that learned from other labels than B's
                way = FORWARD
            for model, each in answers.items():
                right = np.array(classes)[each.argmax(axis=1)] == a.label
                tested[way_measure(way, model)] = self._of_each(right, np.bincount(self._place))
        if not expect or RECOMMENDED not in by_way:
            return Measured(tested, distances)
        return Measured(tested, distances, *self._without_labels(translation.labelled, by_way[RECOMMENDED]))

    def _errors(self, translated: np.ndarray) -> np.ndarray:
        """The NMSE of each sequence, summed over its slices, (sequences,)."""
        varies = np.sqrt(self.variance) >= CONSTANT_DB
        error = np.square(translated.astype(np.float64) - self.pair.test_b.features)[..., varies]
        return (error / self.variance[varies]).mean(axis=2).sum(axis=1)

    def _of_each(self, values: np.ndarray, counts: np.ndarray) -> list[float]:
        """Sums of sequences' values over so many of each recording."""
        return np.round(np.bincount(self._place, values) / counts, DECIMALS).tolist()

    def _without_labels(
        self, labelled: dict[str, FeatureSet], answers: dict[str, np.ndarray]
    ) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """Expected accuracy by measure, and class shares, in the recommended way."""
        a, sets = self.pair.test_a, [labelled[WAYS[way][0]] for way in trained_by(RECOMMENDED)]
        b = sets[0]
        label = np.searchsorted(b.classes, b.label)
        votes = [held_out_probabilities(each, self.seed) for each in sets]
        expected = {}
        for model, asked in answers.items():
            held_out = np.mean([vote[model] for vote in votes], axis=0)  # (sequences of B, classes)
            right, groups = held_out.argmax(axis=1) == label, (b.recording, a.recording)
            expected[way_measure(RECOMMENDED, model)] = expected_accuracy(held_out, right, asked, groups).mean
        prior = np.bincount(label) / len(label)
        shares = {
            "A": [np.mean(a.label == name) for name in b.classes],
            "B": prior,
            "estimated": estimated_shares(np.mean(list(answers.values()), axis=0), prior),
        }
        by_class = {name: dict(zip(b.classes, map(float, x), strict=True)) for name, x in shares.items()}
        return expected, by_class
