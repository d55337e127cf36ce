"""Each distance against a closed form or an implementation written another way."""

from functools import partial

import numpy as np
import pytest
import scipy.linalg

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation import distances
from cyclegan_lib.evaluation.distances import (
    frechet_distance,
    median_distance,
    mmd2,
    nmse,
    sliced_wasserstein,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def with_moments(rng, n, mean, covariance):
    """Return n points whose *sample* mean and covariance are exactly these."""
    x = rng.normal(size=(n, len(mean)))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return x @ np.linalg.cholesky(covariance).T + mean


def random_covariance(rng, d):
    a = rng.normal(size=(d, d))
    return a @ a.T + 0.1 * np.eye(d)


class TestMmd2:
    def test_double_loop(self, rng):
        x, y = rng.normal(size=(7, 3)), rng.normal(1, 2, size=(9, 3))
        pairs = [np.linalg.norm(y[i] - y[j]) for i in range(9) for j in range(i)]
        bandwidth = np.median(pairs)

        def kernel(a, b):
            squared = sum((a - b) ** 2)
            scales = [0.5, 0.5 * np.sqrt(2), 1, np.sqrt(2), 2]
            return sum(np.exp(-squared / (2 * (m * bandwidth) ** 2)) for m in scales) / 5

        within_x = sum(kernel(x[i], x[j]) for i in range(7) for j in range(7) if i != j) / (7 * 6)
        within_y = sum(kernel(y[i], y[j]) for i in range(9) for j in range(9) if i != j) / (9 * 8)
        across = sum(kernel(a, b) for a in x for b in y) / (7 * 9)
        expected = within_x + within_y - 2 * across
        assert mmd2(x, y, median_distance(y)) == pytest.approx(expected, abs=1e-12)

    def test_unbiased(self, rng):
        values = [mmd2(rng.normal(size=(20, 4)), rng.normal(size=(20, 4)), bandwidth=2.0) for _ in range(400)]
        error = np.std(values) / np.sqrt(len(values))
        # the biased estimate, with the diagonals, has mean +0.06 here
        assert abs(np.mean(values)) < 4 * error < 0.005
        assert min(values) < 0

    def test_many_slices_are_subsampled_by_the_seed(self, rng, monkeypatch):
        x, y = rng.normal(size=(5000, 4)), rng.normal(0.5, size=(5000, 4))
        sizes = []
        inner = distances._kernel_sum
        monkeypatch.setattr(
            distances, "_kernel_sum", lambda a, b, s: sizes.append((len(a), len(b))) or inner(a, b, s)
        )
        first, again, other = (mmd2(x, y, 3.0, seed, max_points=500) for seed in (1, 1, 2))
        assert set(sizes) == {(500, 500)}
        assert first == again != other
        assert first == pytest.approx(other, rel=0.5)

    def test_paired_sets_do_not_lose_the_same_rows(self, rng):
        # with equal rows kept, cross terms would hold n ones and pull the estimate below 0
        x = rng.normal(size=(4000, 4))
        values = [mmd2(x, x, bandwidth=1.0, seed=s, max_points=100) for s in range(60)]
        assert abs(np.mean(values)) < 0.002

    def test_level_does_not_matter(self, rng):
        x, y = rng.normal(size=(50, 4)), rng.normal(0.5, size=(50, 4))
        assert mmd2(x + 1e6, y + 1e6, 3.0) == pytest.approx(mmd2(x, y, 3.0), rel=1e-6)

    @pytest.mark.parametrize(("features", "bandwidth"), [(1, 2.0), (3, 2.0), (4, 0.0), (4, np.nan)])
    def test_other_features_or_no_bandwidth_are_refused(self, features, bandwidth, rng):
        with pytest.raises(InputError, match=f"sets of {features} and 4 features a slice cannot be compared"):
            mmd2(rng.normal(size=(9, features)), rng.normal(size=(9, 4)), bandwidth)

    def test_constant_target_has_a_bandwidth(self):
        assert median_distance(np.zeros((10, 3))) == 1.0


class TestFrechet:
    def test_non_commuting_covariances(self, rng):
        a, b = random_covariance(rng, 5), random_covariance(rng, 5)
        assert not np.allclose(a @ b, b @ a)
        mean = np.arange(5.0)
        expected = mean @ mean + np.trace(a + b - 2 * scipy.linalg.sqrtm(a @ b).real)
        x, y = with_moments(rng, 50, mean, a), with_moments(rng, 60, np.zeros(5), b)
        assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)

    def test_singular_covariance(self):
        line, other = np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([[1.0, -1.0], [-1.0, 1.0]])
        # variances 2 all, but orthogonal supports: the product is 0, the distance the sum of the traces
        assert frechet_distance(line, other) == pytest.approx(8)

    def test_equal_sets_are_at_zero(self, rng):
        x = rng.normal(size=(100, 40))
        assert 0 <= frechet_distance(x, x) < 1e-9

    def test_one_feature(self):
        # means 1 and 5, variances 2 and 8: 16 + (√2 − √8)²
        x, y = np.array([[0.0], [2.0]]), np.array([[3.0], [7.0]])
        assert frechet_distance(x, y) == pytest.approx(16 + 2)


