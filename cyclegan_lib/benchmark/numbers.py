"""The benchmark's numbers in one long table, and what follows from them: means, differences, recoveries.

pandas holds and selects, numpy computes: pandas sums in another order, which moves last digits.
"""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from cyclegan_lib import documents
from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.judge import FORWARDS, RECOMMENDEDS, WEIGHT, way_measure
from cyclegan_lib.benchmark.methods import BOUND, LINEAR, OWN_LABELS, UNPAIRED
from cyclegan_lib.benchmark.targets import targets
from cyclegan_lib.evaluation.baselines import Identity
from cyclegan_lib.evaluation.measures import MEASURES, TRANSLATED
from cyclegan_lib.faults.models import recovery
from cyclegan_lib.faults.ways import FORWARD

if TYPE_CHECKING:
    import pandas as pd

BENCHMARK_JSON = "benchmark.json"
BENCHMARK_REMEDY = f"give the {BENCHMARK_JSON} that `cyclegan benchmark` wrote"
# of these the CycleGAN is compared with the best unpaired baseline
RECOVERED = (*FORWARDS, *RECOMMENDEDS)
COMPARED = ("nmse", *RECOVERED)
RESAMPLED, LIMITS = 2000, (0.025, 0.975)  # of recordings, for an interval of 95 %


@dataclass(frozen=True)
class Spread:
    """A number over seeds."""

    mean: float
    deviation: float | None  # n − 1; None with one seed
    n: int


@dataclass(frozen=True)
class Difference:
    """What one method reaches minus what another does, on the same recordings and with the same seeds."""

    against: str  # the other method
    mean: float
    # 95 % interval of the mean over recordings; None with one recording
    low: float | None
    high: float | None
    n: int  # recordings that both have a number for
    verdict: str  # "better", "worse", or "undecided" where the interval holds 0 or there is none


