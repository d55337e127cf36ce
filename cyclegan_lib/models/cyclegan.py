"""The Lightning module: four networks, two optimizers, one training step."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cyclegan_lib.config import DEVICE_A, DEVICE_B, TrainingSettings
from cyclegan_lib.models.discriminator import Discriminator
from cyclegan_lib.models.generator import Generator
from cyclegan_lib.models.losses import cycle_consistency, discriminator_loss, identity, least_squares


class CycleGANModule(pl.LightningModule):
    """CycleGAN between the normalised features of two devices (Zhu et al., ICCV 2017).

    Inputs and outputs of the networks are z-scores, (batch, slices, 40). The generators that are used and
    exported are averages of the trained ones over the last few hundred steps: the trained ones go on
    circling around a good translation, their average stays near it.

    Parameters
    ----------
    settings : dict
        `TrainingSettings`, as a plain dict so that checkpoints load with ``weights_only=True``.
    normalization : dict or None
        `Normalizer.to_dict()`: how raw units become the z-scores the networks see.
    device_a, device_b : str
        The devices' names.
    feature_settings : dict or None
        `FeatureSettings` of both domains.
    data : dict or None
        Facts about the training data: paths' names, number of sequences, fingerprints.
    """

    def __init__(
        self,
        settings: dict[str, Any] | None = None,
        normalization: dict[str, list[float]] | None = None,
        device_a: str = DEVICE_A,
        device_b: str = DEVICE_B,
        feature_settings: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.settings = TrainingSettings(**(settings or {}))
        settings = self.settings.model_dump()
        self.save_hyperparameters()
        self.automatic_optimization = False
        generator, discriminator = self.settings.generator, self.settings.discriminator
        self.generator_AB = Generator(**generator.model_dump())
        self.generator_BA = Generator(**generator.model_dump())
        self.discriminator_A = Discriminator(**discriminator.model_dump())
        self.discriminator_B = Discriminator(**discriminator.model_dump())
        self._make_averages()
        self._sums: dict[str, torch.Tensor] = {}
        self._steps = 0

    def start_at(self, map_ab: tuple, map_ba: tuple) -> None:
        """Start both generators, and their averages, at linear maps (weight (40, 40), bias (40,))."""
        self.generator_AB.start_at(*map_ab)
        self.generator_BA.start_at(*map_ba)
        self._make_averages()

    @torch.no_grad()
    def convert_A_to_B(self, features: torch.Tensor) -> torch.Tensor:  # noqa: N802 (the guide's name)
        """Translate z-scores (batch, slices, 40) of domain A into z-scores of domain B."""
        return self.average_AB(features)

    @torch.no_grad()
    def convert_B_to_A(self, features: torch.Tensor) -> torch.Tensor:  # noqa: N802 (the guide's name)
        """Translate z-scores (batch, slices, 40) of domain B into z-scores of domain A."""
        return self.average_BA(features)

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
        """One step of both optimizers on unpaired sequences of A and of B, (batch, slices, 40) each."""
        a, b = batch
        weights = self.settings
        optimizer_g, optimizer_d = self.optimizers()

        # generators: the discriminators only judge, so no gradient is kept for them
        self.toggle_optimizer(optimizer_g)
        fake_b, fake_a = self.generator_AB(a), self.generator_BA(b)
        adversarial = least_squares(self.discriminator_B(fake_b), 1.0) + least_squares(
            self.discriminator_A(fake_a), 1.0
        )
        cycle = cycle_consistency(a, self.generator_BA(fake_b)) + cycle_consistency(
            b, self.generator_AB(fake_a)
        )
        kept = identity(b, self.generator_AB(b)) + identity(a, self.generator_BA(a))
        loss_g = (
            weights.lambda_adversarial * adversarial
            + weights.lambda_cycle * cycle
            + weights.lambda_identity * kept
        )
        optimizer_g.zero_grad()
        self.manual_backward(loss_g)
        optimizer_g.step()
        self.untoggle_optimizer(optimizer_g)

        # discriminators, on the same translations
        self.toggle_optimizer(optimizer_d)
        loss_d = discriminator_loss(self.discriminator_A(a), self.discriminator_A(fake_a.detach()))
        loss_d = loss_d + discriminator_loss(self.discriminator_B(b), self.discriminator_B(fake_b.detach()))
        optimizer_d.zero_grad()
        self.manual_backward(loss_d)
        optimizer_d.step()
        self.untoggle_optimizer(optimizer_d)

        self.average_AB.update_parameters(self.generator_AB)
        self.average_BA.update_parameters(self.generator_BA)
        self._accumulate(adversarial=adversarial, cycle=cycle, identity=kept, discriminator=loss_d)

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        """Log how the averaged generators do on held-out sequences of A and of B."""
        a, b = batch
        fake_b, fake_a = self.convert_A_to_B(a), self.convert_B_to_A(b)
        self.log_dict(
            {
                "val_cycle_A": cycle_consistency(a, self.convert_B_to_A(fake_b)),
                "val_cycle_B": cycle_consistency(b, self.convert_A_to_B(fake_a)),
                "val_adversarial_A": least_squares(self.discriminator_A(fake_a), 1.0),
                "val_adversarial_B": least_squares(self.discriminator_B(fake_b), 1.0),
            },
            batch_size=len(a),
        )

    def _make_averages(self) -> None:
        average = get_ema_multi_avg_fn(self.settings.ema_decay)
        self.average_AB = AveragedModel(self.generator_AB, multi_avg_fn=average)
        self.average_BA = AveragedModel(self.generator_BA, multi_avg_fn=average)

    def _accumulate(self, **losses: torch.Tensor) -> None:
        """Log the epoch's mean losses with its last step; logging each step costs as much as the step."""
        self._steps += 1
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + loss.detach()
        if self.trainer.is_last_batch:
            self.log_dict({f"train_{name}": total / self._steps for name, total in self._sums.items()})
            self._sums, self._steps = {}, 0