class TestSlicedWasserstein:
    def test_numpy_with_the_same_directions(self, rng):
        x, y = rng.normal(size=(200, 6)), rng.gamma(2.0, size=(200, 6))
        directions = np.random.RandomState(3).randn(6, 200)
        directions /= np.linalg.norm(directions, axis=0)
        gaps = np.sort(x @ directions, axis=0) - np.sort(y @ directions, axis=0)
        assert sliced_wasserstein(x, y, seed=3) == pytest.approx(np.sqrt(np.mean(gaps**2)), rel=1e-9)

    def test_one_dimension_of_unequal_sizes(self):
        # quantile functions 0 and (0 on one half, 1 on the other): W2² = ½
        assert sliced_wasserstein(np.zeros((3, 1)), np.array([[0.0], [1.0]])) == pytest.approx(np.sqrt(0.5))


class TestNmse:
    def test_the_mean_is_one(self, rng):
        truth = rng.normal(3, [1, 10, 0.1, 5], size=(10, 50, 4))
        assert nmse(np.broadcast_to(truth.mean(axis=(0, 1)), truth.shape), truth) == pytest.approx(1)

    def test_mean_over_features_of_relative_errors(self):
        truth = np.array([[-1.0, -10.0], [1.0, 10.0]])  # variances 1 and 100
        translated = truth + [[1.0, 10.0], [1.0, 0.0]]  # squared errors 1 and 50
        assert nmse(translated, truth) == pytest.approx((1 / 1 + 50 / 100) / 2)

    def test_constant_features_are_left_out(self, rng):
        truth = rng.normal(size=(100, 3))
        truth[:, 1] = -70
        wrong = truth.copy()
        wrong[:, 1] += 5
        assert nmse(wrong, truth) == 0

    @pytest.mark.parametrize(("rows", "says"), [(5, "constant"), (6, "same sequences")])
    def test_a_truth_that_is_constant_or_of_other_shape_is_refused(self, rows, says):
        with pytest.raises(InputError, match=says):
            nmse(np.ones((5, 3)), np.ones((rows, 3)))


@pytest.mark.parametrize("distance", [partial(mmd2, bandwidth=2.0), frechet_distance, sliced_wasserstein])
class TestInputs:
    def test_sequences_are_flattened_to_slices(self, distance, rng):
        x, y = rng.normal(size=(3, 10, 4)), rng.normal(1, size=(5, 10, 4))
        assert distance(x, y) == distance(x.reshape(30, 4), y.reshape(50, 4))

    @pytest.mark.parametrize(("x", "says"), [([[np.nan] * 3] * 5, "NaN"), ([[1.0] * 3], "at least 2")])
    def test_unusable(self, distance, x, says, rng):
        with pytest.raises(InputError, match=says):
            distance(np.array(x), rng.normal(size=(5, 3)))
