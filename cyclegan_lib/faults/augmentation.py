"""B's labelled recordings as A might hear them, in several ways, for a classifier that meets A as it is.

A translation is uncertain, and a classifier trained on one sees no uncertainty: a forest learns how the
translation mixes bands. With simpler translations beside it, and random filters and gains on all, it learns
what holds for any of them, as classifiers do that are trained on many devices' responses [1]_, [2]_.

References
----------
.. [1] T. Morocutti, F. Schmid, K. Koutini and G. Widmer, "Device-Robust Acoustic Scene Classification via
   Impulse Response Augmentation", EUSIPCO 2023.
.. [2] M. Ryu, H. Oh, S. Lee and H. Park, "Microphone Conversion: Mitigating Device Variability in Sound
   Event Classification", ICASSP 2024.
"""

import numpy as np
import ot
from numpy.polynomial.chebyshev import chebvander

from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.feature_set import joined
from cyclegan_lib.features.normalization import safe_std

# deviations of each coefficient of two random polynomials over the bands: a filter, in dB, and the logarithm
# of a gain on how much a recording varies
FILTER_DB, LOG_GAIN, ORDER = 1.0, 0.1, 3
MOST_COPIES, MOST_SEQUENCES = 4, 1500  # of each translation; and of all, but for one of each
RIDGE = 1e-4  # on the covariances, as a part of the mean variance
POLYNOMIALS = chebvander(np.linspace(-1, 1, N_FEATURES), ORDER).T  # (4, 40)


def augmented(labelled: FeatureSet, translated: FeatureSet, seed: int = 0) -> FeatureSet:
    """Copies of B's labelled set: `translated` to A, and by three simpler maps that this amounts to.

    Over all slices these change each band's mean as it does; each band's mean and deviation; and all bands'
    means and covariance (Gaussian optimal transport, by POT). A copy of a sequence keeps its recording's name
    and label, and has a random filter and gain of its own.
    """
    before, after = (x.real_slices().astype(np.float64) for x in (labelled, translated))  # (slices, 40)
    gain = np.diag(after.std(axis=0) / safe_std(before.var(axis=0)))
    ridge = RIDGE * max(before.var(axis=0).mean() + after.var(axis=0).mean(), RIDGE) / 2
    mixing, _ = ot.gaussian.empirical_bures_wasserstein_mapping(before, after, reg=ridge)
    deviations = labelled.features - before.mean(axis=0)
    simpler = [deviations @ change + after.mean(axis=0) for change in (np.eye(N_FEATURES), gain, mixing)]
    heard = [translated, *(labelled.with_features(features, translated.device) for features in simpler)]
    rng = np.random.default_rng(seed)
    copies = int(np.clip(MOST_SEQUENCES // (len(heard) * len(labelled)), 1, MOST_COPIES))
    return joined([_varied(version, rng) for version in heard for _ in range(copies)])


def _varied(heard: FeatureSet, rng: np.random.Generator) -> FeatureSet:
    """With a random filter for each sequence, and a random gain on its deviations from its mean spectrum."""
    mean = heard.mean_spectra()[:, None]  # (sequences, 1, 40)
    spectrum, gain = (
        size * rng.standard_normal((len(heard), 1, ORDER + 1)) @ POLYNOMIALS for size in (FILTER_DB, LOG_GAIN)
    )
    return heard.with_features(mean + spectrum + np.exp(gain) * (heard.features - mean), heard.device)
