"""Sets of two devices in which a fault can be heard."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.features import FeatureSet


def heard(device: str, n: int, seed: int, shift: float = 0.0) -> FeatureSet:
    """`n` recordings, of which every other one has a tone of 25 dB in some bands."""
    sound = make_set(device, n, seed, shift)
    worn = np.arange(n) % 2 == 1
    features = sound.features + 25 * worn[:, None, None] * (np.arange(40) // 8 == 2)
    names = np.where(worn, "worn", "good")
    return replace(sound, features=features.astype(np.float32), label=names)


@pytest.fixture(scope="session")
def train_target() -> FeatureSet:
    return heard("BATCH_UPLOAD", 30, seed=12)


@pytest.fixture(scope="session")
def target() -> FeatureSet:
    return heard("BATCH_UPLOAD", 40, seed=13)


@pytest.fixture(scope="session")
def source() -> FeatureSet:
    return heard("cpc006", 40, seed=14, shift=40)
