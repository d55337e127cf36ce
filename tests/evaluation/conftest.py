"""Two tiny devices hearing the same machines, so that what a table must say is known."""

import numpy as np
import pytest

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation import evaluate
from cyclegan_lib.features import FeatureSet

SETTINGS = FeatureSettings(slices=10)
MIX = np.random.default_rng(9).normal(size=(40, 40)) / 8 + np.eye(40)
COLOUR = np.linspace(-6, 6, 40)


def to_edge(x):
    """Return what the source device makes of the target's features: known, linear, invertible."""
    return 0.7 * x @ MIX - 10 + COLOUR


def from_edge(x):
    """The perfect translation: the inverse of `to_edge`."""
    return (x + 10 - COLOUR) / 0.7 @ np.linalg.inv(MIX)


def machines(n, prefix, seed):
    """Return n recordings of two sequences each, as the target device hears them, with fault labels."""
    rng = np.random.default_rng(seed)
    worn = rng.permutation(np.arange(n) % 2).repeat(2)
    x = -40 + 2 * rng.normal(size=(n, 1, 40)).repeat(2, axis=0) + 3 * rng.normal(size=(2 * n, 10, 40))
    x += worn[:, None, None] * np.where(np.arange(40) % 2, 4.0, -4.0)
    return FeatureSet(
        features=x.astype(np.float32),
        recording=np.array([f"{prefix}{i:02d}" for i in range(n)]).repeat(2),
        start_s=np.tile([0.0, 2.0], n),
        device="BATCH_UPLOAD",
        settings=SETTINGS,
        label=np.where(worn, "worn", "good"),
    )


@pytest.fixture(scope="session")
def target():
    return machines(16, "test", seed=0)


@pytest.fixture(scope="session")
def source(target):
    return target.with_features(to_edge(target.features), "cpc006")


@pytest.fixture(scope="session")
def perfect(source):
    return source.with_features(from_edge(source.features), "BATCH_UPLOAD")


@pytest.fixture(scope="session")
def train_target():
    return machines(40, "b", seed=1)


@pytest.fixture(scope="session")
def train_source():
    heard = machines(40, "a", seed=2)
    return heard.with_features(to_edge(heard.features), "cpc006")


@pytest.fixture(scope="session")
def sets(source, perfect, target, train_source, train_target):
    """All that `evaluate` takes, and the perfect translation."""
    fitted_on = {"labelled": train_target, "fit_source": train_source, "fit_target": train_target}
    return {"source": source, "translated": perfect, "target": target, "paired": target, **fitted_on}


@pytest.fixture(scope="module")
def full(sets):
    return evaluate(**sets)


@pytest.fixture(scope="module")
def bare(source, target):
    """Without any optional set, and a translation that does nothing."""
    return evaluate(source, source.with_features(source.features, target.device), target)
