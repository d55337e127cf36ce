"""The supervised bound: what a network of the same kind learns when it is told the answer, slice by slice."""

import warnings
from pathlib import Path
from typing import Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPRegressor

from cyclegan_lib.benchmark.device_pair import DevicePair, Translation
from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.features import FeatureSet, Normalizer

HIDDEN = (128, 128)
RIDGE = 1.0  # of the linear map that the network starts from
MAX_EPOCHS = 60
PATIENCE = 10  # epochs without a lower held-out error before it stops
FOLDS = 3  # each recording is held out once


def supervised_mlp(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """The row of the benchmark: a network that was shown the truth of A's training recordings."""
    fitted = SupervisedMLP(seed).fit(pair.train_a, pair.truth_a)
    return Translation(fitted.transform(pair.test_a.features), {"epochs": fitted.epochs})


class SupervisedMLP:
    """A linear map plus a multilayer perceptron from a slice of A to the same slice of B, fitted on pairs.

    Nobody has such pairs in use: it is a bound, not a method. How many epochs to train is the mean of
    where the error on held-out *recordings* was lowest, over folds; it is then fitted on all of them. With
    one split of some twenty recordings, and those lost to the fit, a linear map alone would be better. The
    seed decides the folds, the initial weights and the batches.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, a: FeatureSet, truth: FeatureSet) -> Self:
        """Fit on pairs of at least three recordings; `truth` holds the rows of `a` as B heard them."""
        self.normalizer = Normalizer.fit(a.features, truth.features, mode="per-domain")
        x = self.normalizer.normalize(a.features, "A").reshape(-1, N_FEATURES)  # (slices, 40)
        y = self.normalizer.normalize(truth.features, "B").reshape(-1, N_FEATURES)
        groups = np.repeat(a.recording, a.features.shape[1])
        folds = GroupKFold(FOLDS, shuffle=True, random_state=self.seed).split(x, groups=groups)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.epochs = round(np.mean([self._best_epochs(x, y, *fold) for fold in folds]))
            self.linear, self.network = Ridge(RIDGE).fit(x, y), self._network()
            for _ in range(self.epochs):
                self.network.partial_fit(x, y - self.linear.predict(x))
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Translate (..., 40) in dB; float32 of the same shape."""
        z = self.normalizer.normalize(x, "A").reshape(-1, N_FEATURES)
        translated = self.linear.predict(z)
        if self.epochs:
            translated = translated + self.network.predict(z)
        return self.normalizer.denormalize(translated.reshape(x.shape), "B")

    def _best_epochs(self, x: np.ndarray, y: np.ndarray, train: np.ndarray, held_out: np.ndarray) -> int:
        linear, network = Ridge(RIDGE).fit(x[train], y[train]), self._network()
        rest, rest_held_out = y[train] - linear.predict(x[train]), y[held_out] - linear.predict(x[held_out])
        errors = [np.mean(rest_held_out**2)]
        while len(errors) <= MAX_EPOCHS and len(errors) - np.argmin(errors) <= PATIENCE:
            network.partial_fit(x[train], rest)  # one pass over the slices
            errors.append(np.mean((network.predict(x[held_out]) - rest_held_out) ** 2))
        return int(np.argmin(errors))

    def _network(self) -> MLPRegressor:
        return MLPRegressor(hidden_layer_sizes=HIDDEN, random_state=self.seed)
