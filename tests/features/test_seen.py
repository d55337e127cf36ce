"""What training recordings were like, and whether others are like them."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.features.seen import Seen

TRAINING = make_set("cpc006", n=60, seed=1)


def test_levels_and_shapes_are_told_apart():
    seen, others = Seen.of(TRAINING), make_set("cpc006", n=60, seed=2).mean_spectra()
    usual = seen.novelties(others)
    assert np.median(usual) == pytest.approx(1, abs=0.3) and (usual <= seen.novelty).mean() > 0.9
    louder = seen.novelties(others + 30)
    np.testing.assert_allclose(louder, np.abs(others.mean(axis=1) + 30 - seen.level) / seen.level_std)
    shapes = seen.distances(others)[1]
    np.testing.assert_allclose(seen.distances(others + 30)[1], shapes)
    tilted = others + np.linspace(-15, 15, 40)
    assert seen.novelties(tilted).min() > 2 * seen.novelty
    assert (seen.log_likelihoods(seen.distances(tilted)[1]) < seen.log_likelihoods(shapes)).all()


def test_padding_is_not_seen():
    slices = np.where(np.arange(60) % 2, 50, 20)
    padded = replace(TRAINING, features=TRAINING.features.copy(), slices=slices)
    padded.features[np.arange(50) >= slices[:, None]] = 0
    expected = [x[:length].mean(axis=0) for x, length in zip(TRAINING.features, slices, strict=True)]
    np.testing.assert_allclose(padded.mean_spectra(), expected, atol=1e-4)


def test_recordings_that_are_all_the_same_do_not_make_all_others_new():
    same = replace(TRAINING, features=np.repeat(TRAINING.features[:1], 60, axis=0))
    seen = Seen.of(same)
    assert seen.level_std == min(seen.shape_std) == 0.5  # dB
    assert seen.novelty > 0 and (seen.novelties(same.mean_spectra()) <= seen.novelty).all()
