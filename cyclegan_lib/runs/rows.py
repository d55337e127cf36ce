"""Lines of a comparison: a run as its folder tells, runs that only a seed sets apart, and baselines."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scipy.stats import t

from cyclegan_lib.documents import UNREADABLE, read_table
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.measures import MEASURES, METRICS_JSON, RUN_MEASURES, Result, measured
from cyclegan_lib.plots.runs import SEEDS
from cyclegan_lib.runs.record import DONE, FAILED, PENDING, RECORD, Record

CURVES = ("epoch", "val_distance", "train_cycle", "train_discriminator")  # of metrics.csv
CONFIDENCE = 0.95


@dataclass(frozen=True)
class RunRow:
    """One run, or the mean of several."""

    run: str  # its name, which no other line has
    values: dict[str, Any]  # of the parameters that differ; "" where it is not known, or of several
    status: str = ""  # "done", "failed", or "pending"; of a mean none
    failure: str | None = None  # why it failed in this session
    seconds: float | None = None  # of its notebooks; None before it has begun
    # once the run is done
    measures: dict[str, float] = field(default_factory=dict)  # of the CycleGAN
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)  # 95 %, of what has one
    baseline: dict[str, tuple[str, float]] = field(default_factory=dict)  # the best unpaired one of each
    epoch: int | None = None  # that was chosen

    @classmethod
    def read(cls, folder: Path, values: dict[str, Any], failure: str = "", name: str = "") -> "RunRow":
        """Look what a run has done so far; one of notebooks by hand has measures and no record."""
        record = Record.load(folder) if (folder / RECORD).exists() else None
        done = record.done if record else (folder / METRICS_JSON).exists()
        status = FAILED if failure or (record and record.failed) else DONE if done else PENDING
        seconds = round(record.seconds, 2) if record else None
        result = (measured(folder) if status == DONE else None) or Result()
        figures = (result.translated, result.interval, result.baseline, result.epoch)
        return cls(name or folder.name, values, status, failure or None, seconds, *figures)

    @property
    def figure(self) -> str:
        """Its first figure, for a progress bar."""
        for name, value in self.measures.items():
            return f"{MEASURES[name].heading.split()[0]} {MEASURES[name].text(value)}"
        return self.status


def history(folder: Path) -> list[dict[str, float]]:
    """What a run's training logged of each epoch of `CURVES`; nothing where that cannot be read."""
    try:
        rows = read_table(folder / "checkpoints" / "metrics.csv", CURVES, "").rows
        return [{name: float(value) for name, value in row.items() if value} for row in rows]
    except (InputError, *UNREADABLE):
        return []


def means(rows: Sequence[RunRow]) -> list[RunRow]:
    """Of runs that only `SEEDS` set apart, two or more, their mean and its interval over the seeds."""
    return [_mean(same) for same in _repeated(rows) if len(same) > 1 and SEEDS.keys() & same[0].values]


def baselines(rows: Sequence[RunRow]) -> list[tuple[dict[str, Any], dict[str, tuple[str, float]]]]:
    """The best unpaired baseline of each measure, and the values of the runs that it stands beside.

    Over seeds it is the mean, with all the names; it is chosen with hindsight.
    """
    found: dict[tuple, list[RunRow]] = {}
    for same in _repeated(rows):
        best = {}
        for name in RUN_MEASURES:
            own = [row.baseline[name] for row in same if name in row.baseline]
            if own:
                names = dict.fromkeys(other for other, _ in own)
                best[name] = ", ".join(names), statistics.mean(value for _, value in own)
        if best:
            found.setdefault(tuple(best.items()), []).extend(same)
    return [(_common(beside), dict(best)) for best, beside in found.items()]


def _repeated(rows: Sequence[RunRow]) -> list[list[RunRow]]:
    """Runs with measures, those together that only `SEEDS` set apart."""
    found: dict[str, list[RunRow]] = {}
    for row in rows:
        if row.measures:
            found.setdefault(repr({n: v for n, v in row.values.items() if n not in SEEDS}), []).append(row)
    return list(found.values())


def _common(rows: Sequence[RunRow]) -> dict[str, Any]:
    """The values that rows share, "" for the others."""
    first = rows[0].values
    return {name: x if all(row.values[name] == x for row in rows) else "" for name, x in first.items()}


def _mean(rows: Sequence[RunRow]) -> RunRow:
    shared = [name for name in RUN_MEASURES if all(name in row.measures for row in rows)]
    numbers = {name: [row.measures[name] for row in rows] for name in shared}
    values = {name: "" if name in SEEDS else x for name, x in rows[0].values.items()}
    which = ",".join(f"{name}={x}" for name, x in values.items() if x != "")
    return RunRow(
        f"mean of {len(rows)}{which and f': {which}'}",
        values,
        measures={name: statistics.mean(x) for name, x in numbers.items()},
        interval={
            name: tuple(min(max(x, MEASURES[name].least), MEASURES[name].most) for x in mean_interval(of))
            for name, of in numbers.items()
        },
    )


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's interval [1]_, 95 %, of the mean of at least two values.

    .. [1] Student, "The probable error of a mean", Biometrika 6, 1908.
    """
    n, mean = len(values), statistics.mean(values)
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * statistics.stdev(values) / n**0.5
    return mean - half, mean + half
