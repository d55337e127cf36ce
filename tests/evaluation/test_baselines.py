"""What each baseline is by definition, on data where the answer is known."""

import numpy as np
import pytest
import scipy.linalg
from scipy.stats import wasserstein_distance

from cyclegan_lib.evaluation.baselines import BASELINES, Affine, Coral, GaussianOT, Identity, QuantileMapping


@pytest.fixture
def domains():
    """Two correlated 4-dimensional domains, skewed, in other places and of other sizes."""
    rng = np.random.default_rng(0)
    a = rng.gamma(2.0, size=(6, 50, 4)) @ rng.normal(size=(4, 4)) * 5 - 40
    b = rng.gamma(3.0, size=(8, 50, 4)) @ rng.normal(size=(4, 4)) * 4 - 60
    return a, b


def moments(x, ddof=1):
    x = x.reshape(-1, x.shape[-1])
    return x.mean(axis=0), np.cov(x, rowvar=False, ddof=ddof)


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES.keys())
class TestAll:
    def test_shape_and_type_are_kept_and_nothing_given_is_written_to(self, baseline, domains):
        before = domains[0].copy()
        fitted = baseline().fit(*domains)
        for x in (domains[0], domains[0][0], domains[0][0, 0]):
            single = fitted.transform(x.astype(np.float32))
            assert single.shape == x.shape and single.dtype == np.float32
            assert fitted.transform(x).dtype == np.float64
        whole = np.round(domains[0]).astype(int)
        assert np.array_equal(fitted.transform(whole), fitted.transform(whole.astype(float)))
        assert fitted.transform(domains[0])[2, 3] == pytest.approx(fitted.transform(domains[0][2, 3]))
        assert np.array_equal(before, domains[0])

    def test_a_domain_onto_itself_is_left_alone(self, baseline, domains):
        a = domains[0]
        assert baseline().fit(a, a).transform(a) == pytest.approx(a, abs=1e-6)

    def test_constant_features_give_finite_numbers(self, baseline, domains):
        a, b = (x.copy() for x in domains)
        a[..., 1] = -70  # constant in the source
        b[..., 2] = -80  # constant in the target
        a[..., 3] = b[..., 3] = -90  # constant in both
        moved = baseline().fit(a, b).transform(a)
        assert np.isfinite(moved).all()
        if baseline is not Identity:
            assert moved[..., 1].mean() == pytest.approx(b[..., 1].mean(), abs=0.2 * b[..., 1].std())
            assert moved[..., 3] == pytest.approx(np.full((6, 50), -90.0), abs=0.01)


def test_affine_gives_mean_and_deviation_but_no_correlation(domains):
    a, b = domains
    (mean, covariance), (wanted_mean, wanted) = moments(Affine().fit(a, b).transform(a), 0), moments(b, 0)
    assert mean == pytest.approx(wanted_mean)
    assert np.diag(covariance) == pytest.approx(np.diag(wanted))
    assert not np.allclose(covariance, wanted, rtol=0.2)


class TestQuantileMapping:
    def test_marginals_become_equal(self, domains):
        a, b = (x.reshape(-1, 4) for x in domains)
        moved = QuantileMapping().fit(a, b).transform(a)
        for feature in range(4):
            before = wasserstein_distance(a[:, feature], b[:, feature])
            assert wasserstein_distance(moved[:, feature], b[:, feature]) < 0.02 * before

    def test_follows_a_curve_that_affine_cannot(self):
        a = np.random.default_rng(0).normal(size=(2000, 1))
        truth = np.exp(a)
        curve, line = (baseline().fit(a, truth).transform(a) for baseline in (QuantileMapping, Affine))
        assert np.abs(curve - truth).max() < 0.05 * truth.std()
        assert np.abs(line - truth).max() > truth.std()

    def test_every_slice_counts(self):
        # scikit-learn would draw 10,000 of them at random
        a = np.arange(30_000.0)[:, None]
        moved = QuantileMapping(quantiles=30_000).fit(a, 2 * a).transform(a)
        assert moved == pytest.approx(2 * a, abs=1e-3)


class TestCoral:
    def test_covariances_are_equal_without_regularisation(self, domains):
        a, b = domains
        mean, covariance = moments(Coral(regularization=0).fit(a, b).transform(a))
        assert mean == pytest.approx(moments(b)[0])
        assert covariance == pytest.approx(moments(b)[1], rel=1e-6, abs=1e-6)

    def test_the_papers_formula(self, domains):
        a, b = domains
        (mean_a, cov_a), (mean_b, cov_b) = moments(a), moments(b)
        whiten = scipy.linalg.fractional_matrix_power(cov_a + np.eye(4), -0.5)
        colour = scipy.linalg.fractional_matrix_power(cov_b + np.eye(4), 0.5)
        assert Coral().fit(a, b).transform(a) == pytest.approx((a - mean_a) @ whiten @ colour + mean_b)


class TestGaussianOT:
    def test_commuting_covariances(self):
        rng = np.random.default_rng(0)
        rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        points = rng.normal(size=(4000, 3))
        points -= points.mean(axis=0)
        points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points, rowvar=False, ddof=0))).T
        source = points * [1.0, 2.0, 3.0] @ rotation.T + [1.0, 2.0, 3.0]
        target = points[::-1] * [2.0, 2.0, 0.5] @ rotation.T - 7
        fitted = GaussianOT(ridge=1e-9).fit(source, target)
        expected = rotation @ np.diag([2.0, 1.0, 0.5 / 3]) @ rotation.T
        assert fitted.weight == pytest.approx(expected, abs=1e-6)
        assert fitted.bias == pytest.approx(-7 - expected @ [1.0, 2.0, 3.0], abs=1e-6)

    @pytest.mark.parametrize(("baseline", "within"), [(GaussianOT(ridge=1e-9), 1e-6), (GaussianOT(), 1e-3)])
    def test_gives_the_targets_mean_and_covariance(self, domains, baseline, within):
        a, b = domains
        (mean, covariance), (wanted_mean, wanted) = moments(baseline.fit(a, b).transform(a), 0), moments(b, 0)
        assert mean == pytest.approx(wanted_mean)
        assert np.abs(covariance - wanted).max() < within * np.trace(wanted)

    def test_is_the_optimal_one(self, domains):
        # symmetric positive definite is what tells it from all other maps with these moments, as CORAL's
        a, b = domains
        optimal, coral = GaussianOT().fit(a, b), Coral().fit(a, b)
        assert np.array_equal(optimal.weight, optimal.weight.T)
        assert np.linalg.eigvalsh(optimal.weight).min() > 0
        cost, more = (np.mean((fitted.transform(a) - a) ** 2) for fitted in (optimal, coral))
        assert cost < more

    def test_a_silent_direction_is_not_blown_up(self):
        rng = np.random.default_rng(0)
        source, target = rng.normal(size=(2, 500, 3))
        source[:, 0] = 5.0
        assert np.linalg.norm(GaussianOT().fit(source, target).weight, 2) <= 150

    def test_constant_samples_are_shifted(self):
        fitted = GaussianOT().fit(np.zeros((5, 3)), np.full((5, 3), 2.0))
        assert fitted.weight == pytest.approx(np.eye(3))
        assert fitted.bias == pytest.approx(np.full(3, 2.0))
