"""The benchmark's numbers in one long table, and what follows from them: means, differences, targets.

pandas holds and selects, numpy computes: pandas sums in another order, which moves last digits.
"""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator
from scipy import stats

from cyclegan_lib import documents
from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.methods import BOUND, UNPAIRED
from cyclegan_lib.evaluation.measures import MEASURES, TRANSLATED

if TYPE_CHECKING:
    import pandas as pd

BENCHMARK_JSON = "benchmark.json"
BENCHMARK_REMEDY = f"give the {BENCHMARK_JSON} that `cyclegan benchmark` wrote"
# of these the CycleGAN is compared with the best unpaired baseline
COMPARED = ("nmse", "accuracy_forest", "accuracy_logistic", "recovery_forest", "recovery_logistic")
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """A number over seeds."""

    mean: float
    deviation: float | None  # n − 1; None with one seed
    n: int


@dataclass(frozen=True)
class Difference:
    """What one method reaches minus what another does, with the same seeds."""

    against: str  # the other method
    mean: float
    # 95 % t-interval of the mean over seeds; None with one seed
    low: float | None
    high: float | None
    n: int  # seeds that both have a number for
    verdict: str  # "better", "worse", or "undecided" where the interval holds 0 or there is none


@dataclass(frozen=True)
class Benchmark:
    """Every cell, and what follows from them."""

    cells: list[Cell]
    # in the order of the tables; in JSON each pair is the key of its tables
    pairs: Annotated[list[str], BeforeValidator(lambda tables: list(tables.keys()))]
    methods: list[str]
    seeds: list[int]
    left_out: dict[str, str]  # pairs that could not be built, and why
    versions: dict[str, str]  # of the package, of Python and of the libraries

    @classmethod
    def load(cls, path: str | Path) -> "Benchmark":
        """Read benchmark.json back; raises InputError if it is missing or not one that `save` wrote."""
        return documents.read(path, cls, "is not a benchmark's result", BENCHMARK_REMEDY)

    def save(self, folder: str | Path) -> Path:
        """Write benchmark.json; raises InputError if the folder cannot be written."""
        return documents.write(Path(folder) / BENCHMARK_JSON, self.to_dict())

    @cached_property
    def numbers(self) -> "pd.DataFrame":
        """One line a number: pair, method, measure, seed, value. What does not exist has no line."""
        import pandas as pd

        numbers = {
            (cell.pair, cell.method, measure, cell.seed): value
            for cell in self.cells
            for measure, value in cell.values.items()
            if value is not None
        }
        columns = ["pair", "method", "measure", "seed", "value"]
        return pd.DataFrame([(*key, value) for key, value in numbers.items()], columns=columns)

    @cached_property
    def spreads(self) -> dict[tuple[str, str, str], Spread]:
        """Mean and deviation over seeds, by pair, method and measure."""
        spreads = {}
        for key, values in self.numbers.groupby(["pair", "method", "measure"], sort=False)["value"]:
            x = values.to_numpy()
            deviation = float(np.std(x, ddof=1)) if len(x) > 1 else None
            spreads[key] = Spread(float(np.mean(x)), deviation, len(x))
        return spreads

    def mean(self, pair: str, method: str | None, measure: str) -> float | None:
        """Mean over seeds; None where no seed has a number."""
        spread = self.spreads.get((pair, method, measure))
        return None if spread is None else spread.mean

    def by_seed(self, pair: str, measure: str, *methods: str) -> "pd.DataFrame":
        """Numbers of some methods, a column each; a row a seed that all of them have a number for."""
        numbers = self.numbers[(self.numbers.pair == pair) & (self.numbers.measure == measure)]
        table = numbers.pivot(index="seed", columns="method", values="value")
        return table.reindex(columns=list(methods)).dropna()

    def gained(self, pair: str, measure: str, method: str, against: str) -> Difference | None:
        """Paired difference of two methods over the seeds in both; None if there are none.

        The seed decides the split, and with it most of what two methods' numbers have in common: their
        difference scatters less than either. Student's t with n − 1 degrees of freedom.
        """
        table = self.by_seed(pair, measure, method, against)
        each = (table[method] - table[against]).to_numpy()
        n = len(each)
        if n == 0:
            return None
        mean = float(each.mean())
        if n == 1:
            return Difference(against, mean, None, None, n, "undecided")
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * each.std(ddof=1) / math.sqrt(n))
        low, high = mean - half, mean + half
        verdict = "worse" if MEASURES[measure].cost(mean) > 0 else "better"
        return Difference(against, mean, low, high, n, "undecided" if low <= 0 <= high else verdict)

    def best_baseline(self, pair: str, measure: str) -> str | None:
        """The unpaired baseline with the best mean over seeds; the first of equals."""
        means = {method: self.mean(pair, method, measure) for method in self.methods if method in UNPAIRED}
        costs = {method: MEASURES[measure].cost(mean) for method, mean in means.items() if mean is not None}
        return min(costs, key=lambda method: costs[method], default=None)

    def difference(self, pair: str, measure: str) -> Difference | None:
        """CycleGAN minus the best unpaired baseline, paired by seed; None where one has no numbers."""
        best = self.best_baseline(pair, measure)
        return None if best is None else self.gained(pair, measure, TRANSLATED, best)

    def differences(self, pair: str) -> dict[str, Difference]:
        """Those that exist, by measure."""
        differences = {measure: self.difference(pair, measure) for measure in COMPARED}
        return {measure: difference for measure, difference in differences.items() if difference}

    def ratio(self, pair: str, measure: str, to: str | None) -> float | None:
        """Mean of the CycleGAN over the mean of `to`; None where one is missing or the other is 0."""
        translated, other = (self.mean(pair, method, measure) for method in (TRANSLATED, to))
        return None if translated is None or not other else translated / other

    def targets(self, pair: str) -> list[dict[str, Any]]:
        """The goals that were set before the first run, a row each: name, limit, at_most, reached, met.

        The last two are None where there is no number.
        """
        to_baseline = self.ratio(pair, "nmse", self.best_baseline(pair, "nmse"))
        goals = (
            ("NMSE to best unpaired baseline", 0.7, True, to_baseline),
            ("NMSE to supervised bound", 1.25, True, self.ratio(pair, "nmse", BOUND)),
            ("recovered (forest)", 0.8, False, self.mean(pair, TRANSLATED, "recovery_forest")),
            ("recovered (logistic)", 0.8, False, self.mean(pair, TRANSLATED, "recovery_logistic")),
        )
        targets = []
        for name, limit, at_most, reached in goals:
            met = None if reached is None else reached <= limit if at_most else reached >= limit
            row = {"name": name, "limit": limit, "at_most": at_most, "reached": reached, "met": met}
            targets.append(row)
        return targets

    def recordings(self, pair: str) -> dict[str, tuple[int, int]]:
        """Fewest and most recordings over the seeds, for each set of the pair."""
        counts = [cell.recordings for cell in self.cells if cell.pair == pair]
        names = counts[0] if counts else {}
        return {name: (min(c[name] for c in counts), max(c[name] for c in counts)) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; a number that does not exist is None."""
        content = {
            "versions": self.versions,
            "seeds": self.seeds,
            "methods": self.methods,
            "left_out": self.left_out,
            "pairs": {pair: self._pair_dict(pair) for pair in self.pairs},
            "cells": [asdict(cell) for cell in self.cells],
        }
        return documents.plain(content)

    def _pair_dict(self, pair: str) -> dict[str, Any]:
        return {
            "recordings": self.recordings(pair),
            "rows": {
                method: {
                    measure: asdict(self.spreads[pair, method, measure])
                    for measure in MEASURES
                    if (pair, method, measure) in self.spreads
                }
                for method in self.methods
            },
            "differences": {
                measure: {
                    **asdict(difference),
                    "ratio_to_baseline": self.ratio(pair, measure, difference.against),
                    "ratio_to_bound": self.ratio(pair, measure, BOUND),
                }
                for measure, difference in self.differences(pair).items()
            },
            "targets": self.targets(pair) if TRANSLATED in self.methods else [],
        }
