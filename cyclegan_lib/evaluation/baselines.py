"""What needs no network: every translation is shown beside these. All are fitted, then they transform."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
import ot
from sklearn.preprocessing import QuantileTransformer

from cyclegan_lib.evaluation.distances import as_slices
from cyclegan_lib.features.normalization import CONSTANT_DB

# Added to both covariances, as a part of their mean variance. Equal on both sides, so a direction that is
# constant in both domains is left alone (gain 1), and one that is constant only in the source is amplified
# about 100-fold (for a target of mean variance) instead of without bound. The gain of a direction that has
# the mean variance changes by less than 1 in 10,000.
OT_RIDGE = 1e-4


class Baseline(ABC):
    """A map of slices fitted on unpaired sets; `name` is what tables and figures call it."""

    name: str

    def fit(self, source: np.ndarray, target: np.ndarray) -> Self:
        """Fit on (..., 40) arrays of both domains, unpaired; everything but the last axis is flattened."""
        self._fit(as_slices(source), as_slices(target))
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Translate (..., 40) to the same shape; floats keep their type, the computation is in float64."""
        slices = x.reshape(-1, x.shape[-1]).astype(np.float64)
        dtype = x.dtype if x.dtype.kind == "f" else np.float64
        return self._transform(slices).reshape(x.shape).astype(dtype)

    @abstractmethod
    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        """Fit on (n, 40) and (m, 40) float64 slices."""

    @abstractmethod
    def _transform(self, x: np.ndarray) -> np.ndarray:
        """Translate (n, 40) float64 slices."""


class Identity(Baseline):
    """No translation: what happens today."""

    name = "identity"

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        pass

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return x


class MeanShift(Baseline):
    """An offset for each feature: the target's mean (spectrum correction). In dB it is a filter."""

    name = "mean shift"

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        self._offset = target.mean(axis=0) - source.mean(axis=0)  # (40,)

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return x + self._offset


class Affine(Baseline):
    """Gain and offset for each feature: the target's mean and standard deviation, no correlation."""

    name = "per-feature affine"

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        deviation = source.std(axis=0)
        # a feature that is constant in the source has no gain to be measured: it is shifted only
        constant = deviation < CONSTANT_DB
        self._gain = np.where(constant, 1.0, target.std(axis=0) / np.where(constant, 1.0, deviation))  # (40,)
        self._offset = target.mean(axis=0) - self._gain * source.mean(axis=0)  # (40,)

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return x * self._gain + self._offset


class QuantileMapping(Baseline):
    """Each feature through the source's distribution function and the target's inverse one.

    One-dimensional optimal transport for each feature, of any shape, blind to correlation. It never leaves
    the range that the target was seen in: whatever lies beyond an end of the source goes to that end.
    The distribution functions are kept at so many `quantiles`, or fewer where there are fewer slices.
    """

    name = "quantile mapping"

    def __init__(self, quantiles: int = 1000) -> None:
        self.quantiles = quantiles

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        # subsample=None: with scikit-learn's default 10,000 randomly drawn slices would decide
        self._to_uniform, self._from_uniform = (
            QuantileTransformer(n_quantiles=min(self.quantiles, len(sample)), subsample=None).fit(sample)
            for sample in (source, target)
        )
        # scikit-learn gives a feature that is constant in the source the target's minimum; shift it instead
        self._constant = source.std(axis=0) < CONSTANT_DB  # (40,)
        self._shift = target.mean(axis=0) - source.mean(axis=0)  # (40,)

    def _transform(self, x: np.ndarray) -> np.ndarray:
        mapped = self._from_uniform.inverse_transform(self._to_uniform.transform(x))
        return np.where(self._constant, x + self._shift, mapped)


class Coral(Baseline):
    """Correlation alignment [1]_: whiten with the source's covariance, colour with the target's.

    As in the paper the identity (times `regularization`, there 1, in dB²) is added to both covariances.
    The paper leaves means alone, since its features are standardised beforehand; devices differ in their
    means more than in anything else, so here the mean is aligned too.

    References
    ----------
    .. [1] B. Sun, J. Feng and K. Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016.
    """

    name = "CORAL"

    def __init__(self, regularization: float = 1.0) -> None:
        self.regularization = regularization

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        self._source_mean, self._target_mean = source.mean(axis=0), target.mean(axis=0)
        added = self.regularization * np.eye(source.shape[1])
        whiten = _symmetric_power(np.atleast_2d(np.cov(source, rowvar=False)) + added, -0.5)
        colour = _symmetric_power(np.atleast_2d(np.cov(target, rowvar=False)) + added, 0.5)
        self._matrix = whiten @ colour  # (40, 40), applied from the right as in the paper

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return (x - self._source_mean) @ self._matrix + self._target_mean


class GaussianOT(Baseline):
    """The optimal-transport map between both domains' Gaussians [1]_, [2]_: the best linear map of slices.

    Of all maps that give the source the target's mean and covariance, it moves the points least. POT computes
    it. `ridge` is added to the diagonals of both covariances, as a part of the mean variance of both. Fitted,
    ``x @ weight.T + bias`` is the translation: (40, 40), symmetric and positive definite, and (40,).

    References
    ----------
    .. [1] M. Knott and C. S. Smith, "On the optimal mapping of distributions", Journal of Optimization
       Theory and Applications 43, 1984.
    .. [2] G. Peyré and M. Cuturi, "Computational Optimal Transport", Foundations and Trends in Machine
       Learning 11, 2019, remark 2.31.
    """

    name = "Gaussian OT"

    def __init__(self, ridge: float = OT_RIDGE) -> None:
        self.ridge = ridge

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        variance = (source.var(axis=0).mean() + target.var(axis=0).mean()) / 2
        # two constant samples differ by a shift only: any positive ridge then gives the identity matrix
        reg = self.ridge * variance if variance > 0 else 1.0
        weight, _ = ot.gaussian.empirical_bures_wasserstein_mapping(source, target, reg=reg)
        # POT multiplies from the right and its matrix is symmetric but for rounding; keep exactly that
        self.weight = (weight + weight.T) / 2
        self.bias = target.mean(axis=0) - self.weight @ source.mean(axis=0)

    def _transform(self, x: np.ndarray) -> np.ndarray:
        return x @ self.weight.T + self.bias


# in the order of the tables: each can do something that the one before cannot
BASELINES: dict[str, type[Baseline]] = {
    baseline.name: baseline for baseline in (Identity, MeanShift, Affine, QuantileMapping, Coral, GaussianOT)
}


def _symmetric_power(matrix: np.ndarray, power: float) -> np.ndarray:
    """Return a power of a symmetric positive definite matrix, (d, d)."""
    values, vectors = np.linalg.eigh(matrix)
    # only without regularisation: a direction that does not vary is neither whitened nor coloured
    safe = np.where(values > 1e-10 * values[-1], values, 1.0)
    return (vectors * safe**power) @ vectors.T
