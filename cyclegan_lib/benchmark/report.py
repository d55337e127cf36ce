"""The result of the benchmark: tables to read and the same numbers as JSON, also where they are bad."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.choice import by_pair, choices
from cyclegan_lib.benchmark.methods import BOUND, UNPAIRED
from cyclegan_lib.benchmark.summary import (
    LOWER_IS_BETTER,
    Difference,
    Spread,
    Target,
    difference,
    ratio,
    spread,
)
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.report import COLUMNS, TRANSLATED, markdown_table, plain, rounded
from cyclegan_lib.files import existing_file, replacing

JSON, MARKDOWN = "benchmark.json", "benchmark.md"
SHOWN = ("nmse", "accuracy_forest", "accuracy_logistic", "recovery_forest", "recovery_logistic")
COMPARED = SHOWN  # CycleGAN minus the best unpaired baseline
RATIOS = SHOWN[:3]  # a recovery is a ratio already
DISTANCES = ("c2st", "sliced_wasserstein")
NMSE_TO_BASELINE, NMSE_TO_BOUND, RECOVERY = 0.7, 1.25, 0.8  # targets

REMEDY = "give the benchmark.json that `cyclegan benchmark` wrote"
CHOICE_NOTE = (
    "Means over the seeds. The criterion sees neither pairs nor labels of A; rank is Spearman's correlation"
    " of the criterion with NMSE (1 is perfect) or an accuracy (-1 is) over every other epoch of a run, the"
    " last one over the single restarts at these epochs."
)


@dataclass(frozen=True)
class Benchmark:
    """Every cell, and what follows from them.

    Attributes
    ----------
    cells : list of Cell
    pairs, methods : list of str
        In the order of the tables.
    seeds : list of int
    left_out : dict of str
        Pairs that could not be built, and why.
    versions : dict of str
        Of the package, of Python and of the libraries.
    """

    cells: list[Cell]
    pairs: list[str]
    methods: list[str]
    seeds: list[int]
    left_out: dict[str, str]
    versions: dict[str, str]

    @classmethod
    def load(cls, path: str | Path) -> "Benchmark":
        """Read benchmark.json back.

        Raises
        ------
        InputError
            If the file is missing or not one that `save` wrote.
        """
        path = existing_file(path, REMEDY)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            own = {name: found[name] for name in cls.__dataclass_fields__}
            text = json.dumps({**own, "pairs": list(own["pairs"])})
            return TypeAdapter(cls).validate_json(text, strict=True)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{path} is not a benchmark's result; {REMEDY}") from error

    def values(self, pair: str, method: str, column: str) -> dict[int, float]:
        """A column's number for each seed that has one: {seed: value}."""
        found = {c.seed: c.values.get(column) for c in self.cells if (c.pair, c.method) == (pair, method)}
        return {seed: value for seed, value in found.items() if value is not None}

    def spread(self, pair: str, method: str, column: str) -> Spread | None:
        """Mean and standard deviation over seeds; None where no seed has a number."""
        return spread(list(self.values(pair, method, column).values()))

    def table(self, columns: Sequence[str]) -> dict[str, dict[str, dict[str, list[float]]]]:
        """Every seed's number, {pair: {method: {column: [...]}}}: what `figures.benchmark` shows."""
        return {
            pair: {
                method: {column: list(self.values(pair, method, column).values()) for column in columns}
                for method in self.methods
            }
            for pair in self.pairs
        }

    def best_baseline(self, pair: str, column: str) -> str | None:
        """The unpaired baseline with the best mean over seeds in this column; the first of equals."""
        means = {
            method: found.mean
            for method in self.methods
            if method in UNPAIRED and (found := self.spread(pair, method, column)) is not None
        }
        if not means:
            return None
        return (min if column in LOWER_IS_BETTER else max)(means, key=lambda method: means[method])

    def difference(self, pair: str, column: str) -> Difference | None:
        """CycleGAN minus the best unpaired baseline, paired by seed; None where one has no numbers."""
        best = self.best_baseline(pair, column)
        if best is None:
            return None
        ours, theirs = (self.values(pair, method, column) for method in (TRANSLATED, best))
        return difference(ours, theirs, best)

    def ratio(self, pair: str, column: str, to: str | None) -> float | None:
        """Mean of the CycleGAN over the mean of the method `to`; None where one has no numbers."""
        ours = self.spread(pair, TRANSLATED, column)
        return None if to is None else ratio(ours, self.spread(pair, to, column))

    def targets(self, pair: str) -> list[Target]:
        """The goals that were set before the first run, and what was reached."""
        recoveries = [self.spread(pair, TRANSLATED, column) for column in SHOWN[3:]]
        return [
            Target(
                "NMSE to best unpaired baseline",
                NMSE_TO_BASELINE,
                True,
                self.ratio(pair, "nmse", self.best_baseline(pair, "nmse")),
            ),
            Target("NMSE to supervised bound", NMSE_TO_BOUND, True, self.ratio(pair, "nmse", BOUND)),
            *(
                Target(f"recovered ({model})", RECOVERY, False, None if found is None else found.mean)
                for model, found in zip(("forest", "logistic"), recoveries, strict=True)
            ),
        ]

    def recordings(self, pair: str) -> dict[str, tuple[int, int]]:
        """Fewest and most recordings over the seeds, for each set of the pair."""
        found = [cell.recordings for cell in self.cells if cell.pair == pair]
        names = found[0] if found else {}
        return {name: (min(f[name] for f in found), max(f[name] for f in found)) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; a number that does not exist is None."""
        return plain(
            {
                "versions": self.versions,
                "seeds": self.seeds,
                "methods": self.methods,
                "left_out": self.left_out,
                "pairs": {pair: self._pair_dict(pair) for pair in self.pairs},
                "cells": [asdict(cell) for cell in self.cells],
            }
        )

    def _pair_dict(self, pair: str) -> dict[str, Any]:
        found = {column: self.difference(pair, column) for column in COMPARED}
        return {
            "recordings": self.recordings(pair),
            "rows": {
                method: {
                    column: asdict(numbers)
                    for column in COLUMNS
                    if (numbers := self.spread(pair, method, column)) is not None
                }
                for method in self.methods
            },
            "differences": {
                column: {
                    **asdict(numbers),
                    "verdict": numbers.verdict(column),
                    "ratio_to_baseline": self.ratio(pair, column, numbers.against),
                    "ratio_to_bound": self.ratio(pair, column, BOUND),
                }
                for column, numbers in found.items()
                if numbers is not None
            },
            "targets": [{**asdict(target), "met": target.met} for target in self.targets(pair)]
            if TRANSLATED in self.methods
            else [],
        }

    def markdown(self) -> str:
        """Return the report: a table of methods for each pair, differences, targets, what was left out."""
        parts = ["# Benchmark", "\n".join(self._facts())]
        for pair in self.pairs:
            parts += [f"## {pair}", self._recordings_line(pair), self._methods_table(pair)]
            if TRANSLATED in self.methods:
                parts += [
                    table for table in (self._differences_table(pair), self._targets_table(pair)) if table
                ]
        found = choices(self.cells)
        if found:
            parts += ["## Choice of the checkpoint", CHOICE_NOTE, markdown_table(by_pair(found))]
        behind = list(self._behind())
        if behind:
            parts += [f"## Where the {TRANSLATED} is behind", "\n".join(f"- {line}" for line in behind)]
        return "\n\n".join(parts) + "\n"

    def save(self, folder: str | Path) -> tuple[Path, Path]:
        """Write benchmark.json and benchmark.md into `folder`, each whole or not at all.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        texts = {
            JSON: json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
            MARKDOWN: self.markdown(),
        }
        for name, text in texts.items():
            with replacing(Path(folder) / name) as part:
                part.write_text(text, encoding="utf-8")
        return Path(folder) / JSON, Path(folder) / MARKDOWN

    def _facts(self) -> Iterator[str]:
        seeds = ", ".join(map(str, self.seeds))
        yield f"- Mean ± standard deviation over {len(self.seeds)} seeds ({seeds}); ↓ less is better, ↑ more."
        yield "- Recovered: part of the accuracy lost to the device; n/a where next to nothing was lost."
        yield "- Versions: " + ", ".join(f"{name} {number}" for name, number in self.versions.items()) + "."
        for pair, why in self.left_out.items():
            yield f"- Left out: {pair}, because {why}."

    def _recordings_line(self, pair: str) -> str:
        found = self.recordings(pair)
        counts = {
            name: f"{low}" if low == high else f"{low} to {high}" for name, (low, high) in found.items()
        }
        return (
            f"Training recordings: {counts.get('train_a', '0')} of A, {counts.get('train_b', '0')} others of"
            f" B. Test recordings, heard by both: {counts.get('test_b', '0')}."
        )

    def _methods_table(self, pair: str) -> str:
        columns = (*SHOWN, *DISTANCES)
        lines = [[pair, *(COLUMNS[column][0] for column in columns)]]
        for method in self.methods:
            numbers = ((self.spread(pair, method, column), COLUMNS[column][1]) for column in columns)
            lines.append([method, *(_shown(found, decimals) for found, decimals in numbers)])
        return markdown_table(lines)

    def _differences_table(self, pair: str) -> str:
        head = ["best unpaired baseline", f"{TRANSLATED} minus it", "95 % interval", "", "ratio to it"]
        lines = [["measure", *head, "ratio to bound"]]
        for column in COMPARED:
            found = self.difference(pair, column)
            if found is None:
                continue
            ratios = (
                self.ratio(pair, column, to) if column in RATIOS else None for to in (found.against, BOUND)
            )
            interval = "n/a" if found.low is None else f"{found.low:+.3f} to {found.high:+.3f}"
            cells = [found.against, f"{found.mean:+.3f}", interval, found.verdict(column)]
            lines.append(
                [COLUMNS[column][0], *cells, *("n/a" if r is None else rounded(r, 2) for r in ratios)]
            )
        return markdown_table(lines) if len(lines) > 1 else ""

    def _targets_table(self, pair: str) -> str:
        lines = [["target", "wanted", "reached", "met"]]
        for target in self.targets(pair):
            reached = "n/a" if target.reached is None else rounded(target.reached, 2)
            met = {None: "n/a", True: "yes", False: "no"}[target.met]
            lines.append([target.name, f"{'≤' if target.at_most else '≥'} {target.limit:.2f}", reached, met])
        return markdown_table(lines)

    def _behind(self) -> Iterator[str]:
        for pair in self.pairs:
            for column in COMPARED:
                found = self.difference(pair, column)
                if found is not None and found.mean != 0 and (found.mean > 0) == (column in LOWER_IS_BETTER):
                    yield (
                        f"{pair}, {COLUMNS[column][0]}: {found.mean:+.3f} against {found.against}"
                        f" ({found.verdict(column)})"
                    )


def _shown(found: Spread | None, decimals: int) -> str:
    if found is None:
        return "n/a"
    text = rounded(found.mean, decimals)
    return text if found.deviation is None else f"{text} ± {rounded(found.deviation, decimals)}"
