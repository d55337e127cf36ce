"""The rows that train no network: baselines, optimal transport between samples, and B itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot

from cyclegan_lib.benchmark.device_pair import DevicePair, Translation, in_both_directions
from cyclegan_lib.evaluation.baselines import Baseline
from cyclegan_lib.features import Normalizer

OT_POINTS = 2000  # slices of each side that are transported: the coupling is a matrix of 32 MB


class BarycentricOT(Baseline):
    """Exact optimal transport between samples, extended to new slices [1]_, [2]_.

    At most 2,000 slices of each side, drawn by the seed and z-scored with their own domain's mean and
    deviation, are coupled. A new slice moves as its nearest neighbour among the coupled ones does. No shape
    is assumed, but every slice is one of few points in 40 dimensions.

    References
    ----------
    .. [1] N. Courty et al., "Optimal Transport for Domain Adaptation", IEEE Transactions on Pattern Analysis
       and Machine Intelligence 39, 2017.
    .. [2] S. Ferradans et al., "Regularized Discrete Optimal Transport", SIAM Journal on Imaging Sciences 7,
       2014.
    """

    name = "OT barycentric"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def _fit(self, source: np.ndarray, target: np.ndarray) -> None:
        rng = np.random.default_rng(self.seed)
        self._normalizer = Normalizer.fit(source, target, mode="per-domain")
        samples = []
        for x, domain in ((source, "A"), (target, "B")):
            drawn = rng.permutation(len(x))[:OT_POINTS]
            samples.append(self._normalizer.normalize(x[drawn], domain).astype(np.float64))
        # the default of 100,000 iterations of the network simplex may stop short of the optimum
        self._transport = ot.da.EMDTransport(max_iter=10_000_000, out_of_sample_map="ferradans")
        self._transport.fit(Xs=samples[0], Xt=samples[1])

    def _transform(self, x: np.ndarray) -> np.ndarray:
        z = self._normalizer.normalize(x, "A").astype(np.float64)  # (slices, 40)
        return self._normalizer.denormalize(self._transport.transform(Xs=z), "B")


def baseline(pair: DevicePair, seed: int, folder: Path, kind: Callable[[], Baseline]) -> Translation:
    """A baseline fitted on the unpaired training recordings, in both directions."""
    a, b = pair.train_a.features, pair.train_b.features
    return in_both_directions(pair, kind().fit(a, b).transform, kind().fit(b, a).transform, seed)


def barycentric_ot(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """The baseline that draws, from A to B alone."""
    fitted = BarycentricOT(seed).fit(pair.train_a.features, pair.train_b.features)
    return Translation(fitted.transform(pair.test_a.features))


def real_target(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """B's own recordings of the test moments: what a perfect translation would score."""
    return Translation(pair.test_b.features)


def own_labels(pair: DevicePair, seed: int, folder: Path) -> Translation:
    """A classifier that learned from A's own labels, asked about A as it is: what A's sound holds."""
    return Translation(None, {"BA": pair.labelled_a})
