"""Linear maps that carry recordings onto matching ones of another device; nothing pairs them.

Whole recordings are matched: an optimal-transport plan between the recordings' mean spectra, as translated so
far, says which of the target's recordings each one resembles; a ridge regression towards its matches gives
the next map; and so on, as in the iterated closest point algorithm [1]_ with soft correspondences [2]_. Two
devices hear a machine through filters, which in dB are mere shifts: the regression is pulled towards a map
that keeps features apart, not towards none. The plan is unbalanced on one side [4]_: each of the target's
recordings is matched, of the source's those that resemble none weigh less, since the devices need not have
recorded the same share of each fault.

References
----------
.. [1] P. J. Besl and N. D. McKay, "A Method for Registration of 3-D Shapes", IEEE Transactions on Pattern
   Analysis and Machine Intelligence 14(2), 1992, 239-256.
.. [2] H. Chui and A. Rangarajan, "A new point matching algorithm for non-rigid registration", Computer Vision
   and Image Understanding 89, 2003, 114-141.
.. [3] M. Cuturi, "Sinkhorn Distances: Lightspeed Computation of Optimal Transport", NeurIPS 2013.
.. [4] L. Chizat, G. Peyré, B. Schmitzer and F.-X. Vialard, "Scaling algorithms for unbalanced optimal
   transport problems", Mathematics of Computation 87, 2018, 2563-2609.
.. [5] M. D. McKay, R. J. Beckman and W. J. Conover, "A Comparison of Three Methods for Selecting Values of
   Input Variables", Technometrics 21(2), 1979, 239-245.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import ot
from scipy.stats.qmc import LatinHypercube
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from cyclegan_lib.models.cyclegan import LinearMap
from cyclegan_lib.models.generator import STD_FLOOR, GainMap

ITERATIONS = 10  # the plan no longer changes then
# Of a plan: five times as many steps change the maps by less than another draw does; or until a step changes
# its rows by no more than this part.
SINKHORN_STEPS, CLOSE = 100, 1e-6
GAIN_RIDGE, GAIN_RECORDINGS, GAIN_ENTROPY, GAIN_MASS = 1.0, 200, 0.02, 0.1
# Labels: a match counts as nearer by this times the log probability of its class, as a classifier of the
# target sees the translated recording; less with few recordings, from which no classifier can be learned.
LABEL_WEIGHT, LABEL_RECORDINGS, LABEL_FROM = 0.2, 100, 5
DRAWN_PART = 0.8  # of the recordings, in a draw
# Bands so many apart are pulled twice as much, where all that sets the devices apart may be a filter: it does
# not move sound between bands, and far ones predict by chance.
BAND_DISTANCE = 6.0
# One recording heard by both devices counts as much as this many whose match is only likely.
PAIR_WEIGHT = 5.0

Paired = tuple[np.ndarray, np.ndarray]  # mean spectra, (k, 40) each, of recordings that both devices made


@dataclass(frozen=True)
class Described:
    """What is matched: the mean and standard deviation of each recording's slices."""

    mean: np.ndarray  # float64, (recordings, 40), z-scores
    std: np.ndarray  # the same
    label: np.ndarray | None = None  # str, (recordings,); "" where it is not known

    @classmethod
    def describe(
        cls, features: np.ndarray, recording: np.ndarray, label: np.ndarray | None = None
    ) -> "Described":
        """From sequences (n, slices, 40), their recordings' names and labels (n,); sorted by name."""
        order = np.argsort(recording, kind="stable")
        first = np.unique(recording[order], return_index=True)[1]
        slices = [
            features[own].reshape(-1, features.shape[-1]).astype(np.float64)
            for own in np.split(order, first[1:])
        ]
        mean, std = (np.stack([f(x, axis=0) for x in slices]) for f in (np.mean, np.std))
        return cls(mean, std, None if label is None else label[order[first]])

    def some(self, rng: np.random.Generator) -> "Described":
        """Draw four fifths of the recordings, without replacement."""
        kept = rng.permutation(len(self.mean))[: max(2, round(DRAWN_PART * len(self.mean)))]
        return self.select(np.sort(kept))

    def select(self, kept: np.ndarray) -> "Described":
        """Some of the recordings, by index."""
        return Described(self.mean[kept], self.std[kept], None if self.label is None else self.label[kept])

    @property
    def deviation(self) -> np.ndarray:
        """Of each feature over all slices, (40,); never 0."""
        return np.sqrt(self.mean.var(axis=0) + np.square(self.std).mean(axis=0)) + 1e-6

    @property
    def log_std(self) -> np.ndarray:
        """How much each recording's slices vary, (recordings, 40); finite also in silence."""
        return np.log(self.std + STD_FLOOR)


