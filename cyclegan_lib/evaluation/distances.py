"""How far slices are from others: without pairs (MMD², Fréchet, sliced Wasserstein) and with (NMSE)."""

import numpy as np
import ot
import scipy.linalg
import scipy.spatial
from sklearn.metrics.pairwise import euclidean_distances

from cyclegan_lib.errors import InputError
from cyclegan_lib.features.normalization import CONSTANT_DB

# Wider kernels see a difference in level, narrower ones a difference in shape. Each is √2 times the last,
# so that the kernel of one bandwidth is the square of the next and only one exponential is computed.
BANDWIDTHS = (0.5, 0.5 * 2**0.5, 1.0, 2**0.5, 2.0)
# 2,000 points make three matrices of 32 MB
MAX_POINTS = 2000


def as_slices(x: np.ndarray) -> np.ndarray:
    """Return `x`, (..., features), as float64 (slices, features).

    Raises InputError if there are fewer than two slices, or NaN or infinity in one.
    """
    x = np.asarray(x, dtype=np.float64)
    x = x.reshape(-1, x.shape[-1])
    if len(x) < 2:
        raise InputError(f"there is {len(x)} slice; a distance needs at least 2")
    if not np.isfinite(x).all():
        raise InputError("the slices hold NaN or infinity; they must be finite numbers")
    return x


def median_distance(y: np.ndarray, seed: int = 0) -> float:
    """Return the median Euclidean distance between two slices of `y`, (n, d): the kernels' bandwidth.

    1 where more than half of the slices are equal, because a bandwidth has to be above 0.
    """
    y = _subsample(as_slices(y), MAX_POINTS, np.random.default_rng(seed))
    median = float(np.median(scipy.spatial.distance.pdist(y)))
    return median if median > 0 else 1.0


def mmd2(
    x: np.ndarray, y: np.ndarray, bandwidth: float, seed: int = 0, max_points: int = MAX_POINTS
) -> float:
    """Compute the unbiased squared maximum mean discrepancy, equation 3 of [1]_.

    The kernel is the mean of five Gaussian kernels exp(−d² / (2 (m·bandwidth)²)), with m from 0.5 to 2.
    The expectation is 0 for equal distributions, so a value may fall below 0; at most it nears 2.

    The sets are (n, d) and (m, d), or with more leading axes, which are flattened. The bandwidth, above 0, is
    in the unit of the features: `median_distance` of the target, the same for all that is compared with it.
    Of more than `max_points` slices so many are drawn by `seed`, without replacement, to bound the memory.
    Raises InputError if a set has fewer than two slices, or NaN, the two have other features, or the
    bandwidth is not above 0.

    References
    ----------
    .. [1] A. Gretton et al., "A Kernel Two-Sample Test", Journal of Machine Learning Research 13, 2012.
    """
    x, y = as_slices(x), as_slices(y)
    if x.shape[1] != y.shape[1] or not bandwidth > 0:
        raise InputError(
            f"sets of {x.shape[1]} and {y.shape[1]} features a slice cannot be compared with a kernel of"
            f" bandwidth {bandwidth:g}; give sets of the same features, and a bandwidth above 0"
        )
    rng = np.random.default_rng(seed)
    # one generator, so that x and y of equal length do not lose the same rows
    y, x = _subsample(y, max_points, rng), _subsample(x, max_points, rng)
    n, m = len(x), len(y)
    # k(x, x) = 1: subtracting the diagonal makes the estimate unbiased
    within_x = (_kernel_sum(x, x, bandwidth) - n) / (n * (n - 1))
    within_y = (_kernel_sum(y, y, bandwidth) - m) / (m * (m - 1))
    return float(within_x + within_y - 2 * _kernel_sum(x, y, bandwidth) / (n * m))


