"""The accuracy that is to be expected, without the truth."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.faults.expected import expected_accuracy, held_out_probabilities


def answers(n: int, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities of two classes, surer with a larger spread, and which answers are right."""
    rng = np.random.default_rng(seed)
    first = 1 / (1 + np.exp(-spread * rng.normal(size=n)))
    truth = rng.random(n) >= first  # the second class
    return np.stack([first, 1 - first], axis=1), (first < 0.5) == truth


def test_where_the_classifier_is_less_sure_less_is_expected():
    held_out, right = answers(2000, 4, seed=0)
    same, true_same = answers(2000, 4, seed=1)
    worse, true_worse = answers(2000, 1, seed=2)
    alike = expected_accuracy(held_out, right, same)
    assert alike.low < alike.mean < alike.high and alike.high - alike.low < 0.12
    assert alike.mean == pytest.approx(true_same.mean(), abs=0.03)
    less = expected_accuracy(held_out, right, worse)
    assert less.mean == pytest.approx(true_worse.mean(), abs=0.04) and less.high < alike.low
    assert expected_accuracy(held_out, right, same) == alike


def test_what_confidence_errs_by_is_believed_as_far_as_recordings_tell_it():
    """A classifier that is always sure, and half of the time right."""
    sure, half = np.tile([1.0, 0.0], (300, 1)), np.arange(300) % 2 == 0
    assert expected_accuracy(sure, half, sure).mean == pytest.approx(1 - 0.5 * 300 / 330)
    few = expected_accuracy(sure[:30], half[:30], sure)
    assert few.mean == pytest.approx(0.75) and few.low < 0.6


def test_few_recordings_make_a_wide_interval():
    """Twenty rows of a recording are one."""
    held_out, right = answers(400, 2, seed=0)
    groups = np.arange(400) // 20
    alone, together = (expected_accuracy(held_out, right, held_out, x) for x in (None, (groups, groups)))
    repeated = [np.repeat(x[:20], 20, axis=0) for x in (held_out, right)]
    few = expected_accuracy(*repeated, repeated[0], (groups, groups))
    assert together.mean == pytest.approx(alone.mean, abs=0.01)
    assert few.high - few.low > 2 * (alone.high - alone.low)


def test_a_recording_is_not_judged_by_what_learned_from_it():
    """Each recording has its own spectrum and a random label: who saw one sequence knows the others."""
    sound = make_set("BATCH_UPLOAD", n=48)
    features = sound.features + np.random.default_rng(1).normal(scale=9, size=(12, 1, 40)).repeat(4, axis=0)
    names = np.repeat([f"r{i}" for i in range(12)], 4)
    labelled = replace(sound, features=features, recording=names, label=sound.label.repeat(4)[:48])
    for probabilities in held_out_probabilities(labelled, seed=0).values():
        assert probabilities.shape == (48, 4)
        right = np.take(labelled.classes, probabilities.argmax(axis=1)) == labelled.label
        assert right.mean() < 0.7


def test_a_class_of_one_recording_is_never_expected():
    sound = make_set("BATCH_UPLOAD", n=12)
    labelled = replace(sound, label=np.array(["normal"] * 5 + ["ball"] * 5 + ["inner", ""]))
    for probabilities in held_out_probabilities(labelled).values():
        assert probabilities.shape == (11, 3)  # what has no label is left out
        assert probabilities[10, labelled.classes.index("inner")] == 0
        assert probabilities.sum(axis=1) == pytest.approx(1)
