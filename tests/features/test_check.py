"""What should not go into training unnoticed."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.features.check import copies, outliers


def changed(change, at=(3,), n=24):
    """A set of which some recordings are another sound: `change` of their features (50, 40)."""
    sound = make_set("cpc006", n=n)
    features = sound.features.copy()
    for row in at:
        features[row] = change(features[row])
    return replace(sound, features=features)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda x: np.full_like(x, -100), "silent"),
        (lambda x: np.where(np.arange(50)[:, None] < 20, -100, x), "silent in 40% of its slices"),
        (lambda x: np.broadcast_to(x[:1], x.shape), "the same in every slice"),
        (lambda x: x + 60, "[56][0-9] dB from the others"),
        (lambda x: x - 50, "[45]. dB from the others"),
    ],
)
def test_what_is_no_recording_of_the_machine_is_named_with_its_reason(change, why):
    found = outliers(changed(change, at=(3, 7, 20)))
    assert list(found) == ["cpc006-003", "cpc006-007", "cpc006-020"]
    assert all(re.match(why, reason) for reason in found.values())


def test_classes_that_differ_and_a_few_recordings_are_nothing_odd():
    assert outliers(make_set("cpc006", n=24)) == {}
    assert outliers(changed(lambda x: x + 12, at=range(4))) == {}
    assert outliers(changed(lambda x: x + 60, n=4)) == {}


def test_copies_are_recordings_of_equal_features_within_and_across_sets():
    sound = make_set("cpc006", n=6)
    assert copies(sound) == [] and copies(sound, sound) == []
    twice = replace(sound, features=sound.features[[0, 1, 0, 3, 0, 1]])
    assert copies(twice) == [("cpc006-000", "cpc006-002", "cpc006-004"), ("cpc006-001", "cpc006-005")]
    renamed = replace(sound.select(np.s_[:1]), recording=np.array(["other"]))
    assert copies(sound, renamed) == [("cpc006-000", "other")]
    assert copies(changed(lambda x: np.full_like(x, -100), at=(1, 2), n=6)) == []
    # padding is no sound, and where a recording is cut is
    cut = replace(sound, slices=np.full(6, 30))
    padded = np.where(np.arange(50)[:, None] < 30, sound.features, 0)
    assert copies(cut, replace(cut, features=padded, recording=np.array(list("abcdef"))))[0] == (
        "cpc006-000",
        "a",
    )
