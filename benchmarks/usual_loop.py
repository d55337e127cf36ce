"""The peer of our training: a CycleGAN of frame-by-frame MLPs as it is usually written in Lightning.

Two generators and two discriminators, 245 thousand weights together, least-squares, cycle and identity
losses, Adam, batches of single slices or of whole sequences, and Lightning's Trainer as it ships: its
progress bar, its logger, its checkpoint.
"""

import tempfile
import time
from itertools import chain

import numpy as np
import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss
from torch.utils.data import DataLoader, TensorDataset

FEATURES, HIDDEN, HIDDEN_JUDGE = 40, 256, 170
WARM_UP, STEPS = 10, 100


def mlp(*widths: int) -> nn.Sequential:
    layers = [
        part
        for pair in zip(widths, widths[1:], strict=False)
        for part in (nn.Linear(*pair), nn.LeakyReLU(0.2))
    ]
    return nn.Sequential(*layers[:-1])


def judgement(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Real towards 1, translated towards 0."""
    return mse_loss(real, torch.ones_like(real)) + mse_loss(fake, torch.zeros_like(fake))


class UsualCycleGAN(pl.LightningModule):
    """Batches of any shape (..., 40)."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.ab, self.ba = (mlp(FEATURES, HIDDEN, HIDDEN, FEATURES) for _ in range(2))
        self.judge_a, self.judge_b = (mlp(FEATURES, HIDDEN_JUDGE, HIDDEN_JUDGE, 1) for _ in range(2))
        self.ends: list[float] = []

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        both = chain(self.ab.parameters(), self.ba.parameters())
        judges = chain(self.judge_a.parameters(), self.judge_b.parameters())
        return [torch.optim.Adam(weights, lr=2e-4, betas=(0.5, 0.999)) for weights in (both, judges)]

    def training_step(self, batch: list[list[torch.Tensor]], batch_idx: int) -> None:
        (a,), (b,) = batch
        optimizer_g, optimizer_d = self.optimizers()
        fake_b, fake_a = self.ab(a), self.ba(b)
        self.toggle_optimizer(optimizer_g)
        fooled_b, fooled_a = self.judge_b(fake_b), self.judge_a(fake_a)
        adversarial = mse_loss(fooled_b, torch.ones_like(fooled_b)) + mse_loss(
            fooled_a, torch.ones_like(fooled_a)
        )
        cycle = l1_loss(self.ba(fake_b), a) + l1_loss(self.ab(fake_a), b)
        identity = l1_loss(self.ba(a), a) + l1_loss(self.ab(b), b)
        loss_g = adversarial + 10 * cycle + 5 * identity
        optimizer_g.zero_grad()
        self.manual_backward(loss_g)
        optimizer_g.step()
        self.untoggle_optimizer(optimizer_g)

        self.toggle_optimizer(optimizer_d)
        loss_d = judgement(self.judge_a(a), self.judge_a(fake_a.detach()))
        loss_d = loss_d + judgement(self.judge_b(b), self.judge_b(fake_b.detach()))
        optimizer_d.zero_grad()
        self.manual_backward(loss_d)
        optimizer_d.step()
        self.untoggle_optimizer(optimizer_d)
        self.log_dict({"generators": loss_g, "discriminators": loss_d}, prog_bar=True)

    def on_train_batch_end(self, *args: object) -> None:
        self.ends.append(time.process_time())


def slices_a_second(a: np.ndarray, b: np.ndarray, batch: int) -> float:
    """Slices of both devices that training takes in a second of the processor.

    `a` and `b` are z-scores, (n, 40) for batches of slices or (n, slices, 40) for batches of sequences.
    """
    loaders = [
        DataLoader(TensorDataset(torch.from_numpy(x)), batch, shuffle=True, drop_last=True) for x in (a, b)
    ]
    module = UsualCycleGAN()
    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            accelerator="cpu", devices=1, max_steps=2 * (WARM_UP + STEPS), default_root_dir=folder
        )  # two optimizers: a batch is two steps
        trainer.fit(module, loaders)
    ends = module.ends[WARM_UP:]
    slices = 2 * batch * int(np.prod(a.shape[1:-1]))
    return slices * (len(ends) - 1) / (ends[-1] - ends[0])
