"""Wilson's intervals against published values, that of an error against the error and more recordings."""

import numpy as np
import pytest

from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.evaluation.intervals import nmse_interval, wilson


@pytest.mark.parametrize(
    ("part", "n", "low", "high"),
    [(0.5, 10, 0.2366, 0.7634), (0.0, 10, 0.0, 0.2775), (1.0, 80, 0.9542, 1.0), (0.81, 263, 0.7583, 0.8529)],
)
def test_wilson(part, n, low, high):
    assert wilson(part, n) == pytest.approx((low, high), abs=1e-3)


def test_without_trials_nothing_is_known():
    assert wilson(0.5, 0) == (0, 1)


def errors(recordings, seed=0):
    """Truth, a translation whose error differs from recording to recording, and the recordings' names."""
    rng = np.random.default_rng(seed)
    name = np.arange(recordings).repeat(20)
    truth = -40 + rng.normal(size=(len(name), 40))
    return truth + rng.normal(size=(recordings, 40))[name], truth, name


def test_an_error_s_interval_is_around_it_narrower_for_more_recordings_and_seeded():
    few, many = errors(10), errors(160)
    widths = []
    for translated, truth, name in (few, many):
        low, high = nmse_interval(translated, truth, name, seed=0)
        assert low < nmse(translated, truth) < high
        widths.append(high - low)
    assert 2 < widths[0] / widths[1] < 8  # 4, the root of 16, but for chance
    assert nmse_interval(*few, seed=0) == nmse_interval(*few, seed=0) != nmse_interval(*few, seed=1)


def test_equal_recordings_leave_no_doubt_and_constant_features_are_left_out():
    rng = np.random.default_rng(0)
    truth, error = (np.tile(rng.normal(size=(20, 40)), (6, 1)) for _ in range(2))
    truth[:, 3] = -60
    low, high = nmse_interval(truth + error, truth, np.arange(6).repeat(20), seed=0)
    assert low == pytest.approx(high) == pytest.approx(nmse(truth + error, truth))
