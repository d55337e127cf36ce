"""The rows of the benchmark: ways to translate A to B, one function each, and the bounds around them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ot
import torch

from cyclegan_lib.benchmark import reference, supervised
from cyclegan_lib.benchmark.device_pair import DevicePair
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.evaluation.baselines import BASELINES, Baseline
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.evaluation.downstream import FaultClassifier
from cyclegan_lib.evaluation.report import TRANSLATED
from cyclegan_lib.features import Normalizer

POINTS = 2000  # slices of each side that are transported: the coupling is a matrix of 32 MB
UNTRAINED = "CycleGAN, untrained"
REFERENCE, BOUND, NULL = "reference design", "supervised MLP", "real B"


@dataclass(frozen=True)
class Translation:
    """What a method makes of a pair's test set.

    Attributes
    ----------
    features : float32 array, (sequences, slices, 40), dB
        The rows of `test_a` as the method thinks B would have heard them.
    extras : dict
        Further figures of the method, of plain JSON types: they are kept beside its measures.
    """

    features: np.ndarray
    extras: dict[str, Any] = field(default_factory=dict)


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


def cyclegan(pair: DevicePair, seed: int, folder: Path, **options: Any) -> Translation:
    """The library's own training run, with its default settings, and the checkpoint that it chose.

    The extras hold what the choice could not see: the error and the accuracies of every other epoch, and
    of each restart.
    """
    from cyclegan_lib.models import CycleGANModule
    from cyclegan_lib.training import train

    a, b = pair.train_a.save(folder / "a.npz"), pair.train_b.save(folder / "b.npz")
    trail = Trail(pair, seed)
    settings = TrainingSettings(seed=seed, **options)
    run = train(a, b, folder / "checkpoints", settings, progress=False, watch=trail)
    module = CycleGANModule.load_from_checkpoint(run.best, map_location="cpu", weights_only=True).eval()
    extras = {"best_epoch": run.best_epoch, "epochs": len(run.history) - 1, "trail": trail.with_(run.history)}
    return Translation(_translate(module, pair), extras)


def untrained(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """Where the CycleGAN starts: the mean of the restarts' matched linear maps, and the gains."""
    from cyclegan_lib.training import load_domains
    from cyclegan_lib.training.batches import UnpairedData
    from cyclegan_lib.training.fit import started

    a, b = pair.train_a.save(folder / "a.npz"), pair.train_b.save(folder / "b.npz")
    settings = TrainingSettings(seed=seed)
    domains = load_domains(a, b, settings)
    torch.manual_seed(seed)
    module, data = started(domains, settings), UnpairedData(domains, settings)
    module.fit_gains(data.first_a, data.first_b)
    return Translation(_translate(module, pair))


class Trail:
    """Errors and accuracies along a training run, measured on the test pairs; the run never sees them."""

    def __init__(self, pair: DevicePair, seed: int, every: int = 2) -> None:
        self.pair, self.every = pair, every
        self.classifier = FaultClassifier(seed).fit(pair.train_b)
        self.points: list[dict[str, Any]] = []

    def __call__(self, epoch: int, module: Any) -> None:
        """Called by `train` for the untrained model and after each epoch."""
        if epoch % self.every:
            return
        translated, truth = _translate(module, self.pair), self.pair.test_b
        accuracy = self.classifier.accuracy(truth.with_features(translated, truth.device))
        members = [nmse(features, truth.features) for features in _members(module, self.pair)]
        self.points.append(
            {"epoch": epoch, "nmse": nmse(translated, truth.features), **accuracy, "members": members}
        )

    def with_(self, history: list[dict[str, float]]) -> list[dict[str, Any]]:
        """The points with the criterion of the same epoch, for the ensemble and for each restart."""
        figures = {int(row["epoch"]): row for row in history}
        return [
            {
                **point,
                "criterion": figures[point["epoch"]]["val_distance"],
                "member_criteria": [
                    figures[point["epoch"]][f"val_distance_{i}"] for i in range(len(point["members"]))
                ],
            }
            for point in self.points
        ]


def _translate(module: Any, pair: DevicePair) -> np.ndarray:
    normalizer = Normalizer.from_dict(module.hparams["normalization"])
    z = torch.from_numpy(normalizer.normalize(pair.test_a.features, "A"))  # (sequences, slices, 40)
    return normalizer.denormalize(module.convert_A_to_B(z).numpy(), "B")


@torch.no_grad()
def _members(module: Any, pair: DevicePair) -> list[np.ndarray]:
    normalizer = Normalizer.from_dict(module.hparams["normalization"])
    z = torch.from_numpy(normalizer.normalize(pair.test_a.features, "A"))
    generator = module.average_AB.module
    each = generator.each(z.expand(generator.members, *z.shape), generator.strength)
    return [normalizer.denormalize(y.numpy(), "B") for y in each]


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

# in the order of the tables
METHODS: dict[str, Method] = {
    **{name: partial(baseline, kind=kind) for name, kind in UNPAIRED.items()},
    TRANSLATED: cyclegan,
    UNTRAINED: untrained,
    REFERENCE: reference_design,
    BOUND: supervised_mlp,
    NULL: real,
}


def settings_of(method: str) -> dict[str, Any]:
    """Return the settings that a method's numbers depend on, of plain JSON types."""
    return {
        TRANSLATED: lambda: TrainingSettings().model_dump(),
        UNTRAINED: lambda: TrainingSettings().model_dump(),
        REFERENCE: lambda: reference.ReferenceSettings().model_dump(),
        BOUND: lambda: {
            name: getattr(supervised, name)
            for name in ("HIDDEN", "RIDGE", "MOST_EPOCHS", "PATIENCE", "FOLDS")
        },
        BarycentricOT.name: lambda: {"points": POINTS},
    }.get(method, dict)()