@dataclass(frozen=True)
class MatchSettings:
    """What one member's map is fitted with. Members draw their own: none is best for all devices."""

    ridge: float  # pull towards the prior, as a part of the mean variance of the source's recordings
    entropy: float  # of the transport plan, as a part of the median cost: how soft the matches are
    mass: float  # what it costs to match more or less of one of the source's; infinite: all alike
    gain: float  # 0 to 1; the prior's is the ratio of the features' deviations to this power: 0 for shifts
    distance: float  # how much more the pull is between bands that are far apart; 0: the same for all

    @classmethod
    def draw(cls, rng: np.random.Generator, number: int, distance: float) -> list["MatchSettings"]:
        """Draw the other settings of so many maps from ranges that did well on development pairs.

        In strata [5]_: each setting falls once into each of `number` equal parts of its range.
        """
        parts = LatinHypercube(4, rng=rng).random(number)  # (number, 4), 0 to 1
        # a factor of ten each, but for the last
        return [cls(0.1 * 10**r, 0.02 * 10**e, 0.03 * 10**m, g, distance) for r, e, m, g in parts.tolist()]


def matched_map(
    source: Described, target: Described, settings: MatchSettings, paired: Paired | None = None
) -> LinearMap:
    """Fit a linear map from the source's recordings onto those of the target; nothing pairs them.

    Labels of the target, where there are some, keep its fault classes apart; those of the source are not
    looked at. Returns weight (40, 40) and bias (40,), float64: ``translated = x @ weight.T + bias``.
    """
    prior = np.diag((target.deviation / source.deviation) ** settings.gain)  # (40, 40), from the right
    shift = target.mean.mean(axis=0) - source.mean.mean(axis=0) @ prior
    if paired is not None:
        shift = (paired[1] - paired[0] @ prior).mean(axis=0)
    weight, bias = prior, shift
    unsteadiness = unsteadiness_cost(source, target)  # (n, m)
    classes = _class_cost(source, target)
    for iteration in range(ITERATIONS):
        translated = source.mean @ weight + bias  # (n, 40)
        cost = ot.dist(translated, target.mean) + unsteadiness
        if iteration >= LABEL_FROM:
            cost = cost + np.median(cost) * classes(translated)
        matches, weights = soft_matches(cost, settings.entropy, settings.mass)
        x, y = source.mean, matches @ target.mean  # (n, 40)
        if paired is not None:
            x, y = np.concatenate([x, paired[0]]), np.concatenate([y, paired[1]])
            weights = np.concatenate([weights, np.full(len(paired[0]), PAIR_WEIGHT / len(weights))])
        weight, bias = _ridge(x, y, weights, prior, settings)
    return weight.T, bias


def mean_map(maps: list[LinearMap]) -> LinearMap:
    """The mean of linear maps."""
    weights, biases = zip(*maps, strict=True)
    return np.mean(weights, axis=0), np.mean(biases, axis=0)


def matched_gain(translated: Described, target: Described, part: float = 1.0) -> GainMap:
    """Fit how much the deviations within translated recordings have to grow to be those of their matches.

    Ridge regression of the log deviations that are missing on the translated recording's statistics, beyond
    the mean over all recordings, which needs no matches and is not shrunk; stiffer where recordings are few,
    since a gain that is wrong multiplies. Of it all a `part` is taken.
    """
    logs, wanted = translated.log_std, target.log_std
    cost = ot.dist(translated.mean, target.mean) + unsteadiness_cost(translated, target)
    bias = wanted.mean(axis=0) - logs.mean(axis=0)  # (40,)
    matches, weights = soft_matches(cost, GAIN_ENTROPY, GAIN_MASS)
    missing = matches @ wanted - logs - bias  # (n, 40)
    statistics = np.concatenate([translated.mean, logs], axis=1)  # (n, 80)
    centre, scale = statistics.mean(axis=0), statistics.std(axis=0) + 1e-3
    z = (statistics - centre) / scale
    ridge = GAIN_RIDGE * (1 + (GAIN_RECORDINGS / len(z)) ** 2)
    weighted = z.T * weights  # (80, n)
    weight = np.linalg.solve(weighted @ z + ridge * np.eye(z.shape[1]), weighted @ missing)
    return GainMap(centre, scale, part * weight, part * bias)


