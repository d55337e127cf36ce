"""A generator put together for many sequences: the same translation, from dB to dB, in less time."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d, leaky_relu_

from cyclegan_lib.features import Normalizer
from cyclegan_lib.models import Generator
from cyclegan_lib.models.generator import MOST_LOG_GAIN, MOST_Z, STD_FLOOR
from cyclegan_lib.models.layers import MemberLinear

# Of the widest array in a chunk of slices that is translated at once. What a layer reads and writes mostly
# stays in the processor's caches then; with less, calling torch takes longer than computing.
CHUNK_BYTES = 5 << 19
# Multiplications of a layer from which oneDNN is the faster one: preparing it takes some 30 microseconds.
ONEDNN_FROM = 3_000_000
# Where a feature's mean is more of its deviations away from 0 dB than this, the mean is subtracted before the
# first layer and not within it: rounding to float32 grows with the distance.
FAR = 100


class BulkTranslation:
    """A generator between normalisation and denormalisation, in as little arithmetic and memory as it can.

    Normalisation and all that is linear in the mean over members, their start and their linear map, become
    one matrix; the weights of the mean go into the last layers, and denormalisation into the gains. With one
    hidden layer all members' first layers join that matrix, and the linear part of the leaky rectifier too,
    which leaves a rectifier. With more, each member goes through all its layers before the next one begins.
    Equal to the generator up to float32 rounding. The weights are copied: a change made later does not reach
    this one.
    """

    def __init__(self, generator: Generator, normalizer: Normalizer, direction: str) -> None:
        source, target = (
            [torch.from_numpy(np.asarray(values, dtype=np.float64)) for values in normalizer.moments(name)]
            for name in direction
        )  # mean and std of each, (40,)
        mean, std = source
        self.offset = mean.float() if (mean.abs() / std).max() > FAR else None  # (40,), dB
        if self.offset is not None:
            source = [mean - self.offset.double(), std]
        layers = [layer for layer in generator.residual if isinstance(layer, MemberLinear)]
        # in double precision until all is put together
        weights = [layer.weight.detach().double() for layer in layers]  # (members, inputs, outputs) each
        biases = [layer.bias.detach().double() for layer in layers]  # (members, 1, outputs) each
        strength, linear = generator.strength, generator.linear[-1]
        learned, learned_bias = linear.weight.detach().double(), linear.bias.detach().double() + biases[-1]
        whole = (generator.start_weight.double() + strength * learned).mean(dim=0)  # (40, 40)
        whole_bias = (generator.start_bias.double() + strength * learned_bias).mean(dim=0)  # (1, 40)
        last = weights[-1] * (strength / generator.members)  # (members, hidden, 40)
        self.slope = next(x for x in generator.residual if isinstance(x, nn.LeakyReLU)).negative_slope
        self.joined = len(layers) == 2
        if self.joined:
            # slope * h + (1 - slope) * relu(h) is the leaky rectifier of h
            first, first_bias = torch.cat([*weights[0]], dim=1), torch.cat([*biases[0]], dim=1)
            last = last.reshape(-1, last.shape[-1])  # (members * hidden, 40)
            # (40, 40 + members * hidden)
            whole = torch.cat([whole + self.slope * first @ last, first], dim=1)
            whole_bias = torch.cat([whole_bias + self.slope * first_bias @ last, first_bias], dim=1)
            self.inner, self.last = [], ((1 - self.slope) * last).float()
        else:
            inner = [*zip(weights[:-1], biases[:-1], strict=True)]
            inner[0] = _of_raw_units(*inner[0], *source)
            self.inner = [_as_kept(weight, bias) for weight, bias in inner]
            self.last = _as_kept(last, torch.zeros(len(last), 1, last.shape[-1]))
        self.whole = _as_kept(*_of_raw_units(whole, whole_bias, *source))
        self.gain_map = {
            name: getattr(generator, f"gain_{name}").clone() for name in ("centre", "scale", "weight", "bias")
        }
        self.mean, self.std = (part.float() for part in target)  # (40,), dB
        self.width = max(whole.shape[1], *(weight.shape[-1] for weight in weights))

    def chunk(self, slices: int) -> int:
        """How many sequences of so many slices are translated at once."""
        return max(1, CHUNK_BYTES // (4 * self.width * max(1, slices)))

    @torch.inference_mode()
    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Translate (sequences, slices, 40) in dB; float32 out."""
        out = np.empty(features.shape, dtype=np.float32)
        sequences, slices, inputs = features.shape
        chunk = self.chunk(slices)
        # the same memory for every chunk: it is in the caches already
        squares = torch.empty(min(chunk, sequences), slices, inputs)
        for start in range(0, sequences, chunk):
            x = np.require(features[start : start + chunk], np.float32, ("C", "W"))  # as torch takes it
            y = self._ungained(torch.from_numpy(x).flatten(0, 1)).unflatten(0, x.shape[:2])
            self._gain(y, squares[: len(x)], torch.from_numpy(out[start : start + chunk]))
        return out

    def _ungained(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of the members' translations, before the gain: dB in, z-scores out, (n, 40) both."""
        if self.offset is not None:
            x = x - self.offset
        y = affine(x, *self.whole)  # (n, 40), or (n, 40 + members * hidden)
        if self.joined:
            y, hidden = y[:, : len(self.mean)], y[:, len(self.mean) :]
            return y.addmm_(hidden.relu_(), self.last)
        for member, last in enumerate(zip(*self.last, strict=True)):
            h = x
            for weight, bias in self.inner:
                h = leaky_relu_(affine(h, weight[member], bias[member]), self.slope)  # (n, hidden)
            y += affine(h, *last)
        return y

    def _gain(self, y: torch.Tensor, squares: torch.Tensor, out: torch.Tensor) -> None:
        """Multiply the deviations from each sequence's mean, and denormalise: (n, slices, 40) all."""
        mean = y.mean(dim=1, keepdim=True)  # (n, 1, 40)
        y -= mean
        std = torch.square(y, out=squares).mean(dim=1, keepdim=True).sqrt_()
        statistics = torch.cat([mean, std.add_(STD_FLOOR).log_()], dim=-1).squeeze(1)  # (n, 80)
        statistics.sub_(self.gain_map["centre"]).div_(self.gain_map["scale"]).clamp_(-MOST_Z, MOST_Z)
        gain = torch.addmm(self.gain_map["bias"], statistics, self.gain_map["weight"])  # (n, 40)
        gain = gain.clamp_(-MOST_LOG_GAIN, MOST_LOG_GAIN).exp_().mul_(self.std).unsqueeze(1)  # (n, 1, 40)
        torch.addcmul(torch.addcmul(self.mean, mean, self.std), y, gain, out=out)


def affine(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """x @ weight.T + bias: (n, inputs), (outputs, inputs) and (outputs,) in, (n, outputs) out.

    Through oneDNN where torch has it, and so written as a convolution with kernels of one point: torch leaves
    products of matrices to MKL, which did less than half as many operations a second on an AMD EPYC. The
    dilation changes nothing, but with it torch does not leave this one to MKL either.
    """
    if len(x) * weight.numel() < ONEDNN_FROM or not torch.backends.mkldnn.is_available():
        return torch.addmm(bias, x, weight.T)
    pixels = x[None, :, None].permute(0, 3, 1, 2)  # (1, inputs, n, 1), where channels lie side by side
    y = conv2d(pixels, weight[:, :, None, None], bias, dilation=(1, 2))  # (1, outputs, n, 1)
    return y.permute(0, 2, 3, 1)[0, :, 0]


def _as_kept(weight: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(..., inputs, outputs) and (..., 1, outputs) as float32 (..., outputs, inputs) and (..., outputs)."""
    return weight.float().mT.contiguous(), bias.float().squeeze(-2)


def _of_raw_units(
    weight: torch.Tensor, bias: torch.Tensor, mean: torch.Tensor, std: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The linear layer of (x - mean) / std as one of x: (..., 40, outputs) and (..., 1, outputs), float64."""
    weight = weight / std[:, None]
    return weight, bias - mean @ weight if weight.dim() == 2 else bias - (mean @ weight)[:, None]
