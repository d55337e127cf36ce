"""How far a number may be off because few recordings were tested: 95 % intervals.

The unit is the recording: the sequences of one are alike, and counting them as so many trials would promise
too much. Accuracies have Wilson's score interval, which is right where all or none are; errors against pairs
are computed anew on recordings that are drawn with replacement.
"""

import math

import numpy as np

from cyclegan_lib.features.normalization import CONSTANT_DB

Interval = tuple[float, float]
Z = 1.959964  # of the standard normal distribution, 95 % lie within
RESAMPLES = 1000
LIMITS = (0.025, 0.975)


def wilson(part: float, n: int) -> Interval:
    """The score interval of a proportion [1]_, `part` of `n` independent trials; (0, 1) of none.

    An accuracy is over sequences, and `n` the number of recordings that they are of.

    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
       the American Statistical Association 22, 1927.
    """
    if n == 0:
        return 0.0, 1.0
    scale = 1 + Z**2 / n
    centre = (part + Z**2 / (2 * n)) / scale
    half = Z * math.sqrt(part * (1 - part) / n + Z**2 / (4 * n**2)) / scale
    return max(0.0, centre - half), min(1.0, centre + half)


def nmse_interval(translated: np.ndarray, truth: np.ndarray, recording: np.ndarray, seed: int) -> Interval:
    """The percentile interval [1]_ of `distances.nmse` over recordings drawn with replacement.

    Both are (slices, features), `recording` names that of each slice. What is drawn are errors; they are
    relative to the variance of all pairs, which is one for all translations of a source. The same seed draws
    the same recordings for each.

    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    names, place = np.unique(recording, return_inverse=True)
    truth = truth.astype(np.float64)
    deviation = truth.std(axis=0)
    varies = deviation >= CONSTANT_DB
    error = np.square(((translated - truth)[:, varies]) / deviation[varies]).mean(axis=1)  # (slices,)
    of_each, slices = np.bincount(place, error), np.bincount(place)  # (recordings,)
    chances = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), chances, RESAMPLES)  # times each is drawn
    low, high = np.quantile((drawn @ of_each) / (drawn @ slices), LIMITS)
    return float(low), float(high)
