"""The classifier two-sample test: what it says of equal and of different sets, and what it must not see."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation import two_sample
from cyclegan_lib.evaluation.two_sample import classifier_two_sample_test

TREES, FOLDS = two_sample.TREES, two_sample.C2ST_FOLDS  # before the tests' quick ones take their place


@pytest.fixture(scope="module", autouse=True)
def precise():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_sample, "TREES", TREES)
        patch.setattr(two_sample, "C2ST_FOLDS", FOLDS)
        yield


def recordings(seed, n, prefix, shift=0.0, between=0.0):
    """Return (n, 20, 5) sequences, which differ from each other by `between`, and their names."""
    rng = np.random.default_rng(seed)
    x = shift + between * rng.normal(size=(n, 1, 5)) + rng.normal(size=(n, 20, 5))
    return x, np.array([f"{prefix}{i}" for i in range(n)])


def test_equal_distributions_cannot_be_told_apart():
    values = [
        classifier_two_sample_test(*recordings(seed, 20, "a"), *recordings(seed + 100, 20, "b"), seed)
        for seed in range(4)
    ]
    assert abs(np.mean(values) - 0.5) < 0.05


def test_a_difference_in_correlation_only_is_seen():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 20, 20, 2))
    y[..., 1] = 0.9 * y[..., 0] + np.sqrt(1 - 0.81) * y[..., 1]
    names = np.array([f"r{i}" for i in range(20)])
    assert classifier_two_sample_test(x, names, y, np.char.add("b", names), 0) > 0.6


class TestRecordingsStayTogether:
    def test_slices_of_a_recording_would_give_it_away(self, monkeypatch):
        # equal distributions, but every recording sounds like itself only
        sets = *recordings(0, 12, "a", between=5), *recordings(1, 12, "b", between=5)
        together = classifier_two_sample_test(*sets, 0)

        class Torn(StratifiedKFold):
            def split(self, x, y, groups=None):
                return super().split(x, y)

        monkeypatch.setattr(two_sample, "StratifiedGroupKFold", Torn)
        torn = classifier_two_sample_test(*sets, 0)
        assert together < 0.65
        assert torn > 0.9

    def test_one_name_in_both_sets_is_one_group(self, monkeypatch):
        x, names = recordings(0, 10, "r")
        y = x + 0.01
        seen = []

        class Watched(two_sample.StratifiedGroupKFold):
            def split(self, x, y, groups=None):
                for train, test in super().split(x, y, groups):
                    seen.append((groups[train], groups[test], y[train], y[test]))
                    yield train, test

        monkeypatch.setattr(two_sample, "StratifiedGroupKFold", Watched)
        classifier_two_sample_test(x, names, y, names, 0)
        assert len(seen) == two_sample.C2ST_FOLDS
        for train, test, y_train, y_test in seen:
            assert not np.intersect1d(train, test).size
            assert set(y_train) == set(y_test) == {0, 1}


def test_unequal_sizes_are_balanced():
    # answering "the larger set" would be right for 10 of 11 slices
    x, y = recordings(0, 100, "a"), recordings(1, 10, "b")
    assert classifier_two_sample_test(*x, *y, 0) < 0.6


def test_each_recording_gives_slices():
    groups = np.repeat(["a", "b", "c"], [100, 10, 2])
    kept = groups[two_sample._spread(groups, 14, np.random.default_rng(0))]
    assert {name: int((kept == name).sum()) for name in "abc"} == {"a": 6, "b": 6, "c": 2}
    all_rows = two_sample._spread(groups, 112, np.random.default_rng(0))
    assert sorted(all_rows) == list(range(112))


def test_two_recordings_are_enough_to_tell_far_distributions_apart():
    assert classifier_two_sample_test(*recordings(0, 2, "a"), *recordings(1, 2, "b", shift=4), 0) > 0.9


@pytest.mark.parametrize("number", [4, 7])
def test_one_name_for_each_sequence(number):
    _, names = recordings(0, number, "a")
    with pytest.raises(InputError, match=f"a set has 6 sequences and {number} names of recordings"):
        classifier_two_sample_test(*recordings(1, 6, "b"), recordings(0, 6, "a")[0], names, 0)


def test_seed():
    sets = *recordings(0, 6, "a"), *recordings(1, 6, "b", shift=0.3)
    assert classifier_two_sample_test(*sets, 1) == classifier_two_sample_test(*sets, 1)
    assert len({classifier_two_sample_test(*sets, seed) for seed in range(4)}) > 1
