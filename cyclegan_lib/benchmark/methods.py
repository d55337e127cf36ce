"""The rows of the benchmark: ways to translate A to B, one function each, and the bounds around them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ot

from cyclegan_lib.benchmark import ours, reference, supervised
from cyclegan_lib.benchmark.device_pair import DevicePair, Translation
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.evaluation.baselines import BASELINES, Baseline
from cyclegan_lib.evaluation.report import TRANSLATED
from cyclegan_lib.features import Normalizer

POINTS = 2000  # slices of each side that are transported: the coupling is a matrix of 32 MB
REFERENCE, BOUND, NULL = "reference design", "supervised MLP", "real B"


# pair, seed, an empty folder to work in
Method = Callable[[DevicePair, int, Path], Translation]


class BarycentricOT(Baseline):
    """Exact optimal transport between samples, extended to new slices [1]_, [2]_.

    At most 2,000 slices of each side, z-scored with their own domain's mean and deviation, are coupled. A
    new slice moves as its nearest neighbour among the coupled ones does. No shape is assumed, but every
    slice is one of few points in 40 dimensions.

    Parameters
    ----------
    seed : int
        Draws the slices.

    References
    ----------
    .. [1] N. Courty et al., "Optimal Transport for Domain Adaptation", IEEE Transactions on Pattern Analysis
       and Machine Intelligence 39, 2017.
    .. [2] S. Ferradans et al., "Regularized Discrete Optimal Transport", SIAM Journal on Imaging Sciences 7,
       2014.
    """

    name = "OT barycentric"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        rng = np.random.default_rng(self.seed)
        self._normalizer = Normalizer.fit(source, target, mode="per-domain")
        samples = []
        for x, domain in ((source, "A"), (target, "B")):
            drawn = rng.permutation(len(x))[:POINTS]
            samples.append(self._normalizer.normalize(x[drawn], domain).astype(np.float64))
        # the default of 100,000 iterations of the network simplex may stop short of the optimum
        self._transport = ot.da.EMDTransport(max_iter=10_000_000, out_of_sample_map="ferradans")
        self._transport.fit(Xs=samples[0], Xt=samples[1])

    def _transform(self, x: np.ndarray) -> np.ndarray:
        z = self._normalizer.normalize(x, "A").astype(np.float64)  # (slices, 40)
        return self._normalizer.denormalize(self._transport.transform(Xs=z), "B")


def baseline(pair: DevicePair, seed: int, folder: Path, kind: type[Baseline]) -> Translation:
    """A baseline fitted on the unpaired training recordings."""
    fitted = kind(seed) if kind is BarycentricOT else kind()
    fitted.fit(pair.train_a.features, pair.train_b.features)
    return Translation(fitted.transform(pair.test_a.features))


def reference_design(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """The obvious published recipe, see `cyclegan_lib.benchmark.reference`."""
    fitted = reference.ReferenceDesign(seed).fit(pair.train_a, pair.train_b)
    extras = {"chosen_step": fitted.chosen_step, "held_out_cycle": fitted.held_out_cycle}
    return Translation(fitted.transform(pair.test_a.features), extras)


def supervised_mlp(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """The bound: a network that was shown the truth of A's training recordings."""
    fitted = supervised.SupervisedMLP(seed).fit(pair.train_a, pair.truth_a)
    return Translation(fitted.transform(pair.test_a.features), {"epochs": fitted.epochs})


def real(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """B's own recordings of the test moments: what a perfect translation would score."""
    return Translation(pair.test_b.features)


# what needs neither pairs nor training: the CycleGAN has to be better than the best of these
UNPAIRED: dict[str, type[Baseline]] = {**BASELINES, BarycentricOT.name: BarycentricOT}

# where the CycleGAN starts with other help than the labels of B, which it has by default
HELPED: dict[str, Method] = {
    ours.WITHOUT_LABELS: partial(ours.untrained, use_labels=False),
    **{ours.with_pairs(n): partial(ours.untrained, pairs=n) for n in ours.PAIRS_GIVEN},
}

# in the order of the tables
METHODS: dict[str, Method] = {
    **{name: partial(baseline, kind=kind) for name, kind in UNPAIRED.items()},
    TRANSLATED: ours.cyclegan,
    ours.UNTRAINED: ours.untrained,
    REFERENCE: reference_design,
    BOUND: supervised_mlp,
    NULL: real,
    **HELPED,
}
# what is run unless other methods are asked for
DEFAULT = [name for name in METHODS if name not in HELPED]


def settings_of(method: str) -> dict[str, Any]:
    """Return the settings that a method's numbers depend on, of plain JSON types."""
    return {
        TRANSLATED: lambda: TrainingSettings().model_dump(),
        ours.UNTRAINED: lambda: TrainingSettings().model_dump(),
        REFERENCE: lambda: reference.ReferenceSettings().model_dump(),
        BOUND: lambda: {
            name: getattr(supervised, name)
            for name in ("HIDDEN", "RIDGE", "MOST_EPOCHS", "PATIENCE", "FOLDS")
        },
        BarycentricOT.name: lambda: {"points": POINTS},
        **dict.fromkeys(HELPED, lambda: TrainingSettings().model_dump()),
    }.get(method, dict)()
