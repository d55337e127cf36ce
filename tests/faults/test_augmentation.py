"""B's labelled recordings as A might hear them: what copies there are, and what they keep."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.faults import augmentation
from cyclegan_lib.faults.augmentation import (
    FILTER_DB,
    LOG_GAIN,
    MOST_COPIES,
    MOST_SEQUENCES,
    POLYNOMIALS,
    augmented,
)


@pytest.fixture
def labelled():
    return make_set("B", n=12, seed=1)


def test_copies_are_four_translations_with_filters_and_gains_of_their_own(labelled):
    rng = np.random.default_rng(0)
    mixing = np.eye(40) + 0.3 * rng.normal(size=(40, 40)) / 40**0.5
    mixing = mixing @ mixing.T  # the map of optimal transport between Gaussians is symmetric and positive
    moved = (labelled.features @ mixing + 3).astype(np.float32)
    found = augmented(labelled, replace(labelled, features=moved, device="A"), seed=5)
    n, times = len(labelled), 4 * MOST_COPIES
    assert len(found) == times * n and found.device == "A"
    np.testing.assert_array_equal(found.label, np.tile(labelled.label, times))
    np.testing.assert_array_equal(found.recording, np.tile(labelled.recording, times))
    copies = found.features.reshape(4, MOST_COPIES, *labelled.features.shape)
    before, after = labelled.features.reshape(-1, 40), moved.reshape(-1, 40)
    deviations = labelled.features - before.mean(axis=0)
    simple = (
        deviations * change + after.mean(axis=0) for change in (1, after.std(axis=0) / before.std(axis=0))
    )
    plain = np.stack([moved, *simple, moved])[:, None]  # the last map is the translation itself
    # each sequence's mean spectrum has a filter, and what it varies by a gain, the same at all its slices
    means = [x.mean(axis=-2) for x in (copies, plain)]
    filters = coefficients(means[0] - means[1], atol=2e-2)
    gains = np.log(copies.std(axis=-2) / plain.std(axis=-2))
    assert filters.std() == pytest.approx(FILTER_DB, rel=0.15)
    assert coefficients(gains, atol=1e-2).std() == pytest.approx(LOG_GAIN, rel=0.15)
    np.testing.assert_allclose(
        copies - means[0][..., None, :],
        np.exp(gains)[..., None, :] * (plain - means[1][..., None, :]),
        atol=2e-2,
    )
    assert len(np.unique(np.round(filters[0], 4))) == times * n
    again = augmented(labelled, replace(labelled, features=moved, device="A"), seed=5)
    np.testing.assert_array_equal(found.features, again.features)


def coefficients(curves: np.ndarray, atol: float) -> np.ndarray:
    """Of polynomials over the bands that the curves (..., 40) are, (4, n)."""
    curves = curves.reshape(-1, 40)
    weights = np.linalg.lstsq(POLYNOMIALS.T, curves.T, rcond=None)[0]
    np.testing.assert_allclose(weights.T @ POLYNOMIALS, curves, atol=atol)
    return weights


def test_many_sequences_are_copied_less_and_padding_is_not_looked_at(labelled, monkeypatch):
    monkeypatch.setattr(augmentation, "MOST_SEQUENCES", 8 * len(labelled))
    assert len(augmented(labelled, labelled)) == 8 * len(labelled) < MOST_SEQUENCES
    padded = np.pad(labelled.features, ((0, 0), (0, 30), (0, 0)))
    longer = replace(labelled, features=padded, slices=labelled.lengths)
    whole, cut = augmented(labelled, labelled, seed=1), augmented(longer, longer, seed=1)
    np.testing.assert_allclose(cut.features[:, : labelled.features.shape[1]], whole.features, atol=1e-4)
