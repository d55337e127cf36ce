"""B's labelled recordings as A might hear them, in several ways, for a classifier that meets A as it is.

A translation is uncertain, and a classifier trained on one sees no uncertainty: a forest learns how the
translation mixes bands. With simpler translations beside it, and random filters on all, it learns what holds
for any of them, as classifiers do that are trained on many devices' responses [1]_, [2]_.

References
----------
.. [1] T. Morocutti, F. Schmid, K. Koutini and G. Widmer, "Device-Robust Acoustic Scene Classification via
   Impulse Response Augmentation", EUSIPCO 2023.
.. [2] M. Ryu, H. Oh, S. Lee and H. Park, "Microphone Conversion: Mitigating Device Variability in Sound
   Event Classification", ICASSP 2024.
"""

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.feature_set import joined
from cyclegan_lib.features.normalization import safe_std

FILTER_DB, ORDER = 1.0, 3  # deviation of each coefficient of a random filter, a polynomial over the bands
MOST_COPIES, MOST_SEQUENCES = 4, 1500  # of each translation; and of all, but for one of each
FILTERS = chebvander(np.linspace(-1, 1, N_FEATURES), ORDER).T  # (4, 40)


def augmented(labelled: FeatureSet, translated: FeatureSet, seed: int = 0) -> FeatureSet:
    """Copies of B's labelled set: `translated` to A, and by two simpler maps that the translation amounts to.

    These change each band's mean as it does; or mean and deviation, over all slices. A copy of a sequence
    keeps its recording's name and label, and has a random filter of its own.
    """
    before, after = (x.real_slices().astype(np.float64) for x in (labelled, translated))  # (slices, 40)
    mean, gain = before.mean(axis=0), after.std(axis=0) / safe_std(before.var(axis=0))
    simpler = [(labelled.features - mean) * change + after.mean(axis=0) for change in (1.0, gain)]
    rng = np.random.default_rng(seed)
    copies = int(np.clip(MOST_SEQUENCES // (3 * len(labelled)), 1, MOST_COPIES))
    return joined(
        [
            translated.with_features(
                features + FILTER_DB * (rng.standard_normal((len(features), 1, ORDER + 1)) @ FILTERS),
                translated.device,
            )
            for features in (translated.features, *simpler)
            for _ in range(copies)
        ]
    )
