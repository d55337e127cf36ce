"""The Lightning module: four networks, two optimizers, one training step."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cyclegan_lib.config import DEVICE_A, DEVICE_B, TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.models import new_network
from cyclegan_lib.models.discriminator import Scores
from cyclegan_lib.models.losses import LOSSES, TrainingPass, discriminator_loss

Judge = Callable[[torch.Tensor], Scores]
LinearMap = tuple[np.ndarray, np.ndarray]
Translations = dict[str, torch.Tensor]


class CycleGANModule(pl.LightningModule):
    """CycleGAN between the normalised features of two devices (Zhu et al., ICCV 2017).

    Inputs and outputs of the networks are z-scores, (batch, slices, 40). Each network is an ensemble of
    restarts, trained side by side on batches of their own. The generators that are used and exported are
    averages of the trained ones over the last few hundred steps: the trained ones go on circling around a
    good translation, their average stays near it.

    What it is built with are plain types, so that checkpoints load with ``weights_only=True``.
    """

    def __init__(
        self,
        settings: dict[str, Any] | None = None,  # `TrainingSettings`
        normalization: dict[str, list[float]] | None = None,  # `Normalizer.to_dict()`: dB to z-scores
        device_a: str = DEVICE_A,
        device_b: str = DEVICE_B,
        feature_settings: dict[str, Any] | None = None,  # `FeatureSettings` of both domains
        data: dict[str, Any] | None = None,  # of each domain: device, counts, fingerprint
    ) -> None:
        super().__init__()
        self.settings = TrainingSettings(**(settings or {}))
        settings = self.settings.model_dump()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.generator_AB = new_network(settings, "generator_AB")
        self.generator_BA = new_network(settings, "generator_BA")
        self.discriminator_A = new_network(settings, "discriminator_A")
        self.discriminator_B = new_network(settings, "discriminator_B")
        self._make_averages()
        self.held_out: list[Translations] = []
        self._sums: dict[str, torch.Tensor] = {}
        self._steps = 0

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: str | Path, *given: Any, **named: Any) -> "CycleGANModule":
        """Load a checkpoint as Lightning does, but never run code that may be in it; checked first."""
        # upwards, here alone: the guide loads checkpoints through this class, and they have one door
        from cyclegan_lib.checkpoint.reading import read_checkpoint

        read_checkpoint(checkpoint_path)
        return super().load_from_checkpoint(checkpoint_path, *given, **{**named, "weights_only": True})

    def start_at(self, maps_ab: list[LinearMap], maps_ba: list[LinearMap]) -> None:
        """Start the members, and their averages, at linear maps (weight (40, 40), bias (40,))."""
        self.generator_AB.start_at(maps_ab)
        self.generator_BA.start_at(maps_ba)
        self._make_averages()

    @torch.no_grad()
    def convert_A_to_B(self, features: torch.Tensor) -> torch.Tensor:  # noqa: N802 (the guide's name)
        """Translate z-scores (batch, slices, 40) of domain A into z-scores of domain B."""
        return self.average_AB(features)

    @torch.no_grad()
    def convert_B_to_A(self, features: torch.Tensor) -> torch.Tensor:  # noqa: N802 (the guide's name)
        """Translate z-scores (batch, slices, 40) of domain B into z-scores of domain A."""
        return self.average_BA(features)

    @torch.no_grad()
    def member_translations(self, batch: list[tuple[torch.Tensor, torch.Tensor]]) -> list[Translations]:
        """Each member's translations of its own sequences, as in use, there and back.

        `batch` holds each member's z-scores (n, slices, 40) of A and of B; the result each member's "B" and
        "A" (translations into them), "ABA" and "BAB" (there and back again).
        """
        sizes = [(len(a), len(b)) for a, b in batch]
        # all members at once, in one multiplication, as they are trained: who has fewer sequences gets zeros
        a, b = (pad_sequence(list(own), batch_first=True) for own in zip(*batch, strict=True))
        ab, ba = (
            partial(generator.each, strength=generator.strength)
            for generator in (self.average_AB.module, self.average_BA.module)
        )
        made = {"B": ab(a), "A": ba(b)}
        made |= {"ABA": ba(made["B"]), "BAB": ab(made["A"])}  # (members, sequences, slices, 40) each
        return [
            {name: x[i, : of_a if name in ("B", "ABA") else of_b] for name, x in made.items()}
            for i, (of_a, of_b) in enumerate(sizes)
        ]

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One Adam for both generators, one for both discriminators."""
        generators = [*self.generator_AB.parameters(), *self.generator_BA.parameters()]
        discriminators = [*self.discriminator_A.parameters(), *self.discriminator_B.parameters()]
        betas = (self.settings.beta1, self.settings.beta2)
        return [
            torch.optim.Adam(parameters, lr=self.settings.learning_rate, betas=betas, foreach=True)
            for parameters in (generators, discriminators)
        ]

    def on_train_epoch_start(self) -> None:
        """Hold the learning rate, then halve it every few epochs."""
        falling = max(0, self.current_epoch - self.settings.hold_epochs) / self.settings.halving_epochs
        for optimizer in self.optimizers():
            for group in optimizer.param_groups:
                group["lr"] = self.settings.learning_rate * 0.5**falling

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        """One step of both optimizers on unpaired sequences of A and B, (members, batch, slices, 40) each."""
        a, b = batch
        sizes = [a.shape[1], b.shape[1]]
        ab, ba = self.generator_AB.each, self.generator_BA.each
        judge_a, judge_b = self.discriminator_A.each, self.discriminator_B.each
        optimizer_g, optimizer_d = self.optimizers()

        # generators: the discriminators only judge, so no gradient is kept for them
        self.toggle_optimizer(optimizer_g)
        # one pass for the source and for the target domain's own, which the generator should keep
        fake_b, kept_b = ab(torch.cat([a, b], dim=1)).split(sizes, dim=1)
        fake_a, kept_a = ba(torch.cat([b, a], dim=1)).split(sizes[::-1], dim=1)
        # the order of passes is the order in which gradients are summed: another one moves the last bit
        judged_b, judged_a = judge_b(fake_b), judge_a(fake_a)
        to_b = TrainingPass(a, b, fake_b, kept_b, back=ba(fake_b), judged=judged_b)
        to_a = TrainingPass(b, a, fake_a, kept_a, back=ab(fake_a), judged=judged_a)
        losses = {name: loss(to_b) + loss(to_a) for name, loss in LOSSES.items()}  # (members,) each
        weighed = [getattr(self.settings, f"lambda_{name}") * loss for name, loss in losses.items()]
        loss_g = sum(weighed).sum()  # over the members, each of which has its own weights
        optimizer_g.zero_grad()
        self.manual_backward(loss_g)
        self.untoggle_optimizer(optimizer_g)

        # discriminators, on the same translations
        self.toggle_optimizer(optimizer_d)
        loss_d = discriminator_loss(*_judged(judge_a, a, fake_a)) + discriminator_loss(
            *_judged(judge_b, b, fake_b)
        )
        optimizer_d.zero_grad()
        self.manual_backward(loss_d.sum())
        self.untoggle_optimizer(optimizer_d)

        if not torch.isfinite(loss_g + loss_d.sum()):
            step = self.current_epoch * self.settings.steps_per_epoch + self._steps + 1
            raise InputError(
                f"training diverged: the loss at step {step} is not a finite number;"
                " try a lower learning rate"
            )
        optimizer_g.step()
        optimizer_d.step()
        self.average_AB.update_parameters(self.generator_AB)
        self.average_BA.update_parameters(self.generator_BA)
        self._accumulate(**losses, discriminator=loss_d)

    def validation_step(self, batch: list[tuple[torch.Tensor, torch.Tensor]], batch_idx: int) -> None:
        """Log how each member, as it is used, does on the sequences of A and of B that it never saw.

        What was made of them stays for the choice of the checkpoint.
        """
        made = self.held_out = self.member_translations(batch)
        for name, place, back in (("val_cycle_A", 0, "ABA"), ("val_cycle_B", 1, "BAB")):
            errors = [(real[place] - own[back]).abs().mean() for real, own in zip(batch, made, strict=True)]
            self.log(name, torch.stack(errors).mean(), batch_size=len(batch))

    def _make_averages(self) -> None:
        average = get_ema_multi_avg_fn(self.settings.ema_decay)
        self.average_AB = AveragedModel(self.generator_AB, multi_avg_fn=average)
        self.average_BA = AveragedModel(self.generator_BA, multi_avg_fn=average)

    def _accumulate(self, **losses: torch.Tensor) -> None:
        """Log the epoch's mean losses with its last step; logging each step costs as much as the step."""
        self._steps += 1
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + loss.detach().mean()
        if self.trainer.is_last_batch:
            means = {f"train_{name}": total / self._steps for name, total in self._sums.items()}
            self.log_dict(means, sync_dist=True)  # over the restarts of all processes
            self._sums, self._steps = {}, 0


def _judged(judge: Judge, real: torch.Tensor, fake: torch.Tensor) -> tuple[Scores, Scores]:
    """The scores of real and of translated sequences, in one pass."""
    sizes = [real.shape[1], fake.shape[1]]
    views = judge(torch.cat([real, fake.detach()], dim=1))
    windows, sequence = (view.split(sizes, dim=1) for view in views)
    return (windows[0], sequence[0]), (windows[1], sequence[1])