def _class_cost(source: Described, target: Described) -> Callable[[np.ndarray], np.ndarray | float]:
    """How unlikely each of the target's classes is for translated recordings, (n, m); 0 without labels."""
    label = np.zeros(0, dtype=str) if target.label is None else target.label
    known = np.flatnonzero(label != "")
    if len(np.unique(label[known])) < 2:
        return lambda translated: 0.0
    own, wanted = source.log_std, target.log_std
    source_logs = own - own.mean(axis=0) + wanted.mean(axis=0)  # (n, 40)
    statistics = np.concatenate([target.mean, wanted], axis=1)  # (m, 80)
    centre, scale = statistics.mean(axis=0), statistics.std(axis=0) + 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        z = (statistics[known] - centre) / scale
        classifier = LogisticRegression(C=0.1, max_iter=500).fit(z, label[known])
    column = np.searchsorted(classifier.classes_, label[known])
    weight = LABEL_WEIGHT * len(known) / (len(known) + LABEL_RECORDINGS)

    def cost(translated: np.ndarray) -> np.ndarray:
        z = (np.concatenate([translated, source_logs], axis=1) - centre) / scale  # (n, 80)
        costs = np.empty((len(z), len(label)))
        costs[:, known] = -weight * classifier.predict_log_proba(z)[:, column]
        costs[:, label == ""] = costs[:, known].mean(axis=1, keepdims=True)  # neither nearer nor farther
        return costs

    return cost


def unsteadiness_cost(source: Described, target: Described) -> np.ndarray:
    """Squared distance of the log deviations within recordings, (n, m), each domain about its own mean."""
    return ot.dist(*(log - log.mean(axis=0) for log in (source.log_std, target.log_std)))


def soft_matches(cost: np.ndarray, entropy: float, mass: float) -> tuple[np.ndarray, np.ndarray]:
    """How much each of the target's recordings matches each of the source's, and the weights of the latter.

    Returns rows that sum to 1, (n, m), and weights that sum to 1, (n,): of a recording that resembles none of
    the target's less is matched the smaller `mass` is, as a part of the median cost. Sinkhorn's plan [3]_,
    by the steps of [4]_, as POT computes it: its checks after each step cost more than a small plan's step.
    """
    n, m = cost.shape
    kernel = np.exp(cost / (np.median(cost) or 1.0) / -entropy)  # (n, m)
    power = 1 / (1 + entropy / mass)
    u, v = np.full(n, 1 / n), np.full(m, 1 / m)
    # a recording far from all others underflows: the plan before that stays
    with np.errstate(all="ignore"):
        for step in range(SINKHORN_STEPS):
            before = u, v
            v = 1 / m / (kernel.T @ u)
            u = (1 / n / (kernel @ v)) ** power
            if not (u.min() > 0 and u.max() < np.inf):
                u, v = before
                break
            if step % 10 == 0 and np.abs(u / before[0] - 1).max() < CLOSE:
                break
    rows = kernel * v
    sums = rows.sum(axis=1)
    return rows / np.maximum(sums, 1e-300)[:, None], u * sums / (u @ sums)


def _ridge(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, prior: np.ndarray, settings: MatchSettings
) -> LinearMap:
    """Weighted least squares of y on x, with a penalty on the distance from `prior`; from the right."""
    weights = weights / weights.sum()
    mean_x, mean_y = weights @ x, weights @ y
    x, y = x - mean_x, y - mean_y
    gram = (weights[:, None] * x).T @ x  # (40, 40)
    band = np.arange(len(gram))
    apart = np.square((band[:, None] - band) / BAND_DISTANCE)  # (to, from)
    penalty = settings.ridge * np.trace(gram) / len(gram) * (1 + settings.distance * apart) + 1e-9
    correction = (weights[:, None] * x).T @ (y - x @ prior)  # (from, to)
    # for each band to predict a system of its own
    systems = gram + penalty[:, :, None] * np.eye(len(gram))  # (to, from, from)
    weight = prior + np.linalg.solve(systems, correction.T[:, :, None])[:, :, 0].T
    return weight, mean_y - mean_x @ weight
