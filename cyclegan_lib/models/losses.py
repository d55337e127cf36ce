"""The losses, each under the name it is logged by; the weight of NAME is `TrainingSettings.lambda_NAME`.

Whoever adds one writes a function of a `TrainingPass`, enters it in `LOSSES`, and gives it a weight in
`config.py`: the training step sums and logs what it finds here. The discriminators have a loss of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from cyclegan_lib.models.discriminator import Scores


@dataclass(frozen=True)
class TrainingPass:
    """What a training step makes in one direction: z-scores, (members, batch, slices, 40)."""

    source: torch.Tensor  # real sequences of the one domain
    target: torch.Tensor  # and of the other, unpaired
    fake: torch.Tensor  # the source, translated
    kept: torch.Tensor  # the target, through the generator into it
    back: torch.Tensor  # the source, there and back again
    judged: Scores  # what the target's discriminator says of `fake`


def adversarial(step: TrainingPass) -> torch.Tensor:
    """A translation that the discriminator takes for real; (members,)."""
    return least_squares(step.judged, 1.0)


def cycle(step: TrainingPass) -> torch.Tensor:
    """There and back again gives the source: L1 distance, (members,).

    Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017.
    """
    return _mean((step.back - step.source).abs())


def identity(step: TrainingPass) -> torch.Tensor:
    """What is already in the target domain stays as it is: L1 distance, (members,)."""
    return _mean((step.kept - step.target).abs())


LOSSES: dict[str, Callable[[TrainingPass], torch.Tensor]] = {
    "adversarial": adversarial,
    "cycle": cycle,
    "identity": identity,
}


def discriminator_loss(real: Scores, translated: Scores) -> torch.Tensor:
    """Real towards 1, translated towards 0; (members,)."""
    return (least_squares(real, 1.0) + least_squares(translated, 0.0)) / 2


def least_squares(scores: Scores, target: float) -> torch.Tensor:
    """Mean squared distance of a discriminator's scores from `target`, both views weighed the same.

    Scores have the members first; so has the result, (members,).
    Least-squares GAN: Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017.
    """
    windows, sequence = (_mean((view - target).square()) for view in scores)
    return (windows + sequence) / 2


def _mean(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1).mean(dim=1)
