"""The discriminator: is this sequence from the device itself, or translated?"""

import torch
from torch import nn

from cyclegan_lib.models.layers import leaky_stack

# Added to variances before the square root, whose slope at 0 is infinite; of z-scores 1 is a usual variance.
VARIANCE_FLOOR = 1e-4

Scores = tuple[torch.Tensor, torch.Tensor]


class Discriminator(nn.Module):
    """Score a sequence in two views: each window of neighbouring slices, and the sequence as a whole.

    Windows see how slices look and follow each other; the statistics (mean, standard deviation, lag-1
    covariance of each feature over the sequence) see what the windows cannot, the recording's level and how
    much it varies. Every layer is spectrally normalised, which keeps adversarial training of small networks
    on small data stable without further penalties. There is one for each restart of the generator, a member.
    A window is this many neighbouring slices; windows follow each other without overlap.
    """

    def __init__(self, input_dim: int = 40, hidden_dim: int = 128, window: int = 5, members: int = 4) -> None:
        super().__init__()
        self.window, self.members = window, members
        hidden = [hidden_dim, hidden_dim, 1]
        self.of_windows = leaky_stack(members, [input_dim * window, *hidden], spectral=True)
        self.of_sequence = leaky_stack(members, [input_dim * 3, *hidden], spectral=True)

    def forward(self, x: torch.Tensor) -> Scores:
        """Score z-scores (batch, slices, 40), 1 for real and 0 for translated: the means over the members.

        Returns the windows' scores, (batch, windows, 1), and the sequences', (batch, 1).
        """
        windows, sequence = self.each(x.expand(self.members, *x.shape))
        return windows.mean(dim=0), sequence.mean(dim=0)

    def each(self, x: torch.Tensor) -> Scores:
        """Each member's scores of its own sequences, (members, batch, slices, 40)."""
        windows = x.unfold(2, self.window, self.window).flatten(3)  # (members, batch, windows, 40 * window)
        scores = self.of_windows(windows.flatten(1, 2)).reshape(*windows.shape[:3], 1)
        return scores, self.of_sequence(mean_std_lag(x))


def mean_std_lag(x: torch.Tensor) -> torch.Tensor:
    """Mean, standard deviation and lag-1 covariance of each feature over a sequence.

    (..., slices, 40) to (..., 120).
    """
    mean = x.mean(dim=-2)  # (..., 40)
    centred = x - mean.unsqueeze(-2)
    std = (centred.square().mean(dim=-2) + VARIANCE_FLOOR).sqrt()  # (..., 40)
    lag_1 = (centred[..., 1:, :] * centred[..., :-1, :]).mean(dim=-2)  # (..., 40)
    return torch.cat([mean, std, lag_1], dim=-1)
