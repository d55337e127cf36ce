"""Statistics over seeds: means, paired differences with their interval, ratios, targets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LOWER_IS_BETTER = ("nmse", "mmd2", "frechet", "sliced_wasserstein")
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n − 1) over `n` seeds; no deviation with one seed."""

    mean: float
    deviation: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """What one method reaches minus what another does, with the same seeds.

    Attributes
    ----------
    against : str
        The other method.
    mean : float
    low, high : float or None
        95 % t-interval of the mean over seeds; None with one seed.
    n : int
        Seeds that both have a number for.
    """

    against: str
    mean: float
    low: float | None
    high: float | None
    n: int

    def verdict(self, column: str) -> str:
        """ "better", "worse", or "undecided" where the interval holds 0 or there is none."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return "undecided"
        return "better" if (self.mean < 0) == (column in LOWER_IS_BETTER) else "worse"


@dataclass(frozen=True)
class Target:
    """A goal, and what was reached; `met` is None where there is no number."""

    name: str
    limit: float
    at_most: bool
    reached: float | None

    @property
    def met(self) -> bool | None:
        if self.reached is None:
            return None
        return self.reached <= self.limit if self.at_most else self.reached >= self.limit


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and standard deviation of a number over seeds; None without any."""
    if not len(values):
        return None
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(float(np.mean(values)), deviation, len(values))


def difference(ours: dict[int, float], theirs: dict[int, float], against: str) -> Difference | None:
    """Paired difference over the seeds in both, {seed: value}; None if there are none.

    The seed decides the split, and with it most of what two methods' numbers have in common: their
    difference scatters less than either. Student's t with n − 1 degrees of freedom.
    """
    seeds = sorted(set(ours) & set(theirs))
    if not seeds:
        return None
    each = np.array([ours[seed] - theirs[seed] for seed in seeds])
    mean, n = float(each.mean()), len(each)
    if n < 2:
        return Difference(against, mean, None, None, n)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * each.std(ddof=1) / math.sqrt(n))
    return Difference(against, mean, mean - half, mean + half, n)


def ratio(ours: Spread | None, theirs: Spread | None) -> float | None:
    """Mean over mean; None where one is missing or the other is 0."""
    if ours is None or theirs is None or theirs.mean == 0:
        return None
    return ours.mean / theirs.mean
