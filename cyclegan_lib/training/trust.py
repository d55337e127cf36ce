"""How much of what matches say to believe: what a few recordings cannot tell, and where a filter is enough.

References
----------
.. [1] W. James and C. Stein, "Estimation with quadratic loss", Proceedings of the Fourth Berkeley Symposium,
   1961, 361-379.
.. [2] L. Breiman, "Stacked regressions", Machine Learning 24, 1996, 49-64.
"""

from dataclasses import dataclass

import numpy as np
import ot
from scipy import stats

from cyclegan_lib.models.cyclegan import LinearMap
from cyclegan_lib.models.generator import STD_FLOOR
from cyclegan_lib.training.matching import (
    Described,
    MatchSettings,
    matched_map,
    mean_map,
    soft_matches,
    unsteadiness_cost,
)

PERMUTATIONS = 100
# Halvings of recordings, fewer where there are more; maps of a half; how soft its matches are, none left out.
HALVINGS, FEW_RECORDINGS, MAPS_OF_HALVES = 16, 20, 2
HALVES_ENTROPY, HALVES_MASS = 0.05, np.inf
PARTS = ("level", "shape")

Gain = tuple[float, float, float]  # mean, and the ends of its 95 % interval


def beyond_filter(a: Described, b: Described) -> float:
    """How sure it is that more than a filter sets two devices apart: 0 not at all, to 1.

    A filter shifts bands, in dB, and leaves the deviations over recordings as they are; noise that covers the
    quiet, another place at the machine or a gain control change some more than others. How much the log ratio
    of deviations varies over bands is compared with what it varies between random halves of all recordings,
    each less its device's mean: 1 − expected / found, shrunk as by James and Stein [1]_.
    """
    pooled = np.concatenate([x.mean - x.mean.mean(axis=0) for x in (a, b)])

    def apart(one: np.ndarray, other: np.ndarray) -> float:
        ratio = (other.std(axis=0) + STD_FLOOR) / (one.std(axis=0) + STD_FLOOR)  # (40,)
        return float(np.log(ratio).var())

    rng = np.random.default_rng(0)
    found, first = apart(pooled[: len(a.mean)], pooled[len(a.mean) :]), len(a.mean)
    dealt = (rng.permutation(pooled) for _ in range(PERMUTATIONS))
    expected = np.mean([apart(halves[:first], halves[first:]) for halves in dealt])
    return float(max(0.0, 1 - expected / max(found, 1e-12)))


