"""B's labelled recordings as A might hear them: what copies there are, and what they keep."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.faults import augmentation
from cyclegan_lib.faults.augmentation import FILTER_DB, FILTERS, MOST_COPIES, MOST_SEQUENCES, augmented


@pytest.fixture
def labelled():
    return make_set("B", n=12, seed=1)


def test_copies_are_three_translations_with_filters_of_their_own(labelled):
    translated = replace(labelled, features=2 * labelled.features + np.float32(3), device="A")
    found = augmented(labelled, translated, seed=5)
    n = len(labelled)
    assert len(found) == 3 * MOST_COPIES * n and found.device == "A"
    np.testing.assert_array_equal(found.label, np.tile(labelled.label, 3 * MOST_COPIES))
    np.testing.assert_array_equal(found.recording, np.tile(labelled.recording, 3 * MOST_COPIES))
    copies = found.features.reshape(3, MOST_COPIES, *labelled.features.shape)
    mean = labelled.features.reshape(-1, 40).mean(axis=0)
    plain = (translated.features, labelled.features + mean + 3, translated.features)  # an affine map of bands
    filters = copies - np.stack(plain)[:, None]  # the same at all slices of a sequence
    np.testing.assert_allclose(filters, np.broadcast_to(filters[..., :1, :], filters.shape), atol=1e-3)
    weights = np.linalg.lstsq(FILTERS.T, filters[..., 0, :].reshape(-1, 40).T, rcond=None)[0]
    np.testing.assert_allclose(weights.T @ FILTERS, filters[..., 0, :].reshape(-1, 40), atol=1e-2)
    assert weights.std() == pytest.approx(FILTER_DB, rel=0.15)
    assert len(np.unique(np.round(weights[0], 4))) == 3 * MOST_COPIES * n
    again = augmented(labelled, translated, seed=5)
    np.testing.assert_array_equal(found.features, again.features)


def test_many_sequences_are_copied_less_and_padding_is_not_looked_at(labelled, monkeypatch):
    monkeypatch.setattr(augmentation, "MOST_SEQUENCES", 6 * len(labelled))
    assert len(augmented(labelled, labelled)) == 6 * len(labelled) < MOST_SEQUENCES
    padded = np.pad(labelled.features, ((0, 0), (0, 30), (0, 0)))
    longer = replace(labelled, features=padded, slices=labelled.lengths)
    whole, cut = augmented(labelled, labelled, seed=1), augmented(longer, longer, seed=1)
    np.testing.assert_allclose(cut.features[:, : labelled.features.shape[1]], whole.features, atol=1e-4)
