"""A training run's checkpoints on disk: how one is written, which to go on from, what else its folder holds.

One state is written after each epoch: first as cyclegan-last.ckpt, then copied to best.ckpt and to a name of
its own where it is good enough. So cyclegan-last.ckpt is always the newest, a kill between two files loses
none, and going on from any of the names is the same.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from cyclegan_lib import documents
from cyclegan_lib.checkpoint.reading import BEST, LAST, read_checkpoint
from cyclegan_lib.checkpoint.torch_file import write_tensors
from cyclegan_lib.config import RECORD, TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.normalization import NORMALIZATION
from cyclegan_lib.files import is_utf8, next_free, not_an_input, replacing
from cyclegan_lib.names import check_written

METRICS_CSV = "metrics.csv"
LOGS = "logs"
EVENTS = ("events.out.tfevents.*", "hparams.yaml")  # TensorBoard's
EXPORTED_CONFIG = "model_config.json"  # in a folder that was exported to
WRITTEN = ("*.ckpt", METRICS_CSV, NORMALIZATION)  # a killed process may leave a temporary file of each
CHOICE = "ChooseCheckpoint"  # the callback's name in Lightning's checkpoints
AUTO = "auto"
OTHER_FOLDER = "give another folder for checkpoints"
# what may change from one start to the next: how long to train, and on what
FREE = ("max_epochs", "max_minutes", "threads", "accelerator", "devices", "strategy")

History = list[dict[str, float]]
Normalization = dict[str, list[float]]  # `Normalizer.to_dict()`


class WholeFilesIO(TorchCheckpointIO):
    """Writes a checkpoint beside its name and renames it: a reader finds the old one or the new one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`."""
        with replacing(path) as part:
            write_tensors(checkpoint, part)

    def load_checkpoint(
        self, path: str, map_location: Any = "cpu", weights_only: bool = True
    ) -> dict[str, Any]:
        """Read what `save_checkpoint` wrote: a file, though its path may look like a URL; never objects."""
        return torch.load(path, map_location=map_location, weights_only=True)


@dataclass(frozen=True)
class ResumePoint:
    """A checkpoint that training can go on from."""

    path: Path
    epoch: int  # epochs that were completed; 0 is the untrained model
    choice: dict[str, Any]  # the state of `ChooseCheckpoint`: history, best epoch, checkpoints that are kept
    hyperparameters: dict[str, Any]  # of `CycleGANModule`

    @classmethod
    def read(cls, path: str | Path) -> "ResumePoint":
        """Read a checkpoint; raises InputError if it is missing, damaged or not ours."""
        checkpoint = read_checkpoint(path)
        choice = checkpoint["callbacks"][CHOICE]
        return cls(Path(path), len(choice["history"]) - 1, choice, checkpoint["hyper_parameters"])

    @property
    def distance(self) -> float:
        """The held-out distance after its last epoch."""
        return self.choice["history"][-1]["val_distance"]

    def same_run(self, other: "ResumePoint") -> bool:
        """Whether one of the two was reached from the other."""
        both = zip(self.choice["history"], other.choice["history"], strict=False)
        return all(one == another for one, another in both)

    def settings(self, asked: TrainingSettings | None) -> TrainingSettings:
        """Its settings, but for those that may change, where settings are asked for."""
        free = {} if asked is None else {name: getattr(asked, name) for name in FREE}
        return TrainingSettings(**{**self.hyperparameters["settings"], **free})

    def check_same(self, asked: TrainingSettings) -> None:
        """Raise InputError if a setting is asked for that this was not trained with."""
        own, wanted = _flat(self.hyperparameters["settings"]), _flat(asked.model_dump())
        for name, value in wanted.items():
            if name not in FREE and own[name] != value:
                raise InputError(
                    f"{self.path} was trained with {name} = {own[name]}, and {value} is asked for; ask for"
                    " the same to go on from it, or give another folder for checkpoints to train anew"
                )


def _flat(settings: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{before}{name}_") if isinstance(value, dict) else {before + name: value}
    return flat


def newest(folder: Path) -> ResumePoint | None:
    """The checkpoint in `folder` with the most completed epochs; None where none can be read.

    One that cannot be read is named in a line on stderr and passed over.
    """
    # the newest is nearly always the last: first, so that it is taken where others hold the same epoch
    paths = sorted(checkpoints_in(folder), key=lambda path: path.name != LAST)
    return max(_readable(paths, tell=True), key=lambda point: point.epoch, default=None)


def _readable(paths: list[Path], tell: bool = False) -> list[ResumePoint]:
    points = []
    for path in paths:
        try:
            points.append(ResumePoint.read(path))
        except InputError as error:
            if tell:
                print(f"passed over: {error}", file=sys.stderr)
    return points


def name_of(figures: dict[str, float]) -> str:
    """The file name of an epoch's own checkpoint; Lightning counts epochs from 0 there."""
    return f"cyclegan-epoch={int(figures['epoch']) - 1}-val_cycle_A={figures['val_cycle_A']:.4f}.ckpt"


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints of a folder, without temporary files."""
    return sorted(path for path in folder.glob("*.ckpt") if not path.name.startswith("."))


def folder_of_logs(folder: Path) -> Path:
    """Where TensorBoard's files are: in `logs`; of a run in its own folder, whose name TensorBoard shows."""
    return folder.parent if (folder.parent / RECORD).exists() else folder / LOGS


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file whole or not at all."""
    with replacing(target) as part:
        shutil.copyfile(source, part)


def write_metrics(folder: Path, history: History) -> None:
    """Write the history as metrics.csv, one line an epoch."""
    names = sorted({name for figures in history for name in figures} - {"epoch"})
    documents.write_table(folder / METRICS_CSV, ["epoch", *names], history)


def check_folder(folder: Path, *inputs: str | Path | None, resume: Path | None = None) -> None:
    """Raise InputError if a run in `folder` would overwrite or move one of its inputs, or exported models.

    `resume` may be one of the folder's checkpoints, which are moved at most.
    """
    if (folder / EXPORTED_CONFIG).exists():
        raise InputError(f"{folder} holds exported models; {OTHER_FOLDER}")
    if not is_utf8(folder.absolute()):
        raise InputError(
            f"{folder.absolute()} has bytes in its name that are not UTF-8, which TensorBoard's files cannot"
            f" have; {OTHER_FOLDER}"
        )
    check_written(folder / name_of({"epoch": 1000, "val_cycle_A": 10.0}))
    if not folder.is_dir():
        return
    remedy = f"{OTHER_FOLDER}, or rename it"
    for path in checkpoints_in(folder):
        not_an_input(path, *inputs, remedy=remedy)
    for path in (folder / METRICS_CSV, folder / NORMALIZATION, *(folder / LOGS).rglob("*")):
        not_an_input(path, *inputs, resume, remedy=remedy)


def set_earlier_run_aside(folder: Path, normalization: Normalization) -> None:
    """Move what an earlier run left in `folder` to a folder earlier-N inside it.

    What a run that was killed before its first checkpoint left there, the same `normalization`, stays.
    """
    own = [*checkpoints_in(folder), folder / METRICS_CSV, folder / NORMALIZATION, folder / LOGS]
    left = [path for path in own if path.exists()]
    same = documents.read_if_whole(folder / NORMALIZATION, Normalization) == normalization
    begun = {LOGS, NORMALIZATION} if same else {LOGS}
    if any(path.name not in begun for path in left):
        aside = _earlier(folder)
        for path in left:
            path.rename(aside / path.name)
        for path in _run_events(folder):
            (aside / LOGS).mkdir(exist_ok=True)
            path.rename(aside / LOGS / path.name)


def restore_folder(point: ResumePoint, folder: Path, normalization: Normalization) -> None:
    """Make `folder` what it was when `point` was written; what is later goes to earlier-N, nothing is lost.

    After a kill between two files this finishes what was begun. In another folder than that of `point` the
    checkpoints that the run keeps are taken along.
    """
    source = point.path.parent
    others = _readable([path for path in checkpoints_in(source) if path.name != point.path.name])
    run = [point, *(other for other in others if point.same_run(other))]
    # the best epoch's file, or the best that is left where a better one has replaced it since
    best = min(run, key=lambda one: (one.epoch != point.choice["best_epoch"], one.distance))
    later: list[Path] = []
    if os.path.realpath(folder) != os.path.realpath(source):
        set_earlier_run_aside(folder, normalization)
    else:
        later = [one.path for one in run if one.epoch > point.epoch]
    aside = _earlier(folder) if later else None
    for path in later:
        if path.name in (BEST, LAST):  # replaced below: at no moment the folder is without them
            copy_whole(path, aside / path.name)
    for name, wanted in ((BEST, best), (LAST, point)):
        if not any(one.path == folder / name and one.epoch == wanted.epoch for one in run):
            copy_whole(wanted.path, folder / name)
    for path in later:
        if path.name not in (BEST, LAST):
            path.rename(aside / path.name)
    for name, epoch in point.choice.get("kept", {}).items():
        kept = point.path if epoch == point.epoch else source / name
        if not (folder / name).exists() and kept.exists():
            copy_whole(kept, folder / name)
    for name in point.choice.get("dropped", ()):
        (folder / name).unlink(missing_ok=True)
    write_metrics(folder, point.choice["history"])


def _run_events(folder: Path) -> list[Path]:
    """TensorBoard's files of a run's checkpoints."""
    logs = folder_of_logs(folder)
    return [] if logs.parent == folder else [path for name in EVENTS for path in logs.glob(name)]


def _earlier(folder: Path) -> Path:
    earlier = next_free(folder / "earlier")
    earlier.mkdir()
    return earlier
