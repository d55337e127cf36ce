"""Where each member starts: a linear map that carries recordings onto matching ones of the other device.

The Gaussian optimal-transport map gives the source the target's covariance, and with tens of recordings it
fits their accidents. Here whole recordings are matched instead: an optimal-transport plan between the
recordings' mean spectra, as translated so far, says which of the target's recordings each one resembles; a
ridge regression towards its matches gives the next map; and so on, as in the iterated closest point
algorithm [1]_ with soft correspondences [2]_. Two devices hear a machine through filters, which in dB are
mere shifts: the regression is pulled towards a map that keeps features apart, not towards none.

References
----------
.. [1] P. J. Besl and N. D. McKay, "A Method for Registration of 3-D Shapes", IEEE Transactions on Pattern
   Analysis and Machine Intelligence 14(2), 1992, 239-256.
.. [2] H. Chui and A. Rangarajan, "A new point matching algorithm for non-rigid registration", Computer Vision
   and Image Understanding 89, 2003, 114-141.
.. [3] L. Breiman, "Bagging predictors", Machine Learning 24, 1996, 123-140.
"""

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import ot
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.models.cyclegan import CycleGANModule, LinearMap
from cyclegan_lib.models.generator import STD_FLOOR, GainMap
from cyclegan_lib.training.domains import Domains

ITERATIONS = 20  # the plan no longer changes after about ten
GAIN_RIDGE, GAIN_ENTROPY = 1.0, 0.02
# Labels: a match counts as nearer by this times the log probability of its class, as a classifier of the
# target sees the translated recording; less with few recordings, from which no classifier can be learned.
LABEL_WEIGHT, LABEL_RECORDINGS, LABEL_FROM = 0.2, 100, 5
# Draws of `start_map`, each with a part of the recordings.
MAX_DRAWS, ENOUGH_RECORDINGS, DRAWN_PART = 8, 160, 0.8
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
        slices = [
            features[recording == name].reshape(-1, features.shape[-1]).astype(np.float64)
            for name in np.unique(recording)
        ]
        mean, std = (np.stack([f(x, axis=0) for x in slices]) for f in (np.mean, np.std))
        return cls(mean, std, None if label is None else label[np.unique(recording, return_index=True)[1]])

    def some(self, rng: np.random.Generator) -> "Described":
        """Draw four fifths of the recordings, without replacement."""
        kept = np.sort(rng.permutation(len(self.mean))[: max(2, round(DRAWN_PART * len(self.mean)))])
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
    gain: float  # 0 to 1; the prior's is the ratio of the features' deviations to this power: 0 for shifts

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "MatchSettings":
        """Draw a member's settings from the ranges that did well on development pairs."""
        ridge = np.exp(rng.uniform(np.log(0.1), np.log(1.0)))
        entropy = np.exp(rng.uniform(np.log(0.02), np.log(0.2)))
        return cls(float(ridge), float(entropy), float(rng.uniform(0.0, 1.0)))


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
    unsteadiness = _unsteadiness_cost(source, target)  # (n, m)
    classes = _class_cost(source, target)
    for iteration in range(ITERATIONS):
        translated = source.mean @ weight + bias  # (n, 40)
        cost = ot.dist(translated, target.mean) + unsteadiness
        if iteration >= LABEL_FROM:
            cost = cost + np.median(cost) * classes(translated)
        matches = _soft_matches(cost, settings.entropy) @ target.mean  # (n, 40)
        x, y, weights = source.mean, matches, np.full(len(matches), 1 / len(matches))
        if paired is not None:
            x, y = np.concatenate([x, paired[0]]), np.concatenate([y, paired[1]])
            weights = np.concatenate([weights, np.full(len(paired[0]), PAIR_WEIGHT / len(matches))])
        weight, bias = _ridge(x, y, weights, prior, settings.ridge)
    return weight.T, bias


def matched_gain(translated: Described, target: Described) -> GainMap:
    """Fit how much the deviations within translated recordings have to grow to be those of their matches.

    Ridge regression of the log deviations that are missing on the translated recording's statistics, beyond
    the mean over all recordings, which needs no matches and is not shrunk.
    """
    logs, wanted = translated.log_std, target.log_std
    cost = ot.dist(translated.mean, target.mean) + _unsteadiness_cost(translated, target)
    bias = wanted.mean(axis=0) - logs.mean(axis=0)  # (40,)
    missing = _soft_matches(cost, GAIN_ENTROPY) @ wanted - logs - bias  # (n, 40)
    statistics = np.concatenate([translated.mean, logs], axis=1)  # (n, 80)
    centre, scale = statistics.mean(axis=0), statistics.std(axis=0) + 1e-3
    z = (statistics - centre) / scale
    gram = z.T @ z / len(z) + GAIN_RIDGE * np.eye(z.shape[1])
    return GainMap(centre, scale, np.linalg.solve(gram, z.T @ missing / len(z)), bias)