def _kernel_sum(x: np.ndarray, y: np.ndarray, bandwidth: float) -> float:
    """Sum the mean kernel over all pairs, (n, d) and (m, d)."""
    centre = y.mean(axis=0)  # near the origin, |x|² + |y|² − 2xy loses no digits
    same, y = x is y, y - centre
    x = y if same else x - centre  # the same object: scikit-learn then makes the diagonal exactly 0
    squared = euclidean_distances(x, y, squared=True)  # (n, m)
    kernel = np.exp(-squared / (2 * (BANDWIDTHS[-1] * bandwidth) ** 2))  # (n, m)
    total = kernel.sum()
    for _ in BANDWIDTHS[1:]:
        np.square(kernel, out=kernel)
        total += kernel.sum()
    return total / len(BANDWIDTHS)


def _subsample(x: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return x if len(x) <= most else x[rng.choice(len(x), size=most, replace=False)]


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Compute the Fréchet distance between the Gaussians of two samples [1]_, the form of FID [2]_.

    |μx − μy|² + tr(Σx + Σy − 2 (Σx Σy)^½), with the matrix square root itself, not that of the diagonals:
    two domains whose features vary alike one by one but together differently are apart. It is the *squared*
    2-Wasserstein distance between those Gaussians, in squared units of the features.

    From finite samples it comes out too large (9 instead of 0 for two samples of 100 slices with 40
    features): compare it only with values from equally many slices. The samples are (n, d) and (m, d), or
    with more leading axes, which are flattened.

    References
    ----------
    .. [1] D. C. Dowson and B. V. Landau, "The Fréchet distance between multivariate normal distributions",
       Journal of Multivariate Analysis 12, 1982.
    .. [2] M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
       Equilibrium", NeurIPS 2017.
    """
    x, y = as_slices(x), as_slices(y)
    covariance_x, covariance_y = (np.atleast_2d(np.cov(sample, rowvar=False)) for sample in (x, y))
    # tr (Σx Σy)^½ is that of (Σx^½ Σy Σx^½)^½, which has the same eigenvalues but is symmetric: the root is
    # real, and singular covariances are no special case
    values, vectors = scipy.linalg.eigh(covariance_x)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T  # (d, d)
    product = scipy.linalg.eigvalsh(root @ covariance_y @ root)  # (d,)
    cross = np.sqrt(np.clip(product, 0, None)).sum()
    means = np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2)
    distance = means + np.trace(covariance_x) + np.trace(covariance_y) - 2 * cross
    return float(max(distance, 0.0))  # rounding can leave −1e-14 between equal sets


def sliced_wasserstein(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """Compute the sliced 2-Wasserstein distance [1]_, over 200 random directions drawn from `seed`.

    The root mean square, over directions, of the 1-dimensional 2-Wasserstein distance between the projected
    samples, in the unit of the features. The same seed takes the same directions for every pair of sets. The
    samples are (n, d) and (m, d), or with more leading axes, which are flattened.

    References
    ----------
    .. [1] N. Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", Journal of Mathematical
       Imaging and Vision 51, 2015.
    """
    x, y = as_slices(x), as_slices(y)
    return float(ot.sliced_wasserstein_distance(x, y, n_projections=200, seed=seed, p=2))


def nmse(translated: np.ndarray, truth: np.ndarray) -> float:
    """Compute the normalised mean squared error against pairs: mean over features of MSE / variance of truth.

    0 is perfect, 1 is as good as answering the truth's mean everywhere. Constant features of the truth are
    left out. Both are (..., d), row by row the same sound. Raises InputError if the shapes differ or every
    feature of the truth is constant.
    """
    if np.shape(translated) != np.shape(truth):
        raise InputError(
            f"the translated features have shape {np.shape(translated)} and their pairs {np.shape(truth)};"
            " they must be the same sequences in the same order"
        )
    translated, truth = as_slices(translated), as_slices(truth)
    variance = truth.var(axis=0)  # (d,)
    varies = np.sqrt(variance) >= CONSTANT_DB
    if not varies.any():
        raise InputError("every feature of the pairs is constant; an error relative to it has no meaning")
    error = ((translated - truth) ** 2).mean(axis=0)  # (d,)
    return float((error[varies] / variance[varies]).mean())
