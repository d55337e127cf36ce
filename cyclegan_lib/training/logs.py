"""TensorBoard's files, whole after a kill: flushed before each checkpoint, without what it does not hold."""

import os
from pathlib import Path

from pytorch_lightning.core.saving import save_hparams_to_yaml
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from cyclegan_lib.files import replacing
from cyclegan_lib.training.checkpoints import LOGS

NEVER_S = 10**9


class EpochLogger(TensorBoardLogger):
    """Writes events to the folder `logs` inside `folder`.

    Parameters
    ----------
    folder : Path
    first_step : int
        Steps that were trained before: what an earlier process logged from this one on is void, because its
        epoch was not saved.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        # only `flush` writes: an error in the writer's own thread would print a traceback
        more = {"flush_secs": NEVER_S} | ({"purge_step": first_step} if first_step else {})
        super().__init__(folder, name=LOGS, version="", default_hp_metric=not first_step, **more)

    @rank_zero_only
    def flush(self) -> None:
        """Write what was logged to the disk; raises OSError if it is full."""
        self.experiment.flush()

    @rank_zero_only
    def save(self) -> None:
        """Write the settings beside the events."""
        path = os.path.join(self.log_dir, self.NAME_HPARAMS_FILE)
        if os.path.isdir(self.log_dir) and not os.path.exists(path):
            with replacing(path) as part:
                save_hparams_to_yaml(part, self.hparams)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the files; where the disk is full, what was not written is left out."""
        try:
            super().finalize(status)
        except OSError:
            if status == "success":
                raise
