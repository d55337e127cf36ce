"""The reference design: the obvious published recipe, an ablation that shows what the real one adds.

A multilayer perceptron on single slices with batch normalisation and a Tanh output on z-scores of each
domain, least-squares adversarial loss, cycle weight 10, identity weight 5, and the checkpoint with the
lowest cycle loss [1]_. Its two weaknesses are known: Tanh cannot leave one standard deviation, and the
cycle loss is lowest for a map that does nothing.

.. [1] J.-Y. Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
   ICCV 2017.
"""

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import l1_loss

from cyclegan_lib.benchmark.device_pair import DevicePair, Translation
from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.features import Normalizer, split_by_recording


@dataclass(frozen=True)
class ReferenceSettings:
    """The usual numbers of the recipe."""

    steps: int = 1500  # of both optimizers; more no longer lower the losses
    every: int = 100  # steps from one checkpoint to the next
    batch_size: int = 400  # slices of each domain in a step
    hidden_dim: int = 128  # width of generators and discriminators
    learning_rate: float = 2e-4  # Adam's, as in the paper
    lambda_cycle: float = 10.0  # weight of the cycle-consistency loss, as in the paper
    lambda_identity: float = 5.0  # weight of the identity loss, as in the paper
    validation_fraction: float = 0.2  # part of the recordings held out


def generator(width: int) -> nn.Module:
    """A slice to a slice, (n, 40) -> (n, 40), within one standard deviation of the mean."""
    return nn.Sequential(
        *(nn.Linear(N_FEATURES, width), nn.BatchNorm1d(width), nn.ReLU()),
        *(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU()),
        *(nn.Linear(width, N_FEATURES), nn.Tanh()),
    )


def discriminator(width: int) -> nn.Module:
    """A slice to a score, (n, 40) -> (n, 1); 1 is real."""
    return nn.Sequential(
        *(nn.Linear(N_FEATURES, width), nn.LeakyReLU(0.2)),
        *(nn.Linear(width, width), nn.LeakyReLU(0.2)),
        nn.Linear(width, 1),
    )


def squared(scores: torch.Tensor, wanted: float) -> torch.Tensor:
    """Mean squared distance of scores from `wanted`: the least-squares adversarial loss."""
    return (scores - wanted).square().mean()


DEFAULTS = ReferenceSettings()


@torch.random.fork_rng(devices=[])
def reference_design(
    pair: DevicePair, seed: int, folder: Path, settings: ReferenceSettings = DEFAULTS
) -> Translation:
    """The row of the benchmark: the recipe trained on the unpaired recordings of both domains.

    The seed decides the held-out recordings, the initial weights and the batches. Raises InputError if a
    domain has fewer than two recordings.
    """
    torch.manual_seed(seed)
    a, b, test, width = pair.train_a, pair.train_b, pair.test_a.features, settings.hidden_dim
    (train_a, held_a), (train_b, held_b) = (
        split_by_recording(x.recording, settings.validation_fraction, seed) for x in (a, b)
    )
    normalizer = Normalizer.fit(a.features[train_a], b.features[train_b], mode="per-domain")

    def slices(x: np.ndarray, domain: str) -> torch.Tensor:
        return torch.from_numpy(normalizer.normalize(x, domain)).reshape(-1, N_FEATURES)

    a_train, a_held = (slices(a.features[part], "A") for part in (train_a, held_a))  # (slices, 40)
    b_train, b_held = (slices(b.features[part], "B") for part in (train_b, held_b))
    ab, ba = generator(width), generator(width)
    judge_a, judge_b = discriminator(width), discriminator(width)
    adam = {"lr": settings.learning_rate, "betas": (0.5, 0.999), "foreach": True}
    optimizer_g = torch.optim.Adam([*ab.parameters(), *ba.parameters()], **adam)
    optimizer_d = torch.optim.Adam([*judge_a.parameters(), *judge_b.parameters()], **adam)

    best = float("inf")
    for step in range(1, settings.steps + 1):
        real_a, real_b = (x[torch.randint(len(x), (settings.batch_size,))] for x in (a_train, b_train))
        fake_b, fake_a = ab(real_a), ba(real_b)  # (batch, 40)
        loss = squared(judge_b(fake_b), 1.0) + squared(judge_a(fake_a), 1.0)
        cycle = l1_loss(ba(fake_b), real_a) + l1_loss(ab(fake_a), real_b)
        kept = l1_loss(ab(real_b), real_b) + l1_loss(ba(real_a), real_a)
        loss = loss + settings.lambda_cycle * cycle + settings.lambda_identity * kept
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()

        loss = squared(judge_a(real_a), 1.0) + squared(judge_a(fake_a.detach()), 0.0)
        loss = loss + squared(judge_b(real_b), 1.0) + squared(judge_b(fake_b.detach()), 0.0)
        loss = loss / 2
        optimizer_d.zero_grad()
        loss.backward()
        optimizer_d.step()

        if step % settings.every == 0 or step == settings.steps:
            held_out = _held_out_cycle(ab, ba, a_held, b_held)
            if held_out < best or step == settings.every:
                best, chosen_step, chosen = held_out, step, copy.deepcopy(ab).eval()
    with torch.no_grad():
        translated = chosen(slices(test, "A")).numpy().reshape(test.shape)
    extras = {"chosen_step": chosen_step, "held_out_cycle": best}
    return Translation(normalizer.denormalize(translated, "B"), extras=extras)


@torch.no_grad()
def _held_out_cycle(ab: nn.Module, ba: nn.Module, a: torch.Tensor, b: torch.Tensor) -> float:
    """Cycle-consistency loss of both directions, with the running averages of the batch normalisation."""
    networks = nn.ModuleList([ab, ba]).eval()
    loss = l1_loss(ba(ab(a)), a) + l1_loss(ab(ba(b)), b)
    networks.train()
    return float(loss)
