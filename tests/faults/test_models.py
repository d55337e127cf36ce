"""Fault classifiers trained on the target, and the part of the lost accuracy that comes back."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.faults.models import FaultModels, mean_and_std, recovery


def test_statistics_are_mean_and_deviation_over_the_slices():
    x = np.random.default_rng(0).normal(size=(3, 50, 40))
    statistics = mean_and_std(x)
    assert statistics.shape == (3, 80)
    assert statistics[1, 5] == pytest.approx(sum(x[1, :, 5]) / 50)
    assert statistics[1, 45] == pytest.approx(np.sqrt(sum((x[1, :, 5] - statistics[1, 5]) ** 2) / 50))


def test_accuracy_is_the_part_that_is_right_high_on_the_same_device_only(train_target, target, source):
    classifier = FaultModels().fit(train_target)
    right = classifier.accuracy(target)
    assert min(right.values()) > 0.95 and max(classifier.accuracy(source).values()) < 0.7
    swapped = replace(target, label=np.where(target.label == "worn", "good", "worn"))
    assert classifier.accuracy(swapped) == {name: pytest.approx(1 - value) for name, value in right.items()}


def test_seed_decides(train_target, target):
    few, x = train_target.select(np.arange(8)), mean_and_std(target.features)
    first, again, other = (FaultModels(seed).fit(few).models["forest"] for seed in (0, 0, 1))
    assert np.array_equal(first.predict_proba(x), again.predict_proba(x))
    assert not np.array_equal(first.predict_proba(x), other.predict_proba(x))


def test_without_labels_there_is_no_accuracy_rather_than_none_right(train_target, target):
    classifier = FaultModels().fit(train_target)
    for judge in (classifier.fit, classifier.accuracy):
        with pytest.raises(InputError, match="has no labels; extract it again with --labels"):
            judge(replace(target, label=None))


def test_one_class(train_target):
    with pytest.raises(InputError, match="only the class 'worn'"):
        FaultModels().fit(train_target.select(train_target.label == "worn"))


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


def test_what_has_no_label_is_no_class():
    sound = make_set("BATCH_UPLOAD", n=24)
    some = replace(sound, label=np.where(np.arange(24) < 16, sound.label, ""))
    known = FaultModels(0).fit(sound.select(np.s_[:16]))
    partly = FaultModels(0).fit(some)
    assert list(partly.models["forest"].classes_) == sorted(set(sound.label))
    assert partly.accuracy(sound) == known.accuracy(sound)
    assert partly.accuracy(some) == known.accuracy(sound.select(np.s_[:16]))
    with pytest.raises(InputError, match="has no labels"):
        partly.accuracy(replace(sound, label=np.full(24, "")))