@dataclass(frozen=True, repr=False)
class Benchmark:
    """Every cell, and what follows from them."""

    cells: list[Cell]
    # in the order of the tables; in JSON each pair is the key of its tables
    pairs: Annotated[list[str], BeforeValidator(lambda tables: list(tables.keys()))]
    methods: list[str]
    seeds: list[int]
    left_out: dict[str, str]  # pairs that could not be built, and why
    versions: dict[str, str]  # of the package, of Python and of the libraries

    def __repr__(self) -> str:
        # imported here: the report is made of these numbers
        from cyclegan_lib.benchmark.report import overview
        from cyclegan_lib.evaluation.report import markdown_table

        seeds = ", ".join(map(str, self.seeds))
        return f"{len(self.methods)} methods, seeds {seeds}\n\n{markdown_table(overview(self))}"

    _repr_markdown_ = __repr__  # a notebook's

    @classmethod
    def load(cls, path: str | Path) -> "Benchmark":
        """Read benchmark.json back; raises InputError if it is missing or not one that `save` wrote."""
        return documents.read(path, cls, "is not a benchmark's result", BENCHMARK_REMEDY)

    def save(self, folder: str | Path) -> Path:
        """Write benchmark.json; raises InputError if the folder cannot be written."""
        return documents.write(Path(folder) / BENCHMARK_JSON, self.to_dict(), indent=None)

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

        The unit is the recording: another seed deals the same real recordings again, and makes them no more.
        Each one's difference is averaged over the seeds, then recordings are drawn with replacement, 2,000
        times: a percentile interval [1]_.

        .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
        """
        columns = [self._tested.get((pair, name, measure), {}) for name in (method, against)]
        units: dict[str, list[tuple[float, float]]] = {}  # difference and weight in each seed
        for seed in columns[0].keys() & columns[1].keys():
            for name, (value, weight) in columns[0][seed].items():
                units.setdefault(name, []).append((value - columns[1][seed][name][0], weight))
        if not units:
            return None
        each, weights = np.array([np.mean(units[name], axis=0) for name in sorted(units)]).T
        mean = float(np.average(each, weights=weights))
        n = len(each)
        if n == 1:
            return Difference(against, mean, None, None, n, "undecided")
        drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), RESAMPLED)  # times each is drawn
        limits = np.quantile((drawn @ (weights * each)) / (drawn @ weights), LIMITS)
        low, high = map(float, limits)
        verdict = "worse" if MEASURES[measure].cost(mean) > 0 else "better"
        return Difference(against, mean, low, high, n, "undecided" if low <= 0 <= high else verdict)

    @cached_property
    def _tested(self) -> dict[tuple[str, str, str], dict[int, dict[str, tuple[float, float]]]]:
        """By pair, method and measure, then by seed, the number and the weight of each test recording."""
        found: dict[tuple[str, str, str], dict[int, dict[str, tuple[float, float]]]] = {}
        for cell in self.cells:
            for measure in cell.tested.keys() - {"recording", WEIGHT}:
                rows = zip(cell.tested[measure], cell.tested[WEIGHT], strict=True)
                of_cell = dict(zip(cell.tested["recording"], rows, strict=True))
                found.setdefault((cell.pair, cell.method, measure), {})[cell.seed] = of_cell
        return found

    def best_baseline(self, pair: str, measure: str) -> str | None:
        """The unpaired baseline with the best mean over seeds; the first of equals."""
        means = {method: self.mean(pair, method, measure) for method in self.methods if method in UNPAIRED}
        costs = {method: MEASURES[measure].cost(mean) for method, mean in means.items() if mean is not None}
        return min(costs, key=lambda method: costs[method], default=None)

    def difference(self, pair: str, measure: str) -> Difference | None:
        """CycleGAN minus the best unpaired baseline, paired by recording; None where one has no numbers."""
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

    def recovery(self, pair: str, method: str, measure: str) -> float | None:
        """Which part of the lost accuracy comes back, in means over seeds; `measure` says in which way.

        From no translation, forward, to the larger of what A's own labels and the supervised bound reach;
        None where next to nothing was lost (see `faults.models.recovery`), or a number is missing.
        """
        forward = way_measure(FORWARD, measure.rpartition("_")[2])
        ceilings = [self.mean(pair, name, forward) for name in (OWN_LABELS, BOUND)]
        ceilings = [ceiling for ceiling in ceilings if ceiling is not None]
        reached, untranslated = self.mean(pair, method, measure), self.mean(pair, Identity.name, forward)
        if not ceilings or reached is None or untranslated is None:
            return None
        return recovery(reached, untranslated, max(ceilings))

    def best_linear(self, pair: str, measure: str, most: int = 1) -> list[str]:
        """The linear maps with the best means over seeds by a measure, the first of equals first."""
        means = {name: self.mean(pair, name, measure) for name in self.methods if name in LINEAR}
        known = [name for name, mean in means.items() if mean is not None]
        return sorted(known, key=lambda name: MEASURES[measure].cost(means[name]))[:most]

    def expectations(self) -> "pd.DataFrame":
        """What accuracy was expected without labels of A, and reached: pair, seed, measure, both.

        Of the CycleGAN in the recommended way, a line for each pair, seed and classifier.
        """
        import pandas as pd

        lines = [
            (cell.pair, cell.seed, measure, expected, cell.values[measure])
            for cell in self.cells
            if cell.method == TRANSLATED
            for measure, expected in cell.extras.get("expected", {}).items()
        ]
        return pd.DataFrame(lines, columns=["pair", "seed", "measure", "expected", "reached"])

    def measured(self) -> dict[str, set[int]]:
        """The seeds that each method was measured with, on any pair."""
        return {m: {cell.seed for cell in self.cells if cell.method == m} for m in self.methods}

    def tested(self, pair: str) -> tuple[int, int]:
        """Fewest and most test recordings of a seed, in all of its rotations; (0, 0) where none is known."""
        counts = [len(cell.tested.get("recording", ())) for cell in self.cells if cell.pair == pair]
        return min(counts, default=0), max(counts, default=0)

    def recordings(self, pair: str) -> dict[str, tuple[int, int]]:
        """Fewest and most recordings over the seeds and their rotations, for each set of the pair."""
        found: dict[str, list[int]] = {}
        for cell in self.cells:
            for name, counts in cell.recordings.items() if cell.pair == pair else ():
                found.setdefault(name, []).extend(counts)
        return {name: (min(counts), max(counts)) for name, counts in found.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; a number that does not exist is None."""
        content = {
            "versions": self.versions,
            "seeds": self.seeds,
            "methods": self.methods,
            "left_out": self.left_out,
            "pairs": {pair: self._pair_dict(pair) for pair in self.pairs},
            "targets": [{**asdict(target), "met": target.met} for target in targets(self)],
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
            "recovery": {
                method: {measure: self.recovery(pair, method, measure) for measure in RECOVERED}
                for method in self.methods
            },
        }
