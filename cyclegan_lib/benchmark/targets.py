"""The goals that were set before the benchmark was run, and what was reached of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cyclegan_lib.benchmark.cyclegan_rows import UNTRAINED
from cyclegan_lib.benchmark.judge import FORWARDS, RECOMMENDEDS
from cyclegan_lib.benchmark.pairs import PAIRS
from cyclegan_lib.evaluation.baselines import Affine, Identity, MeanShift
from cyclegan_lib.evaluation.measures import MEASURES, TRANSLATED

if TYPE_CHECKING:
    from cyclegan_lib.benchmark.numbers import Benchmark

SIMPLEST = (MeanShift.name, Affine.name)
MOTORS = ("motors", "motors-reversed")


@dataclass(frozen=True)
class Target:
    """A goal: on a pair of devices, or over many of them."""

    name: str
    pair: str
    limit: float
    at_most: bool
    reached: float | None  # None where a number is missing

    @property
    def met(self) -> bool | None:
        """None where it is not known."""
        if self.reached is None:
            return None
        # 1e-9: a sum of rounding errors is no failure
        return self.reached <= self.limit + 1e-9 if self.at_most else self.reached >= self.limit - 1e-9


def targets(result: "Benchmark") -> list[Target]:
    """All goals in the order of their importance, those of each pair together; none without the CycleGAN."""
    if TRANSLATED not in result.methods:
        return []
    return [
        *(target for pair in result.pairs for target in _of_pair(result, pair)),
        *_over_pairs(result),
    ]


def _of_pair(result: "Benchmark", pair: str) -> Iterator[Target]:
    ratios = _ratios(result, pair, *SIMPLEST)
    simplest = "NMSE to the better of mean shift and affine"
    yield Target(f"{simplest}, worst seed", pair, 1.00, True, max(ratios, default=None))
    yield Target(f"{simplest}, mean over seeds", pair, 0.95, True, float(np.mean(ratios)) if ratios else None)
    chosen = _ratios(result, pair, *SIMPLEST, UNTRAINED)
    name = "choice: NMSE to the best of shift, affine and start, worst seed"
    yield Target(name, pair, 1.02, True, max(chosen, default=None))
    if pair in MOTORS:
        best = result.best_baseline(pair, "nmse")
        name = "NMSE to the best unpaired baseline"
        yield Target(name, pair, 0.90, True, result.ratio(pair, "nmse", best))
        for forward, ours in zip(FORWARDS, RECOMMENDEDS, strict=True):
            heading = MEASURES[ours].heading.removesuffix(" ↑")
            best = result.best_baseline(pair, forward)
            for title, other in (
                (f"the best unpaired baseline, {best}", best),
                ("untranslated", Identity.name),
            ):
                reached = _minus(result, pair, ours, other, forward)
                yield Target(f"{heading}: minus {title}", pair, 0.0, False, reached)
    if _is_real(pair):
        for ours in RECOMMENDEDS:
            heading = MEASURES[ours].heading.removesuffix(" ↑")
            best = next(iter(result.best_linear(pair, ours)), None)
            reached = _minus(result, pair, ours, best, ours)
            yield Target(f"{heading}: minus the best linear map, {best}, used so", pair, 0.0, False, reached)


def _over_pairs(result: "Benchmark") -> Iterator[Target]:
    real = [pair for pair in result.pairs if _is_real(pair)]
    found = [result.recovery(pair, TRANSLATED, ours) for pair in real for ours in RECOMMENDEDS]
    known = [value for value in found if value is not None]
    name = "recovered, mean over real pairs and classifiers"
    yield Target(name, ", ".join(real), 0.80, False, float(np.mean(known)) if known else None)
    expected = result.expectations()
    error = np.abs(expected.expected.to_numpy() - expected.reached.to_numpy())
    name = "expected accuracy without labels of A: mean absolute error"
    yield Target(name, "all", 0.10, True, float(error.mean()) if len(error) else None)


def _is_real(pair: str) -> bool:
    return pair in PAIRS and PAIRS[pair].real


def _ratios(result: "Benchmark", pair: str, *others: str) -> list[float]:
    """The CycleGAN's NMSE over the least of the others', for each seed that has all of them."""
    table = result.by_seed(pair, "nmse", TRANSLATED, *others).to_numpy()  # (seeds, methods)
    return (table[:, 0] / table[:, 1:].min(axis=1)).tolist() if len(table) else []


def _minus(result: "Benchmark", pair: str, measure: str, other: str | None, of_other: str) -> float | None:
    ours, theirs = result.mean(pair, TRANSLATED, measure), result.mean(pair, other, of_other)
    return None if ours is None or theirs is None else ours - theirs
