"""A training run, from two feature sets to a folder of checkpoints."""

import copy
import logging
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm
from pytorch_lightning.loggers import TensorBoardLogger

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import replacing, writable_folder
from cyclegan_lib.models.checkpoint import BEST, LAST, read_checkpoint
from cyclegan_lib.models.cyclegan import CycleGANModule
from cyclegan_lib.models.matching import Recordings, start_map
from cyclegan_lib.training.batches import UnpairedData
from cyclegan_lib.training.callbacks import METRICS, NAMED, ChooseCheckpoint, History, Watch, WholeFilesIO
from cyclegan_lib.training.domains import Domains, load_domains

NORMALIZATION = "normalization_params.json"


@dataclass(frozen=True)
class TrainingRun:
    """What a training run leaves behind.

    Attributes
    ----------
    best, last : Path
        The chosen checkpoint, and the one after the last epoch.
    best_epoch : int
        0 is the untrained model, a linear map.
    history : list of dict
        One an epoch: `epoch`, training losses, validation figures.
    """

    best: Path
    last: Path
    best_epoch: int
    history: History


class OneBar(TQDMProgressBar):
    """A bar for training alone: validation is one batch, and its bar would only flicker."""

    def init_validation_tqdm(self) -> Tqdm:
        """A bar that shows nothing."""
        return Tqdm(disable=True)


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
        Ignored but for `max_epochs`, `max_minutes`, `threads` and `accelerator` when resuming.
    resume : path, optional
        A checkpoint of a run on the same data to go on from.
    progress : bool
        Show a progress bar.
    on_epoch : callable, optional
        Called with the history after each epoch.
    pairs : path, optional
        Recordings that both devices made at once (`Pairs.save`), one or more: optional help.
    watch : callable, optional
        Called with each epoch's number and the module, the untrained one included.

    Raises
    ------
    InputError
        If an input cannot be used, the folder cannot be written, or a loss stops being a number.
    """
    settings = settings or TrainingSettings()
    module = _resumed(resume, settings) if resume is not None else None
    if module is not None:
        settings = module.settings
    domains = load_domains(domain_a, domain_b, settings, pairs)
    folder = writable_folder(checkpoint_dir)
    torch.set_num_threads(settings.threads)
    pl.seed_everything(settings.seed, verbose=False)
    if module is None:
        module = started(domains, settings)
        _set_earlier_run_aside(folder)
    elif module.hparams["data"] != domains.facts:
        raise InputError(
            f"{resume} was trained on other data than {domain_a} and {domain_b}; give the feature sets"
            " that it was trained on, or train without --resume"
        )
    elif folder.resolve() != Path(resume).resolve().parent:
        _set_earlier_run_aside(folder)
        _take_best_along(Path(resume), folder)
    domains.normalizer.save(folder / NORMALIZATION)

    choice = ChooseCheckpoint(folder, on_epoch, watch)
    trainer = _trainer(folder, settings, choice, progress)
    with warnings.catch_warnings():
        # the data are tensors in memory: no worker processes are wanted, and few batches are no mistake
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*Checkpoint directory .* exists and is not empty.*")
        warnings.filterwarnings("ignore", ".*The dirpath has changed from.*")
        warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec.*")
        trainer.fit(module, datamodule=UnpairedData(domains, settings), ckpt_path=resume, weights_only=True)
    return TrainingRun(folder / BEST, folder / LAST, choice.best_epoch, choice.history)


def started(domains: Domains, settings: TrainingSettings) -> CycleGANModule:
    """A new model; each restart begins at its own linear maps, fitted on what it is trained on."""
    module = CycleGANModule(
        settings=settings.model_dump(),
        normalization=domains.normalizer.to_dict(),
        device_a=domains.a.device,
        device_b=domains.b.device,
        feature_settings=_plain(domains),
        data=domains.facts,
    )
    z = domains.normalized()
    paired = None
    if domains.pairs is not None:
        paired = tuple(
            Recordings.describe(domains.normalizer.normalize(features, name), domains.pairs.recording).mean
            for features, name in ((domains.pairs.features_a, "A"), (domains.pairs.features_b, "B"))
        )
    rng = np.random.default_rng(settings.seed)
    maps_ab, maps_ba = [], []
    for restart in range(settings.restarts):
        in_a, in_b = (fold != restart % settings.folds for fold in (domains.fold_a, domains.fold_b))
        a = Recordings.describe(z["a"][in_a], domains.a.recording[in_a])
        label = domains.b.label[in_b] if settings.use_labels and domains.b.label is not None else None
        b = Recordings.describe(z["b"][in_b], domains.b.recording[in_b], label)
        # both directions draw the same settings
        maps_ab.append(start_map(a, b, copy.deepcopy(rng), paired))
        maps_ba.append(start_map(b, a, rng, paired and paired[::-1]))
    module.start_at(maps_ab, maps_ba)
    return module


def _plain(domains: Domains) -> dict | None:
    settings = domains.a.settings or domains.b.settings
    return None if settings is None else settings.model_dump()


def _resumed(resume: str | Path, settings: TrainingSettings) -> CycleGANModule:
    hyperparameters = read_checkpoint(resume)["hyper_parameters"]
    kept = ("max_epochs", "max_minutes", "threads", "accelerator")
    values = {**hyperparameters["settings"], **{name: getattr(settings, name) for name in kept}}
    return CycleGANModule(**{**hyperparameters, "settings": values})


def _trainer(
    folder: Path, settings: TrainingSettings, choice: ChooseCheckpoint, progress: bool
) -> pl.Trainer:
    named = ModelCheckpoint(
        dirpath=folder,
        filename=NAMED,
        monitor="val_distance",
        save_top_k=settings.keep_checkpoints,
        save_last=True,
        save_on_train_epoch_end=True,
    )
    named.CHECKPOINT_NAME_LAST = LAST.removesuffix(".ckpt")
    # TQDM always: where Rich is installed Lightning would pick its bar, which now and then hangs papermill
    bars = [OneBar(refresh_rate=settings.steps_per_epoch)] if progress else []
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    return pl.Trainer(
        accelerator=settings.accelerator,
        devices=1,
        max_epochs=settings.max_epochs,
        max_time=timedelta(minutes=settings.max_minutes),
        logger=TensorBoardLogger(folder, name="logs", version=""),
        callbacks=[choice, named, *bars],
        plugins=[WholeFilesIO()],
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1,
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=settings.steps_per_epoch,
    )


def _take_best_along(resume: Path, folder: Path) -> None:
    """Going on in another folder: until an epoch is better, the best one so far is that of the old folder."""
    best = resume.with_name(BEST)
    with replacing(folder / BEST) as part:
        shutil.copyfile(best if best.exists() else resume, part)


def _set_earlier_run_aside(folder: Path) -> None:
    names = [*folder.glob("*.ckpt"), folder / METRICS, folder / NORMALIZATION, folder / "logs"]
    names = [path for path in names if path.exists()]
    if not any(path.suffix == ".ckpt" for path in names):
        return
    number = 1
    while (aside := folder / f"earlier-{number}").exists():
        number += 1
    aside.mkdir()
    for path in names:
        path.rename(aside / path.name)
