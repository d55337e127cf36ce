"""Unpaired batches, the same in every run and after every resume."""

from collections.abc import Iterator

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, IterableDataset

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.training.domains import Domains


class UnpairedBatches(IterableDataset):
    """One epoch of batches: sequences of A and, independently, of B.

    The order follows from the seed and the epoch's number alone, so that a resumed run draws what the
    uninterrupted one would have drawn.
    """

    def __init__(self, a: torch.Tensor, b: torch.Tensor, settings: TrainingSettings, epoch: int) -> None:
        self.a, self.b, self.settings, self.epoch = a, b, settings, epoch

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        steps, size = self.settings.steps_per_epoch, self.settings.batch_size
        rng = np.random.default_rng([self.settings.seed, self.epoch])
        order_a = _shuffles(len(self.a), steps * size, rng).reshape(steps, size)
        order_b = _shuffles(len(self.b), steps * size, rng).reshape(steps, size)
        for index_a, index_b in zip(order_a, order_b, strict=True):
            yield self.a[index_a], self.b[index_b]  # (batch, slices, 40) each

    def __len__(self) -> int:
        return self.settings.steps_per_epoch


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
