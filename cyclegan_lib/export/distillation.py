"""Distilling: a small generator that learns what a large one does, to translate many recordings in less time.

A small network is trained to give the output of a large one [1]_. No recording is needed for it: the large
one can be asked about any slice. What is asked are slices with the mean and covariance of the training
recordings', which their checkpoint keeps, somewhat farther apart than those.

References
----------
.. [1] G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015,
   arXiv:1503.02531.
"""

from collections.abc import Callable

import numpy as np
import torch

from cyclegan_lib.config import N_FEATURES, SLICES
from cyclegan_lib.export.formats import RawUnits
from cyclegan_lib.models import Generator

# One member of one hidden layer. 8 wide, so that its first layer and the linear map are 48 together, three
# times the 16 numbers that wide processors take at once; 16 or 24 came little nearer to the large generator.
SIZES = {"input_dim": N_FEATURES, "hidden_dim": 8, "hidden_layers": 1, "members": 1, "strength": 1.0}
SLICES_ASKED = 24_000  # as many as a small training set has
SPREAD = 1.3  # times the training recordings' deviations: others will be farther out than those were
ISOTROPIC = 0.1  # z-scores, added in all directions: there may be none of them in some
STEPS, BATCH, RATE = 2000, 256, 5e-3  # a second and a half


def distil(
    large: Generator, mean: torch.Tensor, covariance: torch.Tensor, seed: int = 0
) -> tuple[Generator, float]:
    """Train a small generator, of `SIZES`, to translate slices as a large one does, with its gains.

    It starts at the best linear map. Nothing else than the arguments decides the result. `mean`, (40,), and
    `covariance`, (40, 40), are those of the slices that the large one was trained on, in z-scores.

    The number is how far the small one is from the large one: root mean square over features of slices like
    the training recordings', others than it was trained on, in z-scores.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more would take longer here, and end in other digits
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            small = _trained(large, mean, covariance)
            x = drawn_slices(mean, covariance)
            with torch.inference_mode():
                difference = (small.ungained(x) - large.ungained(x)).square().mean().sqrt()
    finally:
        torch.set_num_threads(threads)
    return small, float(difference)


def _trained(large: Generator, mean: torch.Tensor, covariance: torch.Tensor) -> Generator:
    x = drawn_slices(mean, SPREAD**2 * covariance + ISOTROPIC**2 * torch.eye(len(mean)))  # (n, 40)
    with torch.inference_mode():
        y = large.ungained(x)
    small = Generator(**SIZES)
    small.start_at([_least_squares(x, y)])
    gains = {name: value for name, value in large.state_dict().items() if name.startswith("gain_")}
    small.load_state_dict(gains, strict=False)
    optimizer = torch.optim.Adam(small.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    x, y = x.clone(), y.clone()  # no longer of the inference mode
    for _ in range(STEPS):
        chosen = torch.randint(len(x), (BATCH,))
        loss = (small.ungained(x[chosen]) - y[chosen]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return small.eval().requires_grad_(False)


def drawn_slices(mean: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """Normally distributed slices, (n, 40); a feature may be constant, and depend on others."""
    values, vectors = torch.linalg.eigh(covariance.double())
    root = vectors * values.clamp_min(0).sqrt()  # root @ root.T is the covariance
    return mean + torch.randn(SLICES_ASKED, len(mean)) @ root.T.float()


def drawn_sequences(
    large: RawUnits, mean: torch.Tensor, covariance: torch.Tensor, seed: int
) -> list[torch.Tensor]:
    """Two draws of sequences of such slices for `large`, (n, slices, 40) dB: to fit to, and to judge on."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        drawn = [drawn_slices(mean, covariance).reshape(-1, SLICES, len(mean)) for _ in range(2)]
    return [z * large.std_source + large.mean_source for z in drawn]


def nmse(large: RawUnits, small: Callable[[torch.Tensor], torch.Tensor], judged: torch.Tensor) -> float:
    """Squared error of `small` on sequences, (n, slices, 40) dB, over the variance of what `large` gives."""
    with torch.inference_mode():
        expected, found = large(judged).numpy(), small(judged).numpy()
    variance = np.square(expected - expected.mean(axis=(0, 1))).sum()
    return float(np.square(found - expected).sum() / variance)


def _least_squares(x: torch.Tensor, y: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Weight (40, 40) and bias (40,) of the linear map x @ weight.T + bias that is nearest to y."""
    ones = torch.ones(len(x), 1)
    both = np.linalg.lstsq(torch.cat([x, ones], dim=1).double().numpy(), y.double().numpy(), rcond=None)[0]
    return both[:-1].T, both[-1]
