"""The registry of measures: what each is called, how it is rounded, and which way is better."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import neg, pos
from pathlib import Path
from typing import Any

from cyclegan_lib import documents

METRICS_JSON = "metrics.json"
TRANSLATED, BASELINE = "CycleGAN", "Gaussian OT"


@dataclass(frozen=True)
class Measure:
    """A figure of a translation."""

    heading: str  # of a column; the arrow says which way is better
    decimals: int
    label: str  # of an axis
    cost: Callable[[float], float]  # lower is better

    def text(self, value: float | None) -> str:
        """A value as tables show it."""
        return rounded(value, self.decimals)


def rounded(value: float | None, decimals: int) -> str:
    """Return a number with so many decimals, never −0.000; n/a if there is none, or it is not finite."""
    if value is None or not math.isfinite(value):
        return "n/a"
    # + 0.0 makes −0.000 plain 0.000
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def _near_half(value: float) -> float:
    return abs(value - 0.5)


# in the order of tables; the cost of what is better when larger is its negative
MEASURES = {
    "nmse": Measure("NMSE ↓", 3, "NMSE against the pairs", pos),
    "mmd2": Measure("MMD² ↓", 4, "MMD²", pos),
    "frechet": Measure("Fréchet ↓", 2, "Fréchet distance", pos),
    "sliced_wasserstein": Measure("sliced W ↓", 3, "sliced Wasserstein", pos),
    "c2st": Measure("C2ST → 0.5", 3, "C2ST (0.5 cannot tell)", _near_half),
    "accuracy_forest": Measure("forest ↑", 3, "accuracy, forest", neg),
    "accuracy_logistic": Measure("logistic ↑", 3, "accuracy, logistic", neg),
    # in the recommended way of `faults.ways`; those above forward
    "vote_forest": Measure("vote, forest ↑", 3, "accuracy of the vote, forest", neg),
    "vote_logistic": Measure("vote, logistic ↑", 3, "accuracy of the vote, logistic", neg),
    "recovery_forest": Measure("recovered (forest) ↑", 2, "recovered, forest", neg),
    "recovery_logistic": Measure("recovered (logistic) ↑", 2, "recovered, logistic", neg),
    "gap_closed": Measure("gap closed ↑", 3, "part of the gap closed", neg),
}
DISTANCES = ("mmd2", "frechet", "sliced_wasserstein", "c2st")
# of a run: shown in its report, compared in a sweep
RUN_MEASURES = ("nmse", "sliced_wasserstein", "accuracy_forest", "accuracy_logistic", "c2st", "gap_closed")


@dataclass(frozen=True)
class Result:
    """What a run measured: those of `RUN_MEASURES` that could be computed."""

    headline: str
    translated: dict[str, float]  # of the CycleGAN
    baseline: dict[str, float]  # of `BASELINE`


def measured(folder: Path) -> Result | None:
    """Read the metrics.json of a run; None if it has none (yet)."""
    content = documents.read_if_whole(folder / METRICS_JSON, dict[str, Any]) or {}
    try:
        rows = {row["name"]: row for row in content["rows"]}
        translated = _numbers({**rows[TRANSLATED], "gap_closed": content.get("gap_closed")})
        headline = content.get("headline", "")
        if not isinstance(headline, str):
            return None
        return Result(headline, translated, _numbers(rows.get(BASELINE, {})))
    except documents.UNREADABLE:
        return None  # whatever is in it, it is no result


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    values = {name: row.get(name) for name in RUN_MEASURES}
    return {name: float(v) for name, v in values.items() if v is not None and math.isfinite(v)}
