"""The CycleGAN's own rows: trained, untrained, and with other help than usual."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cyclegan_lib.benchmark.device_pair import DevicePair, Translation, in_both_directions
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.features import Normalizer, Pairs

UNTRAINED = "untrained CycleGAN"
WITHOUT_LABELS = "untrained CycleGAN without labels"
PAIRS_GIVEN = (1, 2, 4, 8)
EVERY = 2  # epochs between two points of a trail


def with_pairs(number: int) -> str:
    """The row's name."""
    return f"untrained CycleGAN with {number} pair{'s' * (number > 1)}"


def cyclegan(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """The library's own training run, with its default settings, and the checkpoint that it chose.

    The extras hold what the choice could not see: the error and the accuracies of every other epoch, and
    of each restart.
    """
    from cyclegan_lib.models import CycleGANModule
    from cyclegan_lib.training import train

    a, b = pair.train_a.save(folder / "a.npz"), pair.train_b.save(folder / "b.npz")
    watched = Trail(pair, seed)
    settings = TrainingSettings(seed=seed, accelerator="cpu")  # as many at once as there are cores
    run = train(a, b, folder / "checkpoints", settings, progress=False, watch=watched)
    module = CycleGANModule.load_from_checkpoint(run.best, map_location="cpu", weights_only=True).eval()
    trail = watched.joined(run.history, run.expected_distance)
    extras = {"best_epoch": run.best_epoch, "epochs": len(run.history) - 1, "trail": trail}
    return _translation(module, pair, seed, extras)


def untrained(
    pair: DevicePair, seed: int, folder: Path, use_labels: bool = True, pairs: int = 0
) -> Translation:
    """Where the CycleGAN starts: the mean of the restarts' matched linear maps, and the gains.

    `pairs` recordings of A, drawn by the seed, are shown with their truth.
    """
    from cyclegan_lib.training import load_domains
    from cyclegan_lib.training.batches import UnpairedData
    from cyclegan_lib.training.start import start_module

    a, b = pair.train_a.save(folder / "a.npz"), pair.train_b.save(folder / "b.npz")
    settings = TrainingSettings(seed=seed, use_labels=use_labels)
    given = None
    if pairs:
        names = np.random.default_rng(seed).permutation(np.unique(pair.train_a.recording))[:pairs]
        shown = np.isin(pair.train_a.recording, names)
        given = Pairs.of(pair.train_a.select(shown), pair.truth_a.select(shown)).save(folder / "pairs.npz")
    domains = load_domains(a, b, settings, given)
    torch.manual_seed(seed)
    module = start_module(domains, settings)
    UnpairedData(domains, settings).gains.fit(module)
    return _translation(module, pair, seed)


class Trail:
    """Errors and accuracies along a training run, measured on the test pairs; the run never sees them."""

    def __init__(self, pair: DevicePair, seed: int) -> None:
        self.pair = pair
        self.classifier = FaultModels(seed).fit(pair.train_b)
        self.points: list[dict[str, Any]] = []

    def __call__(self, epoch: int, module: Any) -> None:
        """Called by `train` for the untrained model and after each epoch."""
        if epoch % EVERY:
            return
        translated, truth = _maps(module)[0](self.pair.test_a.features), self.pair.test_b
        accuracy = self.classifier.accuracy(truth.with_features(translated, truth.device))
        members = [nmse(features, truth.features) for features in _members(module, self.pair)]
        error = nmse(translated, truth.features)
        self.points.append({"epoch": epoch, "nmse": error, **accuracy, "members": members})

    def joined(self, history: list[dict[str, float]], expected: float) -> list[dict[str, Any]]:
        """The points with the criterion of the same epoch, for the ensemble and for each restart.

        Below the `expected` distance the choice sees no difference.
        """
        trail = []
        for point in self.points:
            row = history[point["epoch"]]
            criterion = max(row["val_distance"], expected)
            members = [row[f"val_distance_{i}"] for i in range(len(point["members"]))]
            trail.append({**point, "criterion": criterion, "member_criteria": members})
        return trail


def _maps(module: Any) -> list[Callable[[np.ndarray], np.ndarray]]:
    """The maps of features, (sequences, slices, 40) dB, from A to B and from B to A."""
    normalizer = Normalizer.from_dict(module.hparams["normalization"])

    def through(convert: Callable, source: str, target: str, x: np.ndarray) -> np.ndarray:
        z = torch.from_numpy(normalizer.normalize(x, source))
        return normalizer.denormalize(convert(z).numpy(), target)

    return [
        partial(through, module.convert_A_to_B, "A", "B"),
        partial(through, module.convert_B_to_A, "B", "A"),
    ]


def _translation(
    module: Any, pair: DevicePair, seed: int, extras: dict[str, Any] | None = None
) -> Translation:
    return in_both_directions(pair, *_maps(module), seed, extras)


@torch.no_grad()
def _members(module: Any, pair: DevicePair) -> list[np.ndarray]:
    normalizer = Normalizer.from_dict(module.hparams["normalization"])
    z = torch.from_numpy(normalizer.normalize(pair.test_a.features, "A"))  # (sequences, slices, 40)
    generator = module.average_AB.module
    each = generator.each(z.expand(generator.members, *z.shape), generator.strength)
    return [normalizer.denormalize(y.numpy(), "B") for y in each]
