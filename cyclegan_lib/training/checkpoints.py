"""A training run's checkpoints on disk: how one is written, how far it is, what its folder holds besides.

One state is written after each epoch: first as cyclegan-last.ckpt, then copied to best.ckpt and to a name of
its own where it is good enough. So cyclegan-last.ckpt is always the newest, a kill between two files loses
none, and going on from any of the names is the same.
"""

import csv
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from cyclegan_lib.checkpoint.reading import BEST, LAST, read_checkpoint
from cyclegan_lib.checkpoint.torch_file import write_tensors
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import is_utf8, not_an_input, replacing

METRICS = "metrics.csv"
NORMALIZATION = "normalization_params.json"
LOGS = "logs"
EXPORTED = "model_config.json"  # in a folder that was exported to
# names of which a killed process may leave a temporary file
OURS = ("*.ckpt", METRICS, NORMALIZATION)
# the callback's name in Lightning's checkpoints
CHOICE = "ChooseCheckpoint"

History = list[dict[str, float]]


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
class Written:
    """A checkpoint that training can go on from.

    Attributes
    ----------
    path : Path
    epoch : int
        Epochs that were completed; 0 is the untrained model.
    choice : dict
        The state of `ChooseCheckpoint`: history, best epoch, checkpoints that are kept.
    hyperparameters : dict
        Of `CycleGANModule`.
    """

    path: Path
    epoch: int
    choice: dict[str, Any]
    hyperparameters: dict[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> "Written":
        """Read a checkpoint.

        Raises
        ------
        InputError
            If it is missing, damaged, not ours, or holds weights without the state of their training.
        """
        checkpoint = read_checkpoint(path)
        try:
            choice = checkpoint["callbacks"][CHOICE]
            epoch = int(choice["history"][-1]["epoch"])
            if not {"optimizer_states", "loops"} <= checkpoint.keys():
                raise KeyError
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} does not hold the state of a training run; give a .ckpt file that training wrote"
            ) from error
        return cls(Path(path), epoch, choice, checkpoint["hyper_parameters"])

    @property
    def distance(self) -> float:
        """The held-out distance after its last epoch."""
        return self.choice["history"][-1]["val_distance"]

    def same_run(self, other: "Written") -> bool:
        """Whether one of the two was reached from the other."""
        both = zip(self.choice["history"], other.choice["history"], strict=False)
        return all(mine == its for mine, its in both)


def name_of(figures: dict[str, float]) -> str:
    """The file name of an epoch's own checkpoint; Lightning counts epochs from 0 there."""
    return f"cyclegan-epoch={int(figures['epoch']) - 1}-val_cycle_A={figures['val_cycle_A']:.4f}.ckpt"


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints of a folder, without temporary files."""
    return sorted(path for path in folder.glob("*.ckpt") if not path.name.startswith("."))


def copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all."""
    with replacing(target) as part:
        shutil.copyfile(source, part)


def write_metrics(folder: Path, history: History) -> None:
    """Write the history as metrics.csv, one line an epoch."""
    names = sorted({name for figures in history for name in figures} - {"epoch"})
    with replacing(folder / METRICS) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["epoch", *names])
        writer.writeheader()
        writer.writerows(history)


def check_folder(folder: Path, *inputs: str | Path | None, resume: Path | None = None) -> None:
    """Raise InputError if a run in `folder` would overwrite or move one of its inputs, or exported models.

    `resume` may be one of the folder's checkpoints, which are moved at most.
    """
    if (folder / EXPORTED).exists():
        raise InputError(f"{folder} holds exported models; give another folder for checkpoints")
    if not is_utf8(folder.absolute()):
        raise InputError(
            f"{folder.absolute()} has bytes in its name that are not UTF-8, which TensorBoard's files cannot"
            " have; give another folder for checkpoints"
        )
    if not folder.is_dir():
        return
    replaced = [folder / METRICS, folder / NORMALIZATION, *(folder / LOGS).rglob("*")]
    for path in (*checkpoints_in(folder), *replaced):
        not_an_input(path, *inputs, remedy="give another folder for checkpoints, or rename it")
    for path in replaced:
        not_an_input(path, resume, remedy="give another folder for checkpoints, or rename it")


def set_earlier_run_aside(folder: Path, normalization: str) -> None:
    """Move what an earlier run left in `folder` to a folder earlier-N inside it.

    What a run that was killed before its first checkpoint left there, the same `normalization`, stays.
    """
    names = [*checkpoints_in(folder), folder / METRICS, folder / NORMALIZATION, folder / LOGS]
    names = [path for path in names if path.exists()]
    begun = [folder / LOGS]
    if (folder / NORMALIZATION).exists() and _holds(folder / NORMALIZATION, normalization):
        begun.append(folder / NORMALIZATION)
    if any(path not in begun for path in names):
        aside = _aside(folder)
        for path in names:
            path.rename(aside / path.name)


def settle(found: Written, folder: Path, normalization: str) -> None:
    """Make `folder` what it was when `found` was written; what is later goes to earlier-N, nothing is lost.

    After a kill between two files this finishes what was begun. In another folder than that of `found` the
    checkpoints that the run keeps are taken along.
    """
    source = found.path.parent
    run = [found, *_relatives(found)]
    # the best epoch's file, or the best that is left where a better one has replaced it since
    best = min(run, key=lambda its: (its.epoch != found.choice["best_epoch"], its.distance))
    later: list[Path] = []
    if os.path.realpath(folder) != os.path.realpath(source):
        set_earlier_run_aside(folder, normalization)
    else:
        later = [its.path for its in run if its.epoch > found.epoch]
    aside = _aside(folder) if later else None
    for path in later:
        if path.name in (BEST, LAST):  # replaced below: at no moment the folder is without them
            copy(path, aside / path.name)
    for name, its in ((BEST, best), (LAST, found)):
        if not any(one.path == folder / name and one.epoch == its.epoch for one in run):
            copy(its.path, folder / name)
    for path in later:
        if path.name not in (BEST, LAST):
            path.rename(aside / path.name)
    for name, epoch in found.choice.get("kept", {}).items():
        theirs = found.path if epoch == found.epoch else source / name
        if not (folder / name).exists() and theirs.exists():
            copy(theirs, folder / name)
    for name in found.choice.get("dropped", ()):
        (folder / name).unlink(missing_ok=True)
    write_metrics(folder, found.choice["history"])


def _relatives(found: Written) -> list[Written]:
    """The other checkpoints of the same run beside `found`, those that can be read."""
    others = []
    for path in checkpoints_in(found.path.parent):
        if path.name != found.path.name:
            try:
                others.append(Written.read(path))
            except InputError:
                continue
    return [other for other in others if found.same_run(other)]


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def _aside(folder: Path) -> Path:
    number = 1
    while (aside := folder / f"earlier-{number}").exists():
        number += 1
    aside.mkdir()
    return aside
