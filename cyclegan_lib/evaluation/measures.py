"""The registry of measures: what each is called, how it is rounded, and which way is better."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import neg, pos
from pathlib import Path
from typing import Any

from cyclegan_lib import documents
from cyclegan_lib.errors import printable

METRICS_JSON = "metrics.json"
TRANSLATED, UNTRAINED = "CycleGAN", "CycleGAN, untrained"


@dataclass(frozen=True)
class Measure:
    """A figure of a translation."""

    heading: str  # of a column; the arrow says which way is better
    decimals: int
    label: str  # of an axis
    cost: Callable[[float], float]  # lower is better
    least: float = -math.inf  # that there can be
    most: float = math.inf

    @property
    def axis(self) -> str:
        """The label of an axis that says which way is better."""
        better = {pos: "← less is better", neg: "more is better →"}.get(self.cost, "nearer to 0.5 is better")
        return f"{self.label}\n{better}"

    def text(self, value: float | None, interval: Iterable[float] | None = None) -> str:
        """A value as tables show it, with its 95 % interval if it has one."""
        return rounded(value, self.decimals) + (f" ({span(interval)})" if interval else "")


def rounded(value: float | None, decimals: int) -> str:
    """Return a number with so many decimals, never −0.000; n/a if there is none, or it is not finite."""
    if value is None or not math.isfinite(value):
        return "n/a"
    # + 0.0 makes −0.000 plain 0.000
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def span(interval: Iterable[float]) -> str:
    """An interval in words: 0.51 to 0.79."""
    return " to ".join(rounded(limit, 2) for limit in interval)


def _near_half(value: float) -> float:
    return abs(value - 0.5)


# in the order of tables; the cost of what is better when larger is its negative
MEASURES = {
    "nmse": Measure("NMSE ↓", 3, "NMSE against the pairs", pos, 0),
    "mmd2": Measure("MMD² ↓", 4, "MMD²", pos),
    "frechet": Measure("Fréchet ↓", 2, "Fréchet distance", pos),
    "sliced_wasserstein": Measure("sliced W ↓", 3, "sliced Wasserstein", pos, 0),
    "c2st": Measure("C2ST → 0.5", 3, "C2ST (0.5 cannot tell)", _near_half, 0, 1),
    "accuracy_forest": Measure("forest ↑", 3, "accuracy, forest", neg, 0, 1),
    "accuracy_logistic": Measure("logistic ↑", 3, "accuracy, logistic", neg, 0, 1),
    # in the recommended way of `faults.ways`; those above forward
    "augmented_forest": Measure("augmented, forest ↑", 3, "accuracy, augmented, forest", neg, 0, 1),
    "augmented_logistic": Measure("augmented, logistic ↑", 3, "accuracy, augmented, logistic", neg, 0, 1),
    "recovery_forest": Measure("recovered (forest) ↑", 2, "recovered, forest", neg),
    "recovery_logistic": Measure("recovered (logistic) ↑", 2, "recovered, logistic", neg),
    "gap_closed": Measure("gap closed ↑", 3, "part of the gap closed", neg, most=1),
}
DISTANCES = ("mmd2", "frechet", "sliced_wasserstein", "c2st")
# of a run: shown in its report, compared in a sweep
RUN_MEASURES = (
    *("nmse", "sliced_wasserstein"),
    *("augmented_forest", "augmented_logistic", "accuracy_forest", "accuracy_logistic"),
    *("c2st", "gap_closed"),
)
ACCURACIES = {"accuracy_forest": "forest", "accuracy_logistic": "logistic regression"}  # with titles
IN_USE = {name: name.replace("accuracy", "augmented") for name in ACCURACIES}  # in the recommended way


def best_baseline(rows: Iterable[Mapping[str, Any]], name: str) -> tuple[str, float] | None:
    """The name and value of the best of the unpaired baselines by a measure, the identity among them.

    `rows` are those of an evaluation; None where no baseline was measured by it. It is chosen with hindsight:
    who has no pairs and no labels cannot know which one that is.
    """
    values = ((printable(str(row["name"])), _numbers(row).get(name)) for row in rows if row.get("baseline"))
    known = [(row, value) for row, value in values if value is not None]
    return min(known, key=lambda found: MEASURES[name].cost(found[1]), default=None)


@dataclass(frozen=True)
class Result:
    """What a run measured: those of `RUN_MEASURES` that could be computed.

    Accuracies are those of the recommended way, baselines used in that way too, or forward where no other was
    measured.
    """

    headline: str = ""
    translated: dict[str, float] = field(default_factory=dict)  # of the CycleGAN
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)  # 95 %, of what has one
    baseline: dict[str, tuple[str, float]] = field(default_factory=dict)  # the best one of each measure
    said: tuple[str, ...] = ()  # of the training and what to expect, a sentence each
    epoch: int | None = None  # that was chosen; None where the evaluation was not shown the model
    compared: int | None = None  # recordings on each side of a distance


def measured(folder: Path) -> Result | None:
    """Read the metrics.json of a run; None if it has none (yet)."""
    content = documents.read_if_whole(folder / METRICS_JSON, dict[str, Any]) or {}
    try:
        rows = {row["name"]: row for row in content["rows"]}
        for used in content.get("ways", []):
            if used["way"] == "augmented":
                rows[used["name"]] = _in_this_way(rows[used["name"]], used)
        translated = _numbers({**rows[TRANSLATED], "gap_closed": content.get("gap_closed")})
        intervals = {
            name: (float(low), float(high))
            for name, (low, high) in rows[TRANSLATED].get("interval", {}).items()
            if name in translated and math.isfinite(low) and math.isfinite(high)
        }
        best = {name: found for name in translated if (found := best_baseline(rows.values(), name))}
        headline, epoch, compared = (
            content.get(name) for name in ("headline", "epoch", "recordings_compared")
        )
        said = content.get("said", [])
        if not all(isinstance(text, str) for text in (headline or "", *said)):
            return None
        counts = (n if type(n) is int and 0 <= n < 2**53 else None for n in (epoch, compared))
        return Result(headline or "", translated, intervals, best, tuple(map(printable, said)), *counts)
    except documents.UNREADABLE:
        return None  # whatever is in it, it is no result


def _in_this_way(row: Mapping[str, Any], used: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its accuracies in the recommended way in place of those forward."""
    accuracies = {name: used[forward] for forward, name in IN_USE.items()}
    intervals = {name: used["interval"][forward] for forward, name in IN_USE.items()}
    of_row = row.get("interval", {})
    return {**row, **dict.fromkeys(IN_USE), **accuracies, "interval": {**of_row, **intervals}}


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    values = {name: row.get(name) for name in RUN_MEASURES}
    return {name: float(v) for name, v in values.items() if v is not None and math.isfinite(v)}
