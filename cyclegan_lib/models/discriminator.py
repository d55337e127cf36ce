"""The discriminator: is this sequence from the device itself, or translated?"""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

# Added to variances before the square root, whose slope at 0 is infinite; of z-scores 1 is a usual variance.
VARIANCE_FLOOR = 1e-4


class Discriminator(nn.Module):
    """Score a sequence in two views: each window of neighbouring slices, and the sequence as a whole.

    Windows see how slices look and follow each other; the statistics (mean, standard deviation, lag-1
    covariance of each feature over the sequence) see what the windows cannot, the recording's level and how
    much it varies. Every layer is spectrally normalised [1]_, which keeps adversarial training of small
    networks on small data stable without further penalties.

    Parameters
    ----------
    input_dim : int
        Features of a slice.
    hidden_dim : int
        Width of both networks.
    window : int
        Neighbouring slices seen together.

    References
    ----------
    .. [1] Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018.
    """

    def __init__(self, input_dim: int = 40, hidden_dim: int = 256, window: int = 5) -> None:
        super().__init__()
        self.window = window
        self.of_windows = _scorer(input_dim * window, hidden_dim)
        self.of_sequence = _scorer(input_dim * 3, hidden_dim)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Score z-scores of shape (batch, slices, 40).

        Returns
        -------
        windows : tensor, (batch, slices - window + 1, 1)
        sequence : tensor, (batch, 1)
            Trained towards 1 for real and 0 for translated.
        """
        windows = x.unfold(1, self.window, 1).flatten(2)  # (batch, windows, 40 * window)
        return self.of_windows(windows), self.of_sequence(sequence_statistics(x))


def sequence_statistics(x: torch.Tensor) -> torch.Tensor:
    """Mean, standard deviation and lag-1 covariance of each feature over a sequence.

    (batch, slices, 40) to (batch, 120).
    """
    mean = x.mean(dim=1)  # (batch, 40)
    centred = x - mean[:, None]
    std = (centred.square().mean(dim=1) + VARIANCE_FLOOR).sqrt()  # (batch, 40)
    lag_1 = (centred[:, 1:] * centred[:, :-1]).mean(dim=1)  # (batch, 40)
    return torch.cat([mean, std, lag_1], dim=1)


def _scorer(inputs: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        spectral_norm(nn.Linear(inputs, hidden)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(hidden, hidden)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(hidden, 1)),
    )
