"""The best linear map between two domains: where the generator starts, and the baseline it has to beat."""

import numpy as np
import ot

from cyclegan_lib.errors import InputError

# Added to both covariances, as a part of their mean variance. Equal on both sides, so a direction that is
# constant in both domains is left alone (gain 1), and one that is constant only in the source is amplified
# about 100-fold (for a target of mean variance) instead of without bound. The gain of a direction that has
# the mean variance changes by less than 1 in 10,000.
RIDGE = 1e-4


def gaussian_ot_map(
    source: np.ndarray, target: np.ndarray, ridge: float = RIDGE
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the optimal-transport map between the Gaussians of two unpaired samples [1]_, [2]_.

    Of all maps that give the source the target's mean and covariance, it moves the points least. The samples
    need not be paired nor equally many; POT computes it, in float64.

    Parameters
    ----------
    source, target : float arrays, (n, d) and (m, d)
        At least two samples each, in the same unit.
    ridge : float
        Added to the diagonals of both covariances, as a part of the mean variance of both samples.

    Returns
    -------
    weight : float64 array, (d, d)
        Symmetric and positive definite.
    bias : float64 array, (d,)
        ``translated = x @ weight.T + bias``.

    Raises
    ------
    InputError
        If a sample has fewer than two rows, holds NaN or infinity, or the two differ in their features.

    References
    ----------
    .. [1] M. Knott and C. S. Smith, "On the optimal mapping of distributions", Journal of Optimization
       Theory and Applications 43, 1984.
    .. [2] G. Peyré and M. Cuturi, "Computational Optimal Transport", Foundations and Trends in Machine
       Learning 11, 2019, remark 2.31.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if source.ndim != 2 or target.ndim != 2 or source.shape[1] != target.shape[1]:
        raise InputError(
            f"the source's samples have shape {source.shape} and the target's {target.shape};"
            " both must be (samples, features) with the same features"
        )
    for name, sample in (("source", source), ("target", target)):
        if len(sample) < 2:
            raise InputError(f"the {name} has {len(sample)} sample; at least 2 are needed for a covariance")
        if not np.isfinite(sample).all():
            raise InputError(f"the {name}'s samples hold NaN or infinity; they must be finite numbers")
    variance = (source.var(axis=0).mean() + target.var(axis=0).mean()) / 2
    # two constant samples differ by a shift only: any positive ridge then gives the identity matrix
    reg = ridge * variance if variance > 0 else 1.0
    weight, bias = ot.gaussian.empirical_bures_wasserstein_mapping(source, target, reg=reg)
    # POT multiplies from the right and its matrix is symmetric but for rounding; keep exactly that
    weight = (weight + weight.T) / 2  # (d, d)
    return weight, target.mean(axis=0) - weight @ source.mean(axis=0)
