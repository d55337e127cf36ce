"""How well the choice of the checkpoint works: what it chose against what it could have chosen.

Of each training run, one for each rotation of a seed, the cells keep a trail: at every other epoch the
criterion, which the choice saw, and the error and the accuracies on the test pairs, which it did not see.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.evaluation.measures import TRANSLATED

if TYPE_CHECKING:
    import pandas as pd

Trail = list[dict[str, Any]]  # the points of one run


def trails(cells: Iterable[Cell]) -> dict[str, list[tuple[np.ndarray, np.ndarray, int]]]:
    """For each pair and run the criterion, the NMSE and the chosen index, for `plots.checkpoints`."""
    runs: dict[str, list[tuple[np.ndarray, np.ndarray, int]]] = {}
    for cell, trail in _with_trail(cells):
        criterion, error = (_column(trail, name) for name in ("criterion", "nmse"))
        runs.setdefault(cell.pair, []).append((criterion, error, int(criterion.argmin())))
    return runs


def choices(cells: Iterable[Cell]) -> "pd.DataFrame":
    """One line for each training run among the cells, see `choice`."""
    import pandas as pd

    return pd.DataFrame(
        [{"pair": cell.pair, "seed": cell.seed, **choice(trail)} for cell, trail in _with_trail(cells)]
    )


def choice(trail: Trail) -> dict[str, float]:
    """What became of one training run: NMSE of checkpoints, and ranks.

    A rank is Spearman's correlation of the criterion with NMSE (1 is perfect) or an accuracy (−1 is) over the
    epochs of the trail; NaN where one of the two never changes.
    """
    errors, criteria = _column(trail, "nmse"), _column(trail, "criterion")
    members, of_members = _column(trail, "members"), _column(trail, "member_criteria")  # (points, restarts)
    chosen = int(criteria.argmin())
    return {
        "start": errors[0],  # of the untrained one
        "chosen": errors[chosen],  # of the one with the lowest criterion
        "best": errors.min(),  # of the one with the least error
        "regret": errors[chosen] / errors.min() - 1,  # chosen minus best, as a part of the best
        "single": members.ravel()[of_members.argmin()],  # of the restart with the lowest criterion of its own
        "mean_single": members[chosen].mean(),  # of the restarts at the chosen epoch
        "rank_nmse": _rank(criteria, errors),
        "rank_forest": _rank(criteria, _column(trail, "forest")),
        "rank_logistic": _rank(criteria, _column(trail, "logistic")),
        "rank_members": _rank(of_members.ravel(), members.ravel()),  # over the restarts at all epochs
    }


def _with_trail(cells: Iterable[Cell]) -> Iterator[tuple[Cell, Trail]]:
    for cell in cells:
        for extras in cell.extras.get("rotations", ()) if cell.method == TRANSLATED else ():
            if "trail" in extras:
                yield cell, extras["trail"]


def _column(trail: Trail, name: str) -> np.ndarray:
    return np.array([point[name] for point in trail])


def _rank(x: np.ndarray, y: np.ndarray) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(spearmanr(x, y).statistic)
