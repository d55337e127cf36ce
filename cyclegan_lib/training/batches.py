"""Unpaired batches, the same in every run and after every resume."""

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.training.domains import Domains


class UnpairedBatches(Dataset):
    """One epoch of batches: sequences of A and, independently, of B.

    The order follows from the seed and the epoch's number alone, so that a resumed run draws what the
    uninterrupted one would have drawn.
    """

    def __init__(self, a: torch.Tensor, b: torch.Tensor, settings: TrainingSettings, epoch: int) -> None:
        self.a, self.b = a, b
        steps, size = settings.steps_per_epoch, settings.batch_size
        rng = np.random.default_rng([settings.seed, epoch])
        self.order_a = _shuffles(len(a), steps * size, rng).reshape(steps, size)
        self.order_b = _shuffles(len(b), steps * size, rng).reshape(steps, size)

    def __len__(self) -> int:
        return len(self.order_a)

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.a[self.order_a[step]], self.b[self.order_b[step]]  # (batch, slices, 40) each


class UnpairedData(pl.LightningDataModule):
    """Batches of the training parts; the held-out parts, each whole, as the one validation batch."""

    def __init__(self, domains: Domains, settings: TrainingSettings) -> None:
        super().__init__()
        self.settings = settings
        self.parts = {name: torch.from_numpy(x) for name, x in domains.normalized().items()}

    def train_dataloader(self) -> DataLoader:
        """Called before every epoch (`reload_dataloaders_every_n_epochs=1`)."""
        epoch = self.trainer.current_epoch
        batches = UnpairedBatches(self.parts["train_a"], self.parts["train_b"], self.settings, epoch)
        return DataLoader(batches, batch_size=None)

    def val_dataloader(self) -> DataLoader:
        """One batch."""
        return DataLoader([(self.parts["held_out_a"], self.parts["held_out_b"])], batch_size=None)


def _shuffles(n: int, total: int, rng: np.random.Generator) -> np.ndarray:
    # whole shuffles one after the other, so that no sequence is seen twice before all were seen once
    return np.concatenate([rng.permutation(n) for _ in range(-(-total // n))])[:total]
