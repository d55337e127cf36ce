"""The generator: linear maps plus residual networks, slice by slice, the mean over several restarts."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn

from cyclegan_lib.models.layers import leaky_stack

STD_FLOOR = 0.02  # z-scores; added before the logarithm of a deviation
# What lies farther from the training recordings than this is treated as if it did not.
MOST_Z, MOST_LOG_GAIN = 3.0, 1.5


@dataclass(frozen=True)
class GainMap:
    """Log gain of the deviations within a recording: ((statistics - centre) / scale) @ weight + bias."""

    centre: np.ndarray  # float64, (80,): of means, then log deviations
    scale: np.ndarray  # float64, (80,)
    weight: np.ndarray  # float64, (80, 40)
    bias: np.ndarray  # float64, (40,)


class Generator(nn.Module):
    """Translate the normalised features of one device into those of the other.

    Several *members*, restarts trained side by side, each translate; the result is their mean, whose error is
    smaller than the members' own. A member is a fixed linear map, from which training starts, plus a residual
    network, slice by slice: a generator that saw neighbouring slices learned 26 recordings by heart. The
    output is not squashed (a Tanh on z-scores cannot leave one standard deviation).

    The residual network's last layer starts at zero, so that an untrained generator *is* its linear maps.
    Of what the residual network learned, the part `strength` is kept in use: adversarial training goes the
    right way, but further than errors against hidden pairs justify (docs/experiments.md).

    Last comes how much a recording varies: each feature's deviations from its mean over the sequence are
    multiplied by a gain, which follows from the sequence's statistics (`set_gain`; 1 until then). A fault
    classifier looks at these deviations, to which noise adds and which averaging takes away.

    Parameters
    ----------
    input_dim : int
        Features of a slice.
    hidden_dim, hidden_layers : int
        Width and depth of each residual network.
    members : int
        Restarts.
    strength : float, 0 to 1
    """

    def __init__(
        self,
        input_dim: int = 40,
        hidden_dim: int = 128,
        hidden_layers: int = 2,
        members: int = 4,
        strength: float = 0.5,
    ) -> None:
        super().__init__()
        self.members, self.strength = members, strength
        self.register_buffer("start_weight", torch.zeros(members, input_dim, input_dim))
        # not torch.eye, which on the meta device (shapes without memory) imports a compiler for two seconds
        self.start_weight.diagonal(dim1=1, dim2=2).fill_(1)
        self.register_buffer("start_bias", torch.zeros(members, 1, input_dim))
        self.linear = leaky_stack(members, [input_dim, input_dim])
        self.residual = leaky_stack(members, [input_dim, *[hidden_dim] * hidden_layers, input_dim])
        self.register_buffer("gain_centre", torch.zeros(2 * input_dim))
        self.register_buffer("gain_scale", torch.ones(2 * input_dim))
        self.register_buffer("gain_weight", torch.zeros(2 * input_dim, input_dim))
        self.register_buffer("gain_bias", torch.zeros(input_dim))
        for layer in (self.linear[-1], self.residual[-1]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def start_at(self, maps: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Set each member's start to x @ weight.T + bias; weights are (40, 40), biases (40,)."""
        for member, (weight, bias) in enumerate(maps):
            self.start_weight[member] = torch.as_tensor(weight).T
            self.start_bias[member, 0] = torch.as_tensor(bias)

    def set_gain(self, gain: GainMap) -> None:
        """Set what the deviations within a recording are multiplied by."""
        for name, values in asdict(gain).items():
            getattr(self, f"gain_{name}").copy_(torch.as_tensor(values))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Z-scores in, z-scores out; (..., slices, 40), the slices of one sequence together."""
        y = self.ungained(x)  # (..., slices, 40)
        mean = y.mean(dim=-2, keepdim=True)  # (..., 1, 40)
        std = (y - mean).square().mean(dim=-2, keepdim=True).sqrt()
        statistics = torch.cat([mean, (std + STD_FLOOR).log()], dim=-1)  # (..., 1, 80)
        statistics = ((statistics - self.gain_centre) / self.gain_scale).clamp(-MOST_Z, MOST_Z)
        gain = (statistics @ self.gain_weight + self.gain_bias).clamp(-MOST_LOG_GAIN, MOST_LOG_GAIN).exp()
        return mean + gain * (y - mean)

    def ungained(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of the members' translations, before the gain; any shape (..., 40)."""
        slices = x.reshape(1, -1, x.shape[-1]).expand(self.members, -1, -1)  # (members, n, 40)
        return self.each(slices, self.strength).mean(dim=0).reshape(x.shape)

    def disagreement(self, x: torch.Tensor) -> torch.Tensor:
        """How far the members are apart on a sequence: (..., slices, 40) z-scores in, (...) out, z-scores.

        The deviation over members of their mean translation of the sequence, root mean square over features.
        Where restarts that saw other recordings disagree, the data did not say what is right [1]_.

        .. [1] B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and scalable predictive uncertainty
           estimation using deep ensembles", NeurIPS 2017.
        """
        flat = x.reshape(1, -1, *x.shape[-2:]).expand(self.members, -1, -1, -1)  # (members, n, slices, 40)
        means = self.each(flat, self.strength).mean(dim=-2)  # (members, n, 40)
        return means.std(dim=0, correction=0).square().mean(dim=-1).sqrt().reshape(x.shape[:-2])

    def each(self, x: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
        """Each member's own translation of its own slices, (members, ..., 40) in and out."""
        slices = x.reshape(self.members, -1, x.shape[-1])  # (members, n, 40)
        linear = self.linear[-1]
        # the two linear maps as one
        weight = torch.add(self.start_weight, linear.weight, alpha=strength)
        bias = torch.add(self.start_bias, linear.bias, alpha=strength)
        y = torch.baddbmm(bias, slices, weight)
        return torch.add(y, self.residual(slices), alpha=strength).reshape(x.shape)
