import numpy as np
import pytest

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import split_by_recording

RECORDINGS = np.repeat([f"r{i}" for i in range(10)], 3)


def test_no_recording_stands_on_both_sides():
    first, second = split_by_recording(RECORDINGS, 0.3, seed=0)
    assert set(RECORDINGS[first]).isdisjoint(RECORDINGS[second])
    assert (first ^ second).all()
    assert len(set(RECORDINGS[second])) == 3


def test_the_seed_decides():
    assert (split_by_recording(RECORDINGS, 0.3, 0)[1] == split_by_recording(RECORDINGS, 0.3, 0)[1]).all()
    assert (split_by_recording(RECORDINGS, 0.3, 0)[1] != split_by_recording(RECORDINGS, 0.3, 1)[1]).any()


def test_both_sides_have_a_recording():
    for fraction in (0.01, 0.99):
        first, second = split_by_recording(RECORDINGS[:6], fraction, 0)
        assert first.any()
        assert second.any()


def test_one_recording_cannot_be_split():
    with pytest.raises(InputError, match="at least 2 recordings"):
        split_by_recording(RECORDINGS[:3], 0.5, 0)
