"""How well the choice of the checkpoint works: what it chose against what it could have chosen.

Of each training run the cells keep a trail: at every other epoch the criterion, which the choice saw, and the
error and the accuracies on the test pairs, which it did not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.evaluation.report import TRANSLATED


@dataclass(frozen=True)
class Choice:
    """What became of one training run.

    Attributes
    ----------
    pair : str
    seed : int
    chosen, start, best, last : float
        NMSE of the checkpoint that the criterion chose, of the untrained one, of the one with the least
        error, and of the last one, among the epochs of the trail.
    single : float
        NMSE of the restart and epoch with the lowest criterion of its own.
    mean_single : float
        Mean NMSE of the restarts at the chosen epoch.
    rank_nmse, rank_forest, rank_logistic : float or None
        Spearman's correlation of the criterion with NMSE (1 is perfect) and with the accuracies (−1 is)
        over the epochs; None where one of the two never changes.
    rank_members : float or None
        The same with NMSE over the restarts at all epochs.
    """

    pair: str
    seed: int
    chosen: float
    start: float
    best: float
    last: float
    single: float
    mean_single: float
    rank_nmse: float | None
    rank_forest: float | None
    rank_logistic: float | None
    rank_members: float | None

    @property
    def regret(self) -> float:
        """Chosen minus best, as a part of the best NMSE."""
        return self.chosen / self.best - 1

    @classmethod
    def of(cls, cell: Cell) -> "Choice":
        """From the trail of a cell of the CycleGAN."""
        trail = cell.extras["trail"]
        errors, criteria = (np.array([point[name] for point in trail]) for name in ("nmse", "criterion"))
        members, of_members = (
            np.array([point[name] for point in trail]) for name in ("members", "member_criteria")
        )  # (points, restarts)
        chosen = int(criteria.argmin())
        return cls(
            pair=cell.pair,
            seed=cell.seed,
            chosen=float(errors[chosen]),
            start=float(errors[0]),
            best=float(errors.min()),
            last=float(errors[-1]),
            single=float(members.ravel()[of_members.argmin()]),
            mean_single=float(members[chosen].mean()),
            rank_nmse=_rank(criteria, errors),
            rank_forest=_rank(criteria, np.array([point["forest"] for point in trail])),
            rank_logistic=_rank(criteria, np.array([point["logistic"] for point in trail])),
            rank_members=_rank(of_members.ravel(), members.ravel()),
        )


def choices(cells: Sequence[Cell]) -> list[Choice]:
    """One for each training run among the cells."""
    return [Choice.of(cell) for cell in cells if cell.method == TRANSLATED and "trail" in cell.extras]


def by_pair(found: Sequence[Choice]) -> list[list[str]]:
    """Rows of a table, the heading first: for each pair means over the seeds."""
    heading = ["pair", "NMSE untrained", "chosen", "best epoch", "regret", "not worse than untrained"]
    heading += ["mean of single restarts", "restart with lowest criterion", "rank NMSE", "rank forest"]
    rows = [heading + ["rank logistic", "rank NMSE, restarts"]]
    for pair in dict.fromkeys(choice.pair for choice in found):
        its = [choice for choice in found if choice.pair == pair]
        not_worse = sum(choice.chosen <= choice.start for choice in its)
        rows.append(
            [
                pair,
                *(_mean([getattr(c, name) for c in its], 3) for name in ("start", "chosen", "best")),
                f"{100 * np.mean([choice.regret for choice in its]):.1f} %",
                f"{not_worse} of {len(its)}",
                *(_mean([getattr(c, name) for c in its], 3) for name in ("mean_single", "single")),
                *(
                    _mean([getattr(c, f"rank_{name}") for c in its], 2)
                    for name in ("nmse", "forest", "logistic", "members")
                ),
            ]
        )
    return rows


def _rank(x: np.ndarray, y: np.ndarray) -> float | None:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(spearmanr(x, y).statistic)


def _mean(values: list[float | None], decimals: int) -> str:
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.{decimals}f}" if known else "n/a"
