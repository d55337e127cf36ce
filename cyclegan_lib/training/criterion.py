"""Which checkpoint is the best one, asked without pairs and without labels of domain A."""

import numpy as np
import ot

PROJECTIONS = 256


def held_out_distance(translated: np.ndarray, real: np.ndarray, scale: np.ndarray, seed: int = 0) -> float:
    """Sliced Wasserstein distance between the recordings' statistics of translated and real sequences.

    A sequence is described by the mean, standard deviation and lag-1 covariance of each feature over its
    slices; each statistic is measured in its deviations over all training sequences of the real domain
    (`scale`, see `deviations`), so that all weigh the same, whatever few recordings are held out. Of the
    criteria compared on 14 runs this one ranked the runs most steadily by their true error (Spearman 0.46 to
    0.54); the cycle loss, lowest for a map that does nothing, points the wrong way. It is 0 if the statistics
    agree in every projection.

    Both are z-scores, (n, slices, 40) and (m, slices, 40); nothing pairs the translated sequences with the
    real ones, which are held-out recordings of the target domain. `seed` is that of the projections.
    Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", JMIV 2015.
    """
    x, y = _statistics(translated) / scale, _statistics(real) / scale  # (n, 120), (m, 120)
    return float(ot.sliced_wasserstein_distance(x, y, n_projections=PROJECTIONS, seed=seed))


def deviations(real: np.ndarray) -> np.ndarray:
    """How much each statistic varies over sequences of a domain: z-scores (n, slices, 40) in, (120,) out."""
    scale = _statistics(real).std(axis=0)
    return np.where(scale < 1e-6, 1.0, scale)


def _statistics(x: np.ndarray) -> np.ndarray:
    # not models.discriminator.mean_std_lag, which is float32, with a floor under the deviations for the sake
    # of its gradient: choosing among checkpoints whose distances are close would then hang on rounding
    x = np.asarray(x, dtype=np.float64)
    mean = x.mean(axis=1)  # (n, 40)
    centred = x - mean[:, None]
    lag_1 = (centred[:, 1:] * centred[:, :-1]).mean(axis=1)
    return np.concatenate([mean, centred.std(axis=1), lag_1], axis=1)  # (n, 120)
