"""The supervised bound: what a network of the same kind learns when it is told the answer, slice by slice."""

import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPRegressor

from cyclegan_lib.benchmark.device_pair import DevicePair, Translation
from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.features import Normalizer

HIDDEN = (128, 128)
BOUND_RIDGE = 1.0  # of the linear map that the network starts from
MAX_EPOCHS = 60
PATIENCE = 10  # epochs without a lower held-out error before it stops
BOUND_FOLDS = 3  # each recording is held out once


def supervised_mlp(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """A linear map plus a multilayer perceptron from a slice of A to the same slice of B, fitted on pairs.

    Nobody has such pairs in use: it is a bound, not a method. How many epochs to train is the mean of
    where the error on held-out *recordings* was lowest, over folds; it is then fitted on all of them. With
    one split of some twenty recordings, and those lost to the fit, a linear map alone would be better. The
    seed decides the folds, the initial weights and the batches.
    """
    a, truth, test = pair.train_a, pair.truth_a, pair.test_a.features
    normalizer = Normalizer.fit(a.features, truth.features, mode="per-domain")
    x = normalizer.normalize(a.features, "A").reshape(-1, N_FEATURES)  # (slices, 40)
    y = normalizer.normalize(truth.features, "B").reshape(-1, N_FEATURES)
    groups = np.repeat(a.recording, a.features.shape[1])
    folds = GroupKFold(BOUND_FOLDS, shuffle=True, random_state=seed).split(x, groups=groups)
    network = MLPRegressor(hidden_layer_sizes=HIDDEN, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        epochs = round(np.mean([_best_epochs(clone(network), x, y, *fold) for fold in folds]))
        linear = Ridge(BOUND_RIDGE).fit(x, y)
        for _ in range(epochs):
            network.partial_fit(x, y - linear.predict(x))
    z = normalizer.normalize(test, "A").reshape(-1, N_FEATURES)
    translated = linear.predict(z)
    if epochs:
        translated = translated + network.predict(z)
    return Translation(normalizer.denormalize(translated.reshape(test.shape), "B"), extras={"epochs": epochs})


def _best_epochs(
    network: MLPRegressor, x: np.ndarray, y: np.ndarray, train: np.ndarray, held_out: np.ndarray
) -> int:
    linear = Ridge(BOUND_RIDGE).fit(x[train], y[train])
    rest, rest_held_out = y[train] - linear.predict(x[train]), y[held_out] - linear.predict(x[held_out])
    errors = [np.mean(rest_held_out**2)]
    while len(errors) <= MAX_EPOCHS and len(errors) - np.argmin(errors) <= PATIENCE:
        network.partial_fit(x[train], rest)  # one pass over the slices
        errors.append(np.mean((network.predict(x[held_out]) - rest_held_out) ** 2))
    return int(np.argmin(errors))
