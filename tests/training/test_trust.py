"""What of a map to believe: where a filter is enough, and where a recording's level cannot be known."""

import numpy as np
import pytest

from cyclegan_lib.training import trust
from cyclegan_lib.training.matching import Described
from cyclegan_lib.training.trust import HeldOutMatches, Trust, beyond_filter

HALVINGS = trust.HALVINGS  # before the tests' quick ones take their place
N = 24
FILTER = np.random.default_rng(5).normal(0, 1.5, 40)
SPECTRA = np.random.default_rng(7).normal(size=(8, 40))


@pytest.fixture(scope="module", autouse=True)
def precise():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trust, "HALVINGS", HALVINGS)
        yield


def machines(seed, level=0.6):
    """Return N recordings of ten slices: blends of eight spectra, each at a level of its own."""
    rng = np.random.default_rng(seed)
    means = 2 * rng.dirichlet(np.full(8, 0.3), size=N) @ SPECTRA + rng.normal(0, level, size=(N, 1))
    return means[:, None] + 0.3 * rng.normal(size=(N, 10, 40))


def described(x):
    return Described.describe(x, np.arange(len(x)))


def masked(x):
    """What a device hears whose noise covers the quiet in the upper bands."""
    return np.where(np.arange(40) < 15, x, np.logaddexp(2 * x, 1.0) / 2)


@pytest.mark.parametrize("seed", range(3))
def test_noise_that_covers_the_quiet_is_more_than_a_filter(seed):
    a, b = machines(seed), machines(seed + 10)
    of_filter = beyond_filter(described(a + FILTER), described(b))
    of_noise = beyond_filter(described(masked(a)), described(b))
    assert 0 <= of_filter < 0.45 < of_noise < 1
    assert beyond_filter(described(a), described(a)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_level_that_the_device_makes_up_is_left_as_it_is(seed):
    """With a gain control of its own the level of a recording says nothing of the other device's."""
    rng = np.random.default_rng(seed)
    a, b = machines(seed), machines(seed + 10)
    unknown = a + rng.normal(0, 1.0, size=(N, 1, 1))
    told = HeldOutMatches.of(described(3 * a), described(b), np.random.default_rng(0), 0.5)
    made_up = HeldOutMatches.of(described(unknown), described(b), np.random.default_rng(0), 0.5)
    assert told.level > 0.8
    assert told.gained(told.level, 1.0)[1] > 0  # beyond doubt
    assert made_up.gained(made_up.level, 1.0)[0] <= told.gained(told.level, 1.0)[0]


def test_only_parts_of_the_change_beyond_a_shift_are_applied():
    rng = np.random.default_rng(0)
    a, b = described(machines(0)), described(machines(1) + FILTER)
    linear = np.eye(40) + rng.normal(size=(40, 40)) / 20, rng.normal(size=40)
    shift = b.mean.mean(axis=0) - a.mean.mean(axis=0)

    def changed(trust, level):
        weight, bias = trust.applied(linear, a, b, level)
        change = a.mean @ weight.T + bias - a.mean - shift
        return change.mean(axis=1), change - change.mean(axis=1, keepdims=True)

    level, shape = changed(Trust(), 1.0)
    part_of_level, part_of_shape = changed(Trust(shape=0.5), 0.25)
    np.testing.assert_allclose(part_of_level, 0.25 * level, atol=1e-9)
    np.testing.assert_allclose(part_of_shape, 0.5 * shape, atol=1e-9)


def test_it_is_deterministic():
    a, b = described(machines(0)), described(masked(machines(1)))
    first, again = (Trust.of(a, b, np.random.default_rng(3)) for _ in range(2))
    assert first == again
