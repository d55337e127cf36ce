"""A training run, from two feature sets to a folder of checkpoints."""

import logging
import os
import shutil
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Timer
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from cyclegan_lib.checkpoint.reading import BEST, LAST
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.features.normalization import NORMALIZATION
from cyclegan_lib.files import not_written, remove_leftovers
from cyclegan_lib.glance import Shown
from cyclegan_lib.locks import locked
from cyclegan_lib.models.cyclegan import CycleGANModule
from cyclegan_lib.stopping import Stopping
from cyclegan_lib.training import checkpoints
from cyclegan_lib.training.batches import UnpairedData
from cyclegan_lib.training.callbacks import ChooseCheckpoint, StopWhenAsked, Watch, verdict_of
from cyclegan_lib.training.checkpoints import History, ResumePoint
from cyclegan_lib.training.ddp import Others, check_devices, new_trainer, threads_of
from cyclegan_lib.training.domains import load_domains
from cyclegan_lib.training.logs import EpochLogger, quiet_writer
from cyclegan_lib.training.start import start_module


@dataclass(frozen=True, repr=False)
class TrainingRun(Shown):
    """What a training run leaves behind."""

    best: Path  # the chosen checkpoint
    last: Path  # the one after the last epoch
    best_epoch: int  # 0 is the untrained model, a linear map
    history: History  # one line an epoch: `epoch`, training losses, validation figures
    verdict: str = ""  # one sentence: whether its map is better than a mean shift
    expected_distance: float | None = None  # what the devices' own recordings have, held out likewise
    warnings: tuple[str, ...] = ()  # what of the recordings may make it worse than it looks, a sentence each

    @classmethod
    def load(cls, folder: str | Path) -> "TrainingRun":
        """What a training left in a folder, also one that was stopped; InputError if there is none."""
        return cls.of(Path(folder), ResumePoint.read(Path(folder) / LAST).choice)

    @classmethod
    def of(cls, folder: Path, choice: dict[str, Any], warnings: tuple[str, ...] = ()) -> "TrainingRun":
        """The same with the state of `ChooseCheckpoint`."""
        best, expected = choice["best_epoch"], choice.get("expected_distance")
        verdict = verdict_of(choice)
        return cls(folder / BEST, folder / LAST, best, choice["history"], verdict, expected, warnings)

    def glance(self) -> tuple[str, dict[str, object], dict[str, np.ndarray]]:
        """The chosen checkpoint, and the held-out distance over the epochs."""
        distance = np.array([line["val_distance"] for line in self.history if "val_distance" in line])
        facts = {"chosen": self.best, "epoch": f"{self.best_epoch} of {len(self.history) - 1}"}
        curves = {"held-out distance over the epochs": distance} if len(distance) else {}
        return "training", {**facts, "verdict": self.verdict or "none"}, curves


class EpochBar(pl.Callback):
    """A bar of all epochs: how far it is, how long it will take, and what the last one came to."""

    def __init__(self, choice: ChooseCheckpoint) -> None:
        self.choice = choice
        self.bar: tqdm | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Begin where training begins, with the start's distance."""
        done = trainer.current_epoch
        self.bar = tqdm(total=trainer.max_epochs, initial=done, desc="training", unit="epoch")
        self._say()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Count the epoch; `choice`, which is called before, has its figures."""
        self.bar.update()
        self._say()

    def on_train_end(self, *args: Any) -> None:
        """End the bar's line, so that what follows gets its own."""
        if self.bar is not None:
            self.bar.close()

    on_exception = on_train_end

    def _say(self) -> None:
        figures = self.choice.history[-1]
        loss = f", cycle loss {figures['train_cycle']:.3f}" if "train_cycle" in figures else ""
        self.bar.set_postfix_str(f"held-out distance {figures['val_distance']:.3f}{loss}")


