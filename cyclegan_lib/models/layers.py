"""A linear layer for several networks at once: restarts are trained side by side, in one multiplication."""

import torch
from torch import nn
from torch.nn import functional

FIRST_ITERATIONS = 15  # of the power method, so that the first step already sees a good estimate


class MemberLinear(nn.Module):
    """One linear layer for each member of an ensemble.

    Parameters
    ----------
    members, inputs, outputs : int
    spectral : bool
        Divide each member's weight by its largest singular value, estimated by one power iteration for each
        pass in which it learns [1]_.

    References
    ----------
    .. [1] Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018.
    """

    def __init__(self, members: int, inputs: int, outputs: int, spectral: bool = False) -> None:
        super().__init__()
        bound = inputs**-0.5  # as torch.nn.Linear starts
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound))
        self.spectral = spectral
        if spectral:
            self.register_buffer("right", torch.randn(members, outputs, 1))
            for _ in range(0 if self.weight.is_meta else FIRST_ITERATIONS):  # meta: shapes without memory
                self._iterate()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Member by member, (members, n, inputs) to (members, n, outputs)."""
        weight = self.weight
        if self.spectral:
            if self.training and weight.requires_grad:
                self._iterate()
            # a copy: a later pass moves the estimate, and the gradient of this one must not notice
            product = weight @ self.right.clone()  # (members, inputs, 1)
            left = functional.normalize(product.detach(), dim=1)
            weight = weight / (left * product).sum(dim=1, keepdim=True)  # (members, inputs, outputs)
        return torch.baddbmm(self.bias, x, weight)

    @torch.no_grad()
    def _iterate(self) -> None:
        left = functional.normalize(self.weight @ self.right, dim=1)
        self.right.copy_(functional.normalize(self.weight.transpose(1, 2) @ left, dim=1))


def leaky_stack(members: int, widths: list[int], spectral: bool = False) -> nn.Sequential:
    """Linear layers of these widths for each member, with leaky rectifiers between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        layers += [MemberLinear(members, inputs, outputs, spectral), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers[:-1])