@dataclass(frozen=True)
class HeldOutMatches:
    """What maps of half of the recordings change, beyond the mean shift, and what the others' matches say.

    Maps are fitted on one half of the recordings of both devices; the recordings of the other halves, matched
    among themselves, say what they should have given. Sums over bands of each of the source's recordings,
    means over the halvings, of the change's two parts: "level" is its mean over bands, "shape" the rest.
    """

    squared: dict[str, np.ndarray]  # (recordings,): the change, squared
    wanted: dict[str, np.ndarray]  # (recordings,): the change times what the matches say
    missing: np.ndarray  # (recordings,): the mean shift's squared error

    @classmethod
    def of(
        cls, source: Described, target: Described, rng: np.random.Generator, distance: float
    ) -> "HeldOutMatches":
        """Halve both devices' recordings several times."""
        squared, wanted = ({part: np.zeros(len(source.mean)) for part in PARTS} for _ in range(2))
        errors = np.zeros(len(source.mean))
        halvings = max(2, round(HALVINGS * min(1.0, FEW_RECORDINGS / len(source.mean))))
        for _ in range(halvings):
            halves_a, halves_b = (_halves(len(x.mean), rng) for x in (source, target))
            for half in (0, 1):
                a, b = source.select(halves_a[half]), target.select(halves_b[half])
                others_a, others_b = source.select(halves_a[1 - half]), target.select(halves_b[1 - half])
                settings = MatchSettings.draw(rng, MAPS_OF_HALVES + 1, distance)
                weight, bias = mean_map([matched_map(a, b, drawn) for drawn in settings[1:]])
                shifted = others_a.mean + b.mean.mean(axis=0) - a.mean.mean(axis=0)
                change = others_a.mean @ weight.T + bias - shifted  # (n, 40)
                weight, bias = matched_map(others_a, others_b, settings[0])
                cost = ot.dist(others_a.mean @ weight.T + bias, others_b.mean)
                cost = cost + unsteadiness_cost(others_a, others_b)
                matches, _ = soft_matches(cost, HALVES_ENTROPY, HALVES_MASS)
                missing = matches @ others_b.mean - shifted  # (n, 40)
                errors[halves_a[1 - half]] += np.square(missing).sum(axis=1) / halvings
                for part, of_part in zip(PARTS, _level_and_shape(change), strict=True):
                    squared[part][halves_a[1 - half]] += np.square(of_part).sum(axis=1) / halvings
                    wanted[part][halves_a[1 - half]] += (of_part * missing).sum(axis=1) / halvings
        return cls(squared, wanted, errors)

    @property
    def level(self) -> float:
        """Which part of the change in level to believe; 0 to 1.

        How loud a recording is, over all bands, is what matches tell least about: it hangs on the distance to
        the machine and on the device's own gain control. The regression of the one on the other (stacking
        [2]_) comes out too small, as soft matches lie nearer to the mean and maps of half of the recordings
        have more chance in them; twice of it came nearest to the truth on development pairs.
        """
        part = 2 * self.wanted["level"].sum() / max(self.squared["level"].sum(), 1e-12)
        return float(np.clip(part, 0.0, 1.0))

    def gained(self, level: float, shape: float) -> Gain:
        """Squared error less than the mean shift's, as a part of it, and the 95 % t-interval over recordings.

        Of a map with these parts of the change.
        """
        each = np.zeros(len(self.missing))
        for part, share in zip(PARTS, (level, shape), strict=True):
            each += 2 * share * self.wanted[part] - share**2 * self.squared[part]
        each /= max(self.missing.mean(), 1e-12)
        half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
        return float(each.mean()), float(each.mean() - half), float(each.mean() + half)


@dataclass(frozen=True)
class Trust:
    """How much of what matches say, beyond a mean shift, to believe; as it is, all of it."""

    distance: float = 0.0  # of `MatchSettings`
    shape: float = 1.0  # the part of the change in a recording's spectrum about its level, 0 to 1
    level_ab: float = 1.0  # the part of the change in level, 0 to 1
    level_ba: float = 1.0

    @classmethod
    def of(cls, a: Described, b: Described, rng: np.random.Generator) -> tuple["Trust", dict[str, Gain]]:
        """Ask the recordings of both devices, without labels; also what each way then gains on a shift."""
        beyond = beyond_filter(a, b)
        distance, shape = 2 * (1 - beyond) ** 2, min(1.0, 0.6 + 0.8 * beyond)
        ab, ba = (HeldOutMatches.of(*both, rng, distance) for both in ((a, b), (b, a)))
        trust = cls(distance, shape, ab.level, ba.level)
        return trust, {"ab": ab.gained(ab.level, shape), "ba": ba.gained(ba.level, shape)}

    def applied(self, linear: LinearMap, source: Described, target: Described, level: float) -> LinearMap:
        """The map with only these parts of its change beyond the mean shift."""
        (weight, bias), no_change = linear, np.eye(source.mean.shape[1])
        shift = target.mean.mean(axis=0) - source.mean.mean(axis=0)
        parts = self.shape * no_change + (level - self.shape) / len(shift)  # (40, 40)
        return no_change + parts @ (weight - no_change), shift + parts @ (bias - shift)


def _level_and_shape(change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    level = change.mean(axis=1, keepdims=True)  # (n, 1)
    return np.broadcast_to(level, change.shape), change - level


def _halves(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    dealt = rng.permutation(n)
    return [np.sort(dealt[half::2]) for half in (0, 1)]
