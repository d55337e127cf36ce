"""What happens between epochs: history, the choice of the checkpoint, the files."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import replacing
from cyclegan_lib.models.checkpoint import BEST
from cyclegan_lib.models.cyclegan import CycleGANModule
from cyclegan_lib.training.criterion import held_out_distance

NAMED = "cyclegan-{epoch}-{val_cycle_A:.4f}"
METRICS = "metrics.csv"

History = list[dict[str, float]]
Watch = Callable[[int, CycleGANModule], None]


class WholeFilesIO(TorchCheckpointIO):
    """Writes a checkpoint beside its name and renames it: a reader finds the old one or the new one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`."""
        with replacing(path) as part:
            torch.save(checkpoint, part)


class ChooseCheckpoint(pl.Callback):
    """After each epoch measure the held-out distance; keep the epoch where it was lowest as best.ckpt.

    The untrained generators, which are linear maps, take part as epoch 0: training can only improve on them
    in this measure. The history of all logged figures travels in the checkpoint,
    so that curves are whole after a resume, and is written to metrics.csv after each epoch.

    Parameters
    ----------
    folder : Path
        Where checkpoints go.
    on_epoch : callable, optional
        Called with the history (a list of dicts, one an epoch) after each epoch, to draw live curves.
    watch : callable, optional
        Called with the epoch and the module, for the untrained model and after each epoch: to measure what
        the choice must not see.
    """

    def __init__(
        self, folder: Path, on_epoch: Callable[[History], None] | None = None, watch: Watch | None = None
    ) -> None:
        self.folder = folder
        self.on_epoch = on_epoch
        self.watch = watch
        self.history: History = []
        self.best_epoch = 0
        self.best_distance = math.inf

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: plain types."""
        return {
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_distance": self.best_distance,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.history = list(state_dict["history"])
        self.best_epoch, self.best_distance = state_dict["best_epoch"], state_dict["best_distance"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Measure epoch 0, unless this run goes on from a checkpoint."""
        if not self.history:
            self._fit_gains(trainer, module)
            self._keep({"epoch": 0, **self._distances(trainer, module)}, trainer, module)

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Log the held-out distance with the other validation figures."""
        if not trainer.sanity_checking:
            self._fit_gains(trainer, module)
            module.log_dict(self._distances(trainer, module))

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Add the epoch to the history; keep the checkpoint if it is the best so far."""
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        wrong = [name for name, value in figures.items() if not math.isfinite(value)]
        if wrong:
            raise InputError(
                f"training diverged in epoch {trainer.current_epoch + 1} ({wrong[0]} is not a finite number);"
                f" {self.folder / BEST} holds the best epoch before; try a lower learning rate"
            )
        self._keep({"epoch": trainer.current_epoch + 1, **figures}, trainer, module)

    def _keep(self, figures: dict[str, float], trainer: pl.Trainer, module: CycleGANModule) -> None:
        self.history.append(figures)
        if figures["val_distance"] < self.best_distance:
            self.best_distance, self.best_epoch = figures["val_distance"], int(figures["epoch"])
            trainer.save_checkpoint(self.folder / BEST)
        _write_metrics(self.folder / METRICS, self.history)
        if self.on_epoch is not None:
            self.on_epoch(self.history)
        if self.watch is not None:
            self.watch(int(figures["epoch"]), module)

    @staticmethod
    def _fit_gains(trainer: pl.Trainer, module: CycleGANModule) -> None:
        data = trainer.datamodule
        module.fit_gains(data.first_a.to(module.device), data.first_b.to(module.device))

    @staticmethod
    def _distances(trainer: pl.Trainer, module: CycleGANModule) -> dict[str, float]:
        """The mean over restarts of each one's distance on the recordings that it never saw."""
        held_out = [tuple(x.to(module.device) for x in both) for both in trainer.datamodule.held_out]
        found = module.member_translations([a for a, _ in held_out], [b for _, b in held_out])
        both = list(zip(found, held_out, strict=True))
        to_b = [_distance(its["B"], b) for its, (_, b) in both]
        to_a = [_distance(its["A"], a) for its, (a, _) in both]
        # also of each restart, to see which one did well
        each = {f"val_distance_{i}": (x + y) / 2 for i, (x, y) in enumerate(zip(to_b, to_a, strict=True))}
        means = {"val_distance_AB": float(np.mean(to_b)), "val_distance_BA": float(np.mean(to_a))}
        return {**means, "val_distance": (means["val_distance_AB"] + means["val_distance_BA"]) / 2, **each}


def _distance(translated: torch.Tensor, real: torch.Tensor) -> float:
    return held_out_distance(translated.cpu().numpy(), real.cpu().numpy())


def _write_metrics(path: Path, history: History) -> None:
    names = sorted({name for figures in history for name in figures} - {"epoch"})
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["epoch", *names])
        writer.writeheader()
        writer.writerows(history)
