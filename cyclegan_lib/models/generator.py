"""The generator: a linear map plus a residual network, slice by slice."""

import numpy as np
import torch
from torch import nn


class Generator(nn.Module):
    """Translate the normalised features of one device into those of the other.

    Each slice is translated by itself: a generator that saw neighbouring slices learned 26 recordings by
    heart. The output is not squashed (a Tanh on z-scores cannot leave one standard deviation). The residual
    network's last layer starts at zero, so that an untrained generator *is* its linear map, which `start_at`
    sets to the Gaussian optimal-transport map: training starts from the strongest linear baseline.

    Parameters
    ----------
    input_dim : int
        Features of a slice.
    hidden_dim, hidden_layers : int
        Width and depth of the residual network; 3 layers of 256 make 154,000 parameters with the rest.
    """

    def __init__(self, input_dim: int = 40, hidden_dim: int = 256, hidden_layers: int = 3) -> None:
        super().__init__()
        self.linear = nn.Linear(input_dim, input_dim)
        layers: list[nn.Module] = []
        width = input_dim
        for _ in range(hidden_layers):
            layers += [nn.Linear(width, hidden_dim), nn.LeakyReLU(0.2)]
            width = hidden_dim
        layers.append(nn.Linear(width, input_dim))
        self.residual = nn.Sequential(*layers)
        nn.init.zeros_(self.residual[-1].weight)
        nn.init.zeros_(self.residual[-1].bias)
        self.start_at(np.eye(input_dim), np.zeros(input_dim))

    def start_at(self, weight: np.ndarray, bias: np.ndarray) -> None:
        """Set the linear map to x @ weight.T + bias; `weight` is (40, 40), `bias` is (40,)."""
        with torch.no_grad():
            self.linear.weight.copy_(torch.as_tensor(weight))
            self.linear.bias.copy_(torch.as_tensor(bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Z-scores in, z-scores out; any shape (..., 40), usually (batch, slices, 40)."""
        return self.linear(x) + self.residual(x)  # (batch, slices, 40)