def start_map(
    source: Described, target: Described, rng: np.random.Generator, paired: Paired | None = None
) -> LinearMap:
    """The mean of several `matched_map`, each with settings of its own and four fifths of the recordings.

    With tens of recordings single matches are chance and the mean of eight maps is better than one
    (bagging [3]_); with hundreds one map is as good, and is fitted on all of them.
    """
    draws = max(1, min(MAX_DRAWS, ENOUGH_RECORDINGS // len(source.mean)))
    maps = []
    for _ in range(draws):
        settings = MatchSettings.draw(rng)
        a, b = (source, target) if draws == 1 else (source.some(rng), target.some(rng))
        maps.append(matched_map(a, b, settings, paired))
    weights, biases = zip(*maps, strict=True)
    return np.mean(weights, axis=0), np.mean(biases, axis=0)


def start_module(domains: Domains, settings: TrainingSettings) -> CycleGANModule:
    """A new model; each restart begins at its own linear maps, fitted on what it is trained on."""
    features = domains.a.settings or domains.b.settings
    module = CycleGANModule(
        settings=settings.model_dump(),
        normalization=domains.normalizer.to_dict(),
        device_a=domains.a.device,
        device_b=domains.b.device,
        feature_settings=None if features is None else features.common().model_dump(),
        data=domains.facts,
    )
    z = domains.normalized()
    paired = None
    if domains.pairs is not None:
        paired = tuple(
            Described.describe(domains.normalizer.normalize(features, name), domains.pairs.recording).mean
            for features, name in ((domains.pairs.features_a, "A"), (domains.pairs.features_b, "B"))
        )
    rng = np.random.default_rng(settings.seed)
    maps_ab, maps_ba = [], []
    for restart in range(settings.restarts):
        in_a, in_b = (fold != restart % settings.folds for fold in (domains.fold_a, domains.fold_b))
        a = Described.describe(z["a"][in_a], domains.a.recording[in_a])
        label = domains.b.label[in_b] if settings.use_labels and domains.b.label is not None else None
        b = Described.describe(z["b"][in_b], domains.b.recording[in_b], label)
        # both directions draw the same settings
        maps_ab.append(start_map(a, b, copy.deepcopy(rng), paired))
        maps_ba.append(start_map(b, a, rng, paired and paired[::-1]))
    module.start_at(maps_ab, maps_ba)
    return module


@torch.no_grad()
def fit_gains(module: CycleGANModule, a: torch.Tensor, b: torch.Tensor) -> None:
    """Fit the averaged generators' gains on one sequence of each recording, (n, slices, 40) z-scores."""
    for average, source, target in ((module.average_AB, a, b), (module.average_BA, b, a)):
        translated = average.module.ungained(source)
        described = (Described.describe(x.cpu().numpy(), np.arange(len(x))) for x in (translated, target))
        average.module.set_gain(matched_gain(*described))


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


def _unsteadiness_cost(source: Described, target: Described) -> np.ndarray:
    """Squared distance of the log deviations within recordings, (n, m), each domain about its own mean."""
    return ot.dist(*(log - log.mean(axis=0) for log in (source.log_std, target.log_std)))


def _soft_matches(cost: np.ndarray, entropy: float) -> np.ndarray:
    """Rows that sum to 1: how much each of the target's recordings matches, (n, m)."""
    n, m = cost.shape
    cost = cost / (np.median(cost) or 1.0)
    with warnings.catch_warnings():
        # a recording far from all others underflows; its row below is then 0, and the regression goes on
        warnings.filterwarnings("ignore", ".*numerical errors.*")
        warnings.simplefilter("ignore", RuntimeWarning)
        plan = ot.sinkhorn(
            np.full(n, 1 / n), np.full(m, 1 / m), cost, entropy, numItermax=500, stopThr=1e-6, warn=False
        )
    return plan / np.maximum(plan.sum(axis=1, keepdims=True), 1e-12)


def _ridge(x: np.ndarray, y: np.ndarray, weights: np.ndarray, prior: np.ndarray, ridge: float) -> LinearMap:
    """Weighted least squares of y on x, with a penalty on the distance from `prior`; from the right."""
    weights = weights / weights.sum()
    mean_x, mean_y = weights @ x, weights @ y
    x, y = x - mean_x, y - mean_y
    gram = (weights[:, None] * x).T @ x  # (40, 40)
    penalty = ridge * np.trace(gram) / len(gram) + 1e-9
    correction = (weights[:, None] * x).T @ (y - x @ prior)
    weight = prior + np.linalg.solve(gram + penalty * np.eye(len(gram)), correction)
    return weight, mean_y - mean_x @ weight
