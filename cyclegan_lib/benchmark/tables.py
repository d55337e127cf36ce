"""Summaries of the benchmark that fit on a page: one row for each pair of devices."""

from collections.abc import Callable

import numpy as np

from cyclegan_lib.benchmark.choice import Choice
from cyclegan_lib.benchmark.methods import BOUND
from cyclegan_lib.benchmark.ours import PAIRS_GIVEN, UNTRAINED, WITHOUT_LABELS, with_pairs
from cyclegan_lib.benchmark.report import Benchmark
from cyclegan_lib.benchmark.summary import Difference, difference
from cyclegan_lib.evaluation.report import TRANSLATED


def overview(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: the CycleGAN beside the best unpaired baseline and the bound.

    Of each measure the mean over the seeds, and the 95 % interval of the paired difference.
    """
    rows = [
        [
            "pair",
            "NMSE",
            "best unpaired baseline",
            "ratio",
            "difference",
            "ratio to bound",
            "forest",
            "difference",
            "logistic",
            "difference",
            "recovered",
        ]
    ]
    for pair in result.pairs:
        error, forest, logistic = (
            result.difference(pair, column) for column in ("nmse", "accuracy_forest", "accuracy_logistic")
        )
        recovered = [result.spread(pair, TRANSLATED, f"recovery_{name}") for name in ("forest", "logistic")]
        rows.append(
            [
                pair,
                _mean(result, pair, TRANSLATED, "nmse"),
                f"{_mean(result, pair, error.against, 'nmse')} ({error.against})" if error else "n/a",
                _two(result.ratio(pair, "nmse", error.against if error else None)),
                _interval(error),
                _two(result.ratio(pair, "nmse", BOUND)),
                _mean(result, pair, TRANSLATED, "accuracy_forest"),
                _interval(forest),
                _mean(result, pair, TRANSLATED, "accuracy_logistic"),
                _interval(logistic),
                " / ".join("n/a" if found is None else f"{found.mean:.2f}" for found in recovered),
            ]
        )
    return rows


def pairs_curves(result: Benchmark) -> dict[str, dict[int, list[float]]]:
    """NMSE of each seed by the number of paired recordings: {pair: {0: [...], 1: [...], ...}}.

    Only pairs of devices and seeds for which all of it was measured.
    """
    methods = {0: UNTRAINED, **{number: with_pairs(number) for number in PAIRS_GIVEN}}
    curves = {}
    for pair in result.pairs:
        found = {number: result.values(pair, method, "nmse") for number, method in methods.items()}
        found = {number: errors for number, errors in found.items() if errors}
        if found:
            # a seed that lacks one of the numbers would bend the curve
            common = set.intersection(*(set(errors) for errors in found.values()))
            curves[pair] = {number: [errors[s] for s in sorted(common)] for number, errors in found.items()}
    return {pair: curve for pair, curve in curves.items() if len(curve) > 1}


def help_table(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: what labels of B and paired recordings add to the start.

    NMSE with the help minus NMSE without it, paired by seed, in the mean over seeds and its 95 % interval;
    last the standard deviation of NMSE over the seeds without the help. Only pairs of devices for which it
    was measured.
    """
    helps: dict[str, Callable[[str], Difference | None]] = {
        "labels of B": lambda pair: _gained(result, pair, UNTRAINED, WITHOUT_LABELS),
        **{
            f"{n} pair{'s' * (n > 1)}": lambda pair, n=n: _gained(result, pair, with_pairs(n), UNTRAINED)
            for n in PAIRS_GIVEN
        },
    }
    rows = [["pair", *helps, "standard deviation"]]
    for pair in result.pairs:
        errors = list(result.values(pair, UNTRAINED, "nmse").values())
        deviation = f"{np.std(errors, ddof=1):.3f}" if len(errors) > 1 else "n/a"
        row = [_interval(found(pair)) for found in helps.values()]
        if set(row) != {"n/a"}:
            rows.append([pair, *row, deviation])
    return rows


def trails(result: Benchmark) -> dict[str, list[tuple[np.ndarray, np.ndarray, int]]]:
    """For each pair and run the criterion, the NMSE and the chosen index, for `figures.checkpoints`."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray, int]]] = {}
    for cell in result.cells:
        if cell.method == TRANSLATED and "trail" in cell.extras:
            criterion, error = (
                np.array([point[name] for point in cell.extras["trail"]]) for name in ("criterion", "nmse")
            )
            found.setdefault(cell.pair, []).append((criterion, error, int(criterion.argmin())))
    return found


def regret(found: list[Choice]) -> float:
    """Mean over all runs of chosen minus best NMSE, as a part of the best."""
    return float(np.mean([choice.regret for choice in found]))


def _gained(result: Benchmark, pair: str, method: str, without: str) -> Difference | None:
    ours, theirs = (result.values(pair, name, "nmse") for name in (method, without))
    return difference(ours, theirs, without)


def _mean(result: Benchmark, pair: str, method: str, column: str) -> str:
    found = result.spread(pair, method, column)
    return "n/a" if found is None else f"{found.mean:.3f}"


def _two(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _interval(found: Difference | None) -> str:
    if found is None:
        return "n/a"
    return f"{found.mean:+.3f}" + ("" if found.low is None else f" ({found.low:+.3f} to {found.high:+.3f})")
