"""Splits and folds never separate sequences of one recording."""

import numpy as np
import pytest

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import split_by_recording
from cyclegan_lib.features.splits import fold_of_recordings

RECORDINGS = np.repeat([f"r{i}" for i in range(10)], 3)


def test_no_recording_stands_on_both_sides_and_the_seed_decides():
    (first, second), (again, _), (other, _) = (split_by_recording(RECORDINGS, 0.3, s) for s in (0, 0, 1))
    assert set(RECORDINGS[first]).isdisjoint(RECORDINGS[second])
    assert (first ^ second).all()
    assert len(set(RECORDINGS[second])) == 3
    assert (first == again).all() and (first != other).any()


def test_both_sides_have_a_recording_and_one_recording_cannot_be_split():
    for fraction in (0.01, 0.99):
        first, second = split_by_recording(RECORDINGS[:6], fraction, 0)
        assert first.any() and second.any()
    with pytest.raises(InputError, match="at least 2 recordings"):
        split_by_recording(RECORDINGS[:3], 0.5, 0)


@pytest.mark.parametrize(("recordings", "folds"), [(10, 5), (11, 5), (9, 5), (3, 5), (8, 2)])
def test_folds_hold_as_many_recordings_as_each_other_as_near_as_can_be(recordings, folds):
    rng = np.random.default_rng(0)
    names = np.repeat([f"r{i}" for i in range(recordings)], rng.integers(1, 6, recordings))
    names = rng.permutation(names)  # the sequences of a recording need not stand together
    dealt = fold_of_recordings(names, folds, seed=0)
    of_recording = [set(dealt[names == name]) for name in set(names)]
    counts = np.bincount([fold for (fold,) in of_recording])  # one for all sequences of a recording
    assert len(counts) == min(folds, recordings)
    assert counts.min() >= 1 and counts.max() - counts.min() <= 1


def test_the_seed_decides_the_folds_and_the_order_of_the_sequences_does_not():
    first = fold_of_recordings(RECORDINGS, 5, 0)
    assert (first == fold_of_recordings(RECORDINGS, 5, 0)).all()
    assert (first != fold_of_recordings(RECORDINGS, 5, 1)).any()
    assert (first[::-1] == fold_of_recordings(RECORDINGS[::-1], 5, 0)).all()
    assert not (np.diff(first[::3]) >= 0).all()  # dealt in random order, not by name
