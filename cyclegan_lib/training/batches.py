"""Unpaired batches for every restart, the same in every run and after every resume."""

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.features.seen import Seen
from cyclegan_lib.training.criterion import yardstick
from cyclegan_lib.training.domains import Domains, ZScores
from cyclegan_lib.training.start import Gains


class UnpairedBatches(Dataset):
    """One epoch of batches: for each restart sequences of A and, independently, of B.

    The order follows from the seed and the epoch's number alone, so that a resumed run draws what the
    uninterrupted one would have drawn. `members_a` and `members_b` say for each restart which sequences of
    `a` and `b` it is trained on; the batches are those of the restarts `own`.
    """

    def __init__(
        self,
        a: ZScores,
        b: ZScores,
        members_a: list[np.ndarray],
        members_b: list[np.ndarray],
        settings: TrainingSettings,
        epoch: int,
        own: slice = slice(None),
    ) -> None:
        self.a, self.b = a, b
        steps, size = settings.steps_per_epoch, settings.batch_size
        rng = np.random.default_rng([settings.seed, epoch])
        self.order_a, self.order_b = (
            np.stack([_shuffles(one, steps * size, rng).reshape(steps, size) for one in members], axis=1)
            for members in (members_a, members_b)
        )  # (steps, members, batch)
        self.own = own

    def __len__(self) -> int:
        return len(self.order_a)

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        drawn_a, drawn_b = self.order_a[step, self.own], self.order_b[step, self.own]
        return torch.from_numpy(self.a[drawn_a]), torch.from_numpy(
            self.b[drawn_b]
        )  # (own, batch, slices, 40)


class UnpairedData(pl.LightningDataModule):
    """Batches of what each restart is trained on; what it is judged on as the one validation batch.

    Batches are of all recordings, all else is of those drawn (`Domains.drawn`).
    """

    def __init__(self, domains: Domains, settings: TrainingSettings) -> None:
        super().__init__()
        self.settings = settings
        self.own = slice(None)  # the restarts whose batches are drawn
        self.a, self.b = domains.normalized().values()
        # raw dB, for who wants to try a checkpoint without the data; tensors of their own, because a view
        # would take the whole set along into the file
        self.example = {
            name: torch.tensor(domain.features[0], dtype=torch.float32)  # (slices, 40)
            for name, domain in (("A", domains.a), ("B", domains.b))
        }
        # what the recordings are like: a translator then knows others that are not
        self.seen = {"A": Seen.of(domains.a), "B": Seen.of(domains.b)}
        drawn = domains.drawn(settings.seed)
        a, b = (torch.from_numpy(z[:]) for z in drawn.normalized().values())
        # what slices are like, in z-scores: a generator is distilled by asking it about such slices
        self.slice_moments = {"A": _moments(a), "B": _moments(b)}
        # one sequence of each recording
        self.first_a, self.first_b = (
            x[np.unique(domain.recording, return_index=True)[1]] for x, domain in ((a, drawn.a), (b, drawn.b))
        )
        self.gains = Gains(self.first_a, self.first_b)
        self.yardsticks = yardstick(a.numpy()), yardstick(b.numpy())  # of the held-out distance
        held_out = [restart % settings.folds for restart in range(settings.restarts)]
        self.train_a = [np.flatnonzero(domains.fold_a != fold) for fold in held_out]
        self.train_b = [np.flatnonzero(domains.fold_b != fold) for fold in held_out]
        self.held_out = [(a[drawn.fold_a == fold], b[drawn.fold_b == fold]) for fold in held_out]
        # as many other recordings, which the device itself made: what they measure is what to expect
        self.others = [
            (a[drawn.fold_a == fold], b[drawn.fold_b == fold])
            for fold in ((fold + 1) % settings.folds for fold in held_out)
        ]

    def train_dataloader(self) -> DataLoader:
        """Called before every epoch (`reload_dataloaders_every_n_epochs=1`)."""
        # a generator of its own: a loader draws one number whenever it starts, which is more often in an
        # uninterrupted run than in a resumed one
        epoch = self.trainer.current_epoch
        members = (self.train_a, self.train_b)
        batches = UnpairedBatches(self.a, self.b, *members, self.settings, epoch, self.own)
        return DataLoader(batches, batch_size=None, generator=torch.Generator())

    def val_dataloader(self) -> DataLoader:
        """One batch: for each restart its held-out sequences of A and of B."""
        return DataLoader([self.held_out], batch_size=None, generator=torch.Generator())

    def held_out_on(self, device: torch.device) -> list[tuple[torch.Tensor, ...]]:
        """The same there."""
        return [tuple(x.to(device) for x in both) for both in self.held_out]


def _moments(z: torch.Tensor) -> dict[str, torch.Tensor]:
    """Mean (40,) and covariance (40, 40) over the slices of (sequences, slices, 40)."""
    slices = z.reshape(-1, z.shape[-1]).double()
    return {"mean": slices.mean(dim=0).float(), "covariance": torch.cov(slices.T, correction=0).float()}


def _shuffles(own: np.ndarray, total: int, rng: np.random.Generator) -> np.ndarray:
    # whole shuffles one after the other, so that no sequence is seen twice before all were seen once
    return np.concatenate([rng.permutation(own) for _ in range(-(-total // len(own)))])[:total]