class TimeLimit(Timer):
    """Ends training after the epoch in which its time is over; what came before the first epoch counts."""

    def __init__(self, minutes: float, began: float) -> None:
        # an epoch that is begun is finished, so that a run which was out of time can be resumed exactly
        super().__init__(timedelta(minutes=minutes), interval="epoch")
        self.began = began  # of `time.monotonic`

    @property
    def state_key(self) -> str:
        """The name under which a checkpoint keeps the state."""
        return "Timer"

    def start_time(self, stage: str = "train") -> float | None:
        """When the stage began; None before."""
        started = super().start_time(stage)
        return self.began if started is not None and stage == "train" else started


def train(
    domain_a: str | Path,
    domain_b: str | Path,
    checkpoint_dir: str | Path = "checkpoints",
    settings: TrainingSettings | None = None,
    resume: str | Path | None = None,
    progress: bool = True,
    on_epoch: Callable[[History], None] | None = None,
    pairs: str | Path | None = None,
    watch: Watch | None = None,
) -> TrainingRun:
    """Train a CycleGAN between two devices' feature sets.

    Parameters
    ----------
    domain_a, domain_b : path
        Feature sets of the two devices; nothing pairs their recordings.
    checkpoint_dir : path
        Checkpoints of an earlier run there are moved to a folder `earlier-N` inside it, not overwritten.
    settings : TrainingSettings
        When resuming, `max_epochs`, `max_minutes`, `threads`, `accelerator`, `devices` and `strategy`
        count; the others are the checkpoint's.
    resume : path or "auto", optional
        A checkpoint of a run on the same data to go on from; later ones beside it are moved to `earlier-N`.
        "auto" takes the newest one in `checkpoint_dir` that can be read, and begins anew where there is
        none; settings that are given must then be the checkpoint's.
    on_epoch : callable, optional
        Called with the history after each epoch.
    pairs : path, optional
        Recordings that both devices made at once (`Pairs.save`), one or more: optional help.
    watch : callable, optional
        Called with each epoch's number and the module, the untrained one included.

    Raises InputError if an input or the accelerator cannot be used, another training holds the folder or it
    cannot be written, the disk is full, or a loss stops being a number (cyclegan-last.ckpt then holds the
    last good epoch), and Interrupted after Ctrl-C or SIGTERM, when the epoch is done and saved.
    """
    began, folder = time.monotonic(), Path(checkpoint_dir)
    choice: ChooseCheckpoint | None = None

    def where() -> str:
        if choice is None or choice.saved is None:
            return "training was stopped before it began"
        return (
            f"training stopped after epoch {choice.saved} of {settings.max_epochs}; {folder / LAST} holds it,"
            " and --resume auto goes on from there"
        )

    with Stopping(where) as stopping, ExitStack() as held:
        point = None
        if resume == checkpoints.AUTO:
            point = checkpoints.newest(folder)
            if point is None:
                print(printable(f"no checkpoint to go on from in {folder}: training from the beginning"))
            elif settings is not None:
                point.check_same(settings)
        elif resume is not None:
            point = ResumePoint.read(_in_folder(resume, folder))
        checkpoints.check_folder(folder, domain_a, domain_b, pairs, resume=point and point.path)
        settings = point.settings(settings) if point else settings or TrainingSettings()
        _check_accelerator(settings)
        domains = load_domains(domain_a, domain_b, settings, pairs)
        if point and not domains.same_as(point.hyperparameters["data"]):
            raise InputError(
                f"{point.path} was trained on other data than {domain_a} and {domain_b}; give the feature"
                " sets that it was trained on, or train without --resume"
            )
        if settings.use_labels and domains.b.classes and not domains.b.labelled.all():
            without = len(domains.b) - domains.b.labelled.sum()
            print(printable(f"{without} of {len(domains.b)} sequences of {domain_b} have no label"))
        held.enter_context(locked(folder, remedy=checkpoints.OTHER_FOLDER))
        remove_leftovers(folder, *checkpoints.WRITTEN)
        if drawn := domains.drawn_in_words(settings.seed):
            print(printable(drawn))
        others = held.enter_context(Others(settings.devices))
        torch.set_num_threads(threads_of(settings))
        held.enter_context(threadpool_limits(threads_of(settings), "blas"))
        pl.seed_everything(settings.seed, verbose=False)
        if point is None:
            module = start_module(domains, settings, progress)
            _check_room(folder, module)
            checkpoints.set_earlier_run_aside(folder, domains.normalizer.to_dict())
        else:
            module = CycleGANModule(**{**point.hyperparameters, "settings": settings.model_dump()})
            checkpoints.restore_folder(point, folder, domains.normalizer.to_dict())
        domains.normalizer.save(folder / NORMALIZATION)
        if point and point.epoch >= settings.max_epochs:
            print(printable(f"{point.path} is done: it holds epoch {point.epoch} of {settings.max_epochs}"))
            return TrainingRun.of(folder, point.choice, domains.warnings)
        if point and resume == checkpoints.AUTO:
            print(printable(f"going on from {point.path} after epoch {point.epoch} of {settings.max_epochs}"))

        choice = ChooseCheckpoint(folder, settings.keep_checkpoints, on_epoch, watch)
        limit = TimeLimit(settings.max_minutes, began)
        _fit(module, UnpairedData(domains, settings), others, choice, stopping, limit, point, progress)
        return TrainingRun.of(folder, choice.state_dict(), domains.warnings)


