"""What happens between epochs: history, the choice of the checkpoint, the files."""

import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from cyclegan_lib.checkpoint.random_states import random_states, restore_random_states
from cyclegan_lib.checkpoint.reading import BEST, FORMAT, LAST
from cyclegan_lib.errors import InputError
from cyclegan_lib.models.cyclegan import CycleGANModule
from cyclegan_lib.stopping import Stopping
from cyclegan_lib.training.batches import UnpairedData
from cyclegan_lib.training.checkpoints import CHOICE, History, copy_whole, name_of, write_metrics
from cyclegan_lib.training.criterion import held_out_distance
from cyclegan_lib.training.verdict import Evidence, verdict

Watch = Callable[[int, CycleGANModule], None]
MAX_ASKED = 64  # recordings on which the restarts' disagreement is measured: each epoch waits for it


class ChooseCheckpoint(pl.Callback):
    """After each epoch measure the held-out distance and write the checkpoints; best.ckpt has the lowest.

    The untrained generators, which are linear maps, take part as epoch 0: training can only improve on them
    in this measure, and there is a checkpoint from the first moment on. Below what the devices' own
    recordings have, held out likewise, distances say nothing: the earliest epoch there is the best. The
    history of all logged figures travels in the checkpoint, so that curves are whole after a resume, and is
    written to metrics.csv after each epoch.
    """

    def __init__(
        self,
        folder: Path,
        keep: int,  # epochs with a checkpoint of their own: those with the lowest distances
        on_epoch: Callable[[History], None] | None = None,  # called after each epoch, to draw live curves
        watch: Watch | None = None,  # to measure what the choice must not see
    ) -> None:
        self.folder, self.keep = folder, keep
        self.on_epoch, self.watch = on_epoch, watch
        self.history: History = []
        self.saved: int | None = None  # the epoch that cyclegan-last.ckpt holds
        self.evidence: Evidence | None = None  # of the start; runs of before kept none
        self.expected: float | None = None  # the held-out distance of the device's own recordings
        self._random_states: dict[str, Any] | None = None

    @property
    def state_key(self) -> str:
        """The name under which a checkpoint keeps the state."""
        return CHOICE

    def state_dict(self) -> dict[str, Any]:
        """The history, and what follows from it: plain types."""
        best = min(self.history, key=self._cost)
        kept, before = self._kept(self.history), self._kept(self.history[:-1])
        return {
            "history": self.history,
            "best_epoch": int(best["epoch"]),
            "best_distance": best["val_distance"],
            "kept": kept,  # file names and their epochs
            # what the last epoch removed: a kill may have come before
            "dropped": [name for name in before if name not in kept],
            "evidence": self.evidence and asdict(self.evidence),
            "expected_distance": self.expected,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.history = list(state_dict["history"])
        self.saved = int(self.history[-1]["epoch"])
        evidence = state_dict.get("evidence")
        self.evidence, self.expected = evidence and Evidence(**evidence), state_dict.get("expected_distance")

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the format, what an export shows, distils and judges with, and the generators' states."""
        checkpoint["format"] = FORMAT
        checkpoint["example"] = trainer.datamodule.example
        checkpoint["slice_moments"] = trainer.datamodule.slice_moments
        checkpoint["seen"] = self._seen(trainer, module)
        checkpoint["verdict"] = verdict_of(self.state_dict())
        checkpoint["random_states"] = random_states()

    def on_load_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember the random generators' states until training starts."""
        self._random_states = checkpoint.get("random_states")

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Measure and write epoch 0, unless this run goes on from a checkpoint."""
        if not self.history:
            self.evidence = module.evidence
            self.expected = float(np.mean(_to_held_out(trainer.datamodule.others, trainer.datamodule)))
            trainer.datamodule.gains.fit(module)
            module.held_out = module.member_translations(trainer.datamodule.held_out_on(module.device))
            self._keep({"epoch": 0, **self._distances(trainer, module)}, trainer, module)
        elif self._random_states is not None:
            # only here, after everything that draws while a trainer is set up
            restore_random_states(self._random_states)

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Log the held-out distance with the other validation figures."""
        trainer.datamodule.gains.fit(module)
        module.log_dict(self._distances(trainer, module))

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Add the epoch to the history and write its checkpoints."""
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        wrong = [name for name, value in figures.items() if not math.isfinite(value)]
        # a last step can break what no figure shows: a discriminator
        wrong += [name for name, value in module.state_dict().items() if not value.isfinite().all()]
        if wrong:
            raise InputError(
                f"training diverged in epoch {trainer.current_epoch + 1} ({wrong[0]} is not a finite number);"
                " try a lower learning rate"
            )
        self._keep({"epoch": trainer.current_epoch + 1, **figures}, trainer, module)

    def _keep(self, figures: dict[str, float], trainer: pl.Trainer, module: CycleGANModule) -> None:
        epoch = int(figures["epoch"])
        self.history.append(figures)
        state = self.state_dict()
        copies = [BEST] if state["best_epoch"] == epoch else []
        copies += [name for name, kept in state["kept"].items() if kept == epoch]
        # what was logged goes to the disk first: it would be missing after a kill, as the epoch is done
        trainer.logger.experiment.flush()
        trainer.save_checkpoint(self.folder / LAST)
        self.saved = epoch
        for name in copies:
            copy_whole(self.folder / LAST, self.folder / name)
        for name in state["dropped"]:
            (self.folder / name).unlink(missing_ok=True)
        write_metrics(self.folder, self.history)
        if self.on_epoch is not None:
            self.on_epoch(self.history)
        if self.watch is not None:
            self.watch(epoch, module)

    def _cost(self, figures: dict[str, float]) -> float:
        return max(figures["val_distance"], self.expected or 0.0)

    def _kept(self, history: History) -> dict[str, int]:
        best = sorted(history[1:], key=self._cost)[: self.keep]
        return {name_of(figures): int(figures["epoch"]) for figures in history if figures in best}

    @staticmethod
    @torch.no_grad()
    def _seen(trainer: pl.Trainer, module: CycleGANModule) -> dict[str, Any]:
        """What the training recordings are like, and how far the restarts disagree on some of them."""
        data, seen = trainer.datamodule, {}
        for name, average, first in (
            ("A", module.average_AB, data.first_a),
            ("B", module.average_BA, data.first_b),
        ):
            some = first[:: -(-len(first) // MAX_ASKED)].to(module.device)
            apart = average.module.disagreement(some).cpu().numpy()
            seen[name] = data.seen[name].with_disagreement(apart).model_dump()
        return seen

    @staticmethod
    def _distances(trainer: pl.Trainer, module: CycleGANModule) -> dict[str, float]:
        """The mean over restarts of each one's distance on the recordings that it never saw."""
        made = [(each["A"].cpu(), each["B"].cpu()) for each in module.held_out]
        to_a, to_b = _to_held_out(made, trainer.datamodule)
        # also of each restart, to see which one did well
        each = {f"val_distance_{i}": (x + y) / 2 for i, (x, y) in enumerate(zip(to_b, to_a, strict=True))}
        means = {"val_distance_AB": float(np.mean(to_b)), "val_distance_BA": float(np.mean(to_a))}
        return {**means, "val_distance": (means["val_distance_AB"] + means["val_distance_BA"]) / 2, **each}


def _to_held_out(made: list[tuple[torch.Tensor, torch.Tensor]], data: UnpairedData) -> list[list[float]]:
    """Of each restart's sequences of A, and of B, the distances to its held-out ones."""
    return [
        [held_out_distance(own[i], real[i], measure) for own, real in zip(made, data.held_out, strict=True)]
        for i, measure in enumerate(data.yardsticks)
    ]


def verdict_of(state: dict[str, Any]) -> str:
    """The verdict on what the callback has chosen; "" for runs of before."""
    return verdict(Evidence(**state["evidence"]), state["best_epoch"]) if state.get("evidence") else ""


class StopWhenAsked(pl.Callback):
    """Let the epoch end and be saved when a signal asks to stop."""

    def __init__(self, stopping: Stopping) -> None:
        self.stopping = stopping
        self.noticed = False

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """From here on a signal waits for the end of an epoch."""
        self.stopping.listen()
        self.stopping.patient = True

    def on_train_batch_end(self, *args: Any) -> None:
        """Say that the signal was heard."""
        if self.stopping.asked is not None and not self.noticed:
            self.noticed = True
            print(
                "\nstopping when this epoch is done and saved; once more stops at once and loses it",
                file=sys.stderr,
            )

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Stop: the epoch before is saved."""
        if self.stopping.asked is not None:
            self.stopping.stop()

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Stop if the signal came in the last epoch."""
        self.on_train_epoch_start(trainer, module)
        self.stopping.patient = False
