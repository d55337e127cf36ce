"""Class shares without labels."""

import numpy as np
import pytest

from cyclegan_lib.faults.shares import estimated_shares


def test_the_shares_of_the_other_place_are_found():
    """Two normal classes one deviation apart, where the probabilities are exactly known."""
    rng, prior, shares = np.random.default_rng(0), np.array([0.5, 0.5]), np.array([0.9, 0.1])
    x = rng.normal(size=20_000) + 2 * (rng.random(20_000) < shares[1])
    likelihood = np.exp(-np.square(x[:, None] - [0, 2]) / 2)
    probabilities = likelihood * prior / (likelihood * prior).sum(axis=1, keepdims=True)
    assert estimated_shares(probabilities, prior) == pytest.approx(shares, abs=0.01)
    assert abs(probabilities.mean(axis=0)[1] - shares[1]) > 0.05  # what the mean of the outputs would say


def test_zeros_are_no_numbers_lost():
    certain, prior = np.eye(3)[[0, 0, 1, 1] * 5], np.array([0.2, 0.3, 0.5])  # as many as are added
    assert estimated_shares(certain, prior) == pytest.approx([0.35, 0.4, 0.25])
    assert estimated_shares(np.eye(3), np.array([0.5, 0.5, 0])) == pytest.approx([0.5, 0.5, 0])
    prior = np.array([0.25, 0.75])
    assert estimated_shares(np.zeros((0, 2)), prior) == pytest.approx(prior)