def _check_accelerator(settings: TrainingSettings) -> None:
    """Raise InputError if this machine lacks it: Lightning would say so when files were written."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    check_devices(settings)
    try:
        new_trainer(settings, logger=False)
    except Exception as error:  # of several classes, by accelerator
        raise InputError(
            f"the accelerator {settings.accelerator} cannot be used here ({' '.join(str(error).split())});"
            f" give {'fewer --devices, or ' * (settings.devices > 1)}--accelerator cpu, or auto for the best"
            " there is"
        ) from error


def _in_folder(resume: str | Path, folder: Path) -> Path:
    """The checkpoint itself where `resume` is a link to one in `folder`, which may be moved."""
    target = Path(os.path.realpath(resume))
    return folder / target.name if str(target.parent) == os.path.realpath(folder) else Path(resume)


def _fit(
    module: CycleGANModule,
    data: UnpairedData,
    others: Others,
    choice: ChooseCheckpoint,
    stopping: Stopping,
    limit: TimeLimit,
    point: ResumePoint | None,
    progress: bool,
) -> None:
    settings, folder = module.settings, choice.folder
    bars = [EpochBar(choice)] if progress else []
    with warnings.catch_warnings():
        # the data are tensors in memory: no worker processes are wanted, and few batches are no mistake
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", ".*sync_dist=True.*")  # validation is the first process's alone
        start = point and str(point.path.absolute())  # Lightning takes "last" or "http-run/x.ckpt" otherwise
        try:
            with others.at_work(module, data, limit, start) as share, quiet_writer():
                trainer = new_trainer(
                    settings,
                    logger=EpochLogger(folder, point.epoch * settings.steps_per_epoch if point else 0),
                    callbacks=[*share, StopWhenAsked(stopping), choice, limit, *bars],
                )
                trainer.fit(module, datamodule=data, ckpt_path=start, weights_only=True)
        except (OSError, InputError) as error:
            left = f"; {folder / LAST} holds epoch {choice.saved}, the last good one"
            logs = checkpoints.folder_of_logs(folder)
            ended = not_written(logs, error) if isinstance(error, OSError) else error
            raise InputError(f"{ended}{'' if choice.saved is None else left}") from error


def _check_room(folder: Path, module: CycleGANModule) -> None:
    """Raise InputError if the checkpoints of a run cannot be written: later is a bad moment to find out."""
    weights = sum(value.nbytes for value in module.state_dict().values())
    moments = 2 * sum(value.nbytes for value in module.parameters())
    # best, last, those that are kept, and one that is being written
    needed = (module.settings.keep_checkpoints + 3) * (weights + moments) / 1e6
    free = shutil.disk_usage(folder).free / 1e6
    if free < needed:
        raise InputError(
            f"{folder} has room for {free:,.1f} MB, and the checkpoints of this run need {needed:,.1f} MB;"
            " make room there, or choose another folder"
        )
