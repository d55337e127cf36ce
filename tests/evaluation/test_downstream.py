"""Fault classifiers trained on the target, and the part of the lost accuracy that comes back."""

import numpy as np
import pytest

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.downstream import FaultClassifier, mean_and_std, recovery
from cyclegan_lib.features import FeatureSet


def faults(seed, n=40, shift=0.0):
    """Return sequences of two classes: one louder, with more variation from slice to slice."""
    rng = np.random.default_rng(seed)
    worn = rng.permutation(np.arange(n) % 2).astype(bool)
    x = rng.normal(size=(n, 10, 40)) * np.where(worn, 2.0, 1.0)[:, None, None]
    x[worn] += 1.0
    return FeatureSet(
        features=(x + shift).astype(np.float32),
        recording=np.array([f"r{i}" for i in range(n)]),
        start_s=np.zeros(n),
        device="BATCH_UPLOAD",
        label=np.where(worn, "worn", "good"),
    )


def test_statistics_are_mean_and_deviation_over_the_slices():
    x = np.random.default_rng(0).normal(size=(3, 50, 40))
    statistics = mean_and_std(x)
    assert statistics.shape == (3, 80)
    assert statistics[1, 5] == pytest.approx(sum(x[1, :, 5]) / 50)
    assert statistics[1, 45] == pytest.approx(np.sqrt(sum((x[1, :, 5] - statistics[1, 5]) ** 2) / 50))


def test_accuracy_is_high_on_the_same_device_and_chance_on_another():
    classifier = FaultClassifier(seed=0).fit(faults(0))
    assert min(classifier.accuracy(faults(1)).values()) > 0.95
    # 30 dB louder: everything sounds worn
    assert classifier.accuracy(faults(1, shift=30))["logistic"] == 0.5


def test_accuracy_is_the_part_that_is_right():
    classifier, test = FaultClassifier().fit(faults(0)), faults(1)
    right = classifier.accuracy(test)
    flipped = np.where(test.label == "worn", "good", "worn")
    swapped = FeatureSet(test.features, test.recording, test.start_s, test.device, label=flipped)
    assert classifier.accuracy(swapped) == {name: pytest.approx(1 - value) for name, value in right.items()}


def test_seed_decides():
    classifiers = [FaultClassifier(seed).fit(faults(0, n=8)) for seed in (0, 0, 1)]
    x = mean_and_std(faults(1).features)
    scores = [classifier.models["forest"].predict_proba(x) for classifier in classifiers]
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_one_class():
    labelled = faults(0)
    with pytest.raises(InputError, match="only the class 'worn'"):
        FaultClassifier().fit(labelled.select(labelled.label == "worn"))


@pytest.mark.parametrize(
    ("translated", "untranslated", "real", "expected"),
    [
        (0.9, 0.5, 0.9, 1.0),
        (0.5, 0.5, 0.9, 0.0),
        (0.7, 0.5, 0.9, 0.5),
        (0.4, 0.5, 0.9, -0.25),
        (0.95, 0.5, 0.9, 1.125),
        (0.5, 0.9, 0.92, None),
        (0.5, 0.9, 0.9, None),
        (0.5, 0.95, 0.9, None),
    ],
)
def test_recovery(translated, untranslated, real, expected):
    """None where there was nothing to recover."""
    assert recovery(translated, untranslated, real) == (None if expected is None else pytest.approx(expected))
