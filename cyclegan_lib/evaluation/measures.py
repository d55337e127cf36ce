"""The figures of a run that are shown in its report and compared in a sweep."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cyclegan_lib.evaluation.report import COLUMNS, TRANSLATED

METRICS = "metrics.json"
BASELINE = "Gaussian OT"


@dataclass(frozen=True)
class Measure:
    """How a figure is called, rounded, and told better or worse (`cost`, lower is better)."""

    label: str
    heading: str
    decimals: int
    cost: Callable[[float], float]


def _lower(value: float) -> float:
    return value


def _higher(value: float) -> float:
    return -value


def _near_half(value: float) -> float:
    return abs(value - 0.5)


MEASURES = {
    "nmse": Measure("NMSE against the pairs", *COLUMNS["nmse"], _lower),
    "sliced_wasserstein": Measure("sliced Wasserstein", *COLUMNS["sliced_wasserstein"], _lower),
    "accuracy_forest": Measure("accuracy, forest", *COLUMNS["accuracy_forest"], _higher),
    "accuracy_logistic": Measure("accuracy, logistic", *COLUMNS["accuracy_logistic"], _higher),
    "c2st": Measure("C2ST (0.5 cannot tell)", *COLUMNS["c2st"], _near_half),
    "gap_closed": Measure("part of the gap closed", "gap closed ↑", 3, _higher),
}


@dataclass(frozen=True)
class Result:
    """What a run measured.

    Attributes
    ----------
    headline : str
    translated, baseline : dict of float
        Those of `MEASURES` that could be computed: of the CycleGAN, and of `BASELINE`.
    """

    headline: str
    translated: dict[str, float]
    baseline: dict[str, float]


def measured(folder: Path) -> Result | None:
    """Read the metrics.json of a run; None if it has none (yet)."""
    try:
        content = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        rows = {row["name"]: row for row in content["rows"]}
        translated = _numbers({**rows[TRANSLATED], "gap_closed": content.get("gap_closed")})
        headline = content.get("headline", "")
        if not isinstance(headline, str):
            return None
        return Result(headline, translated, _numbers(rows.get(BASELINE, {})))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # whatever is in it, it is no result


def _numbers(row: dict) -> dict[str, float]:
    found = {name: row.get(name) for name in MEASURES}
    return {name: float(v) for name, v in found.items() if v is not None and math.isfinite(v)}
