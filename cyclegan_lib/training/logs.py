"""TensorBoard's files, whole after a kill: flushed before each checkpoint, without what it does not hold."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from cyclegan_lib.files import replacing
from cyclegan_lib.training.checkpoints import LOGS, folder_of_logs

WRITER = "_AsyncWriterThread"
# TensorBoard's groups, by the beginning of a figure's name; it opens on them alone
GROUPS = {"train": "losses", "val": "held_out"}


class EpochLogger(TensorBoardLogger):
    """Writes the events of the checkpoints in `folder` to `folder_of_logs`.

    What an earlier process logged from `first_step` on is void, because its epoch was not saved.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        more = {"purge_step": first_step} if first_step else {}
        # without the folder, in whose name Lightning expands ~ and $, and takes :: for a chain of protocols
        super().__init__("", name=LOGS, version="", default_hp_metric=False, **more)
        self.folder = Path(folder).absolute()

    @property
    def save_dir(self) -> str:
        """The checkpoints' folder."""
        return str(self.folder)

    @property
    def root_dir(self) -> str:
        """The folder of the events."""
        return str(folder_of_logs(self.folder))

    log_dir = root_dir

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write the figures of `GROUPS`, val_distance as held_out/distance."""
        parts = ((name.partition("_"), value) for name, value in metrics.items())
        named = {f"{GROUPS[group]}/{name}": value for (group, _, name), value in parts if group in GROUPS}
        super().log_metrics(named, step)

    @rank_zero_only
    def save(self) -> None:
        """Write the settings beside the events."""
        path = Path(self.log_dir, self.NAME_HPARAMS_FILE)
        if path.parent.is_dir() and not path.exists():
            with replacing(path) as part:
                part.write_text(yaml.dump(self.hparams), encoding="utf-8", newline="\n")

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the files; where the disk is full, what was not written is left out."""
        try:
            super().finalize(status)
        except OSError:
            if status == "success":
                raise


@contextmanager
def quiet_writer() -> Iterator[None]:
    """Keep back the traceback that TensorBoard's own thread prints when the disk is full.

    Nothing is lost with it: the thread keeps the error, and the writer's `flush` raises it.
    """
    before = threading.excepthook

    def hook(given: threading.ExceptHookArgs) -> None:
        if not (isinstance(given.exc_value, OSError) and type(given.thread).__name__ == WRITER):
            before(given)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
