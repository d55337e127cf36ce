"""The rows of the benchmark: ways to translate A to B, one function each, and the bounds around them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cyclegan_lib.benchmark import cyclegan_rows
from cyclegan_lib.benchmark.baseline_rows import (
    BarycentricOT,
    barycentric_ot,
    baseline,
    own_labels,
    real_target,
)
from cyclegan_lib.benchmark.device_pair import DevicePair, Translation
from cyclegan_lib.benchmark.reference import reference_design
from cyclegan_lib.benchmark.supervised import supervised_mlp
from cyclegan_lib.evaluation.baselines import BASELINES, Affine, Coral, GaussianOT, MeanShift
from cyclegan_lib.evaluation.measures import TRANSLATED

REFERENCE, BOUND, NULL = "reference design", "supervised MLP", "real B"
OWN_LABELS = "own labels of A"  # never available in use, as the bound

# pair, seed, an empty folder to work in
Method = Callable[[DevicePair, int, Path], Translation]

# What needs neither pairs nor training: the CycleGAN has to be better than the best of these. A new one is a
# subclass of Baseline in a file of its own, and a line here: Name.name: partial(baseline, kind=Name).
UNPAIRED: dict[str, Method] = {
    **{name: partial(baseline, kind=kind) for name, kind in BASELINES.items()},
    BarycentricOT.name: barycentric_ot,
}

LINEAR = tuple(kind.name for kind in (MeanShift, Affine, Coral, GaussianOT))

# where the CycleGAN starts with other help than the labels of B, which it has by default
HELPED: dict[str, Method] = {
    cyclegan_rows.WITHOUT_LABELS: partial(cyclegan_rows.untrained, use_labels=False),
    **{
        cyclegan_rows.with_pairs(n): partial(cyclegan_rows.untrained, pairs=n)
        for n in cyclegan_rows.PAIRS_GIVEN
    },
}

# in the order of the tables
METHODS: dict[str, Method] = {
    **UNPAIRED,
    TRANSLATED: cyclegan_rows.cyclegan,
    cyclegan_rows.UNTRAINED: cyclegan_rows.untrained,
    REFERENCE: reference_design,
    BOUND: supervised_mlp,
    OWN_LABELS: own_labels,
    NULL: real_target,
    **HELPED,
}
# what is run unless other methods are asked for
DEFAULT = [name for name in METHODS if name not in HELPED]
