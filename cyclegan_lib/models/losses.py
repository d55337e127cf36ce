"""The losses, each under the name it is logged by; their weights stand in `TrainingSettings`.

===================  ==========================  =======================================================
name                 weight                      what it asks for
===================  ==========================  =======================================================
``adversarial``      ``lambda_adversarial``      a translation that the discriminator takes for real
``cycle``            ``lambda_cycle``            there and back again gives the source
``identity``         ``lambda_identity``         what is already in the target domain stays as it is
``discriminator``    1                           real scores 1, translated scores 0
===================  ==========================  =======================================================
"""

import torch

from cyclegan_lib.models.discriminator import Scores


def least_squares(scores: Scores, target: float) -> torch.Tensor:
    """Mean squared distance of a discriminator's scores from `target`, both views weighed the same.

    Scores have the members first; so has the result, (members,).
    Least-squares GAN: Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017.
    """
    windows, sequence = (_mean((view - target).square()) for view in scores)
    return (windows + sequence) / 2


def discriminator_loss(real: Scores, translated: Scores) -> torch.Tensor:
    """Real towards 1, translated towards 0; (members,)."""
    return (least_squares(real, 1.0) + least_squares(translated, 0.0)) / 2


def cycle_consistency(source: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
    """L1 distance of A to B to A from A (Zhu et al., "Unpaired Image-to-Image Translation", ICCV 2017).

    (members, ...) to (members,).
    """
    return _mean((back - source).abs())


def identity(target: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """L1 distance of the target domain's own features from their image under the generator into it.

    (members, ...) to (members,).
    """
    return _mean((kept - target).abs())


def _mean(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1).mean(dim=1)
