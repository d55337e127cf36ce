"""The benchmark to read: a report of everything, and tables that fit on a page."""

from collections.abc import Iterator

import numpy as np

from cyclegan_lib.benchmark.choice import choices
from cyclegan_lib.benchmark.cyclegan_rows import PAIRS_GIVEN, UNTRAINED, WITHOUT_LABELS, with_pairs
from cyclegan_lib.benchmark.methods import BOUND
from cyclegan_lib.benchmark.numbers import COMPARED, Benchmark, Difference, Spread
from cyclegan_lib.evaluation.measures import MEASURES, TRANSLATED, rounded
from cyclegan_lib.evaluation.report import markdown_table

SHOWN = (*COMPARED, "c2st", "sliced_wasserstein")
RATIOS = COMPARED[:3]  # a recovery is a ratio already
CHOICE_NOTE = (
    "Means over the seeds. The criterion sees neither pairs nor labels of A; rank is Spearman's correlation"
    " of the criterion with NMSE (1 is perfect) or an accuracy (-1 is) over every other epoch of a run, the"
    " last one over the single restarts at these epochs."
)


def markdown(result: Benchmark) -> str:
    """Return the report: a table of methods for each pair, differences, targets, what was left out."""
    parts = ["# Benchmark", "\n".join(_facts(result))]
    for pair in result.pairs:
        parts += [f"## {pair}", _recordings_line(result, pair), _methods_table(result, pair)]
        if TRANSLATED in result.methods:
            parts += [*_differences_table(result, pair), _targets_table(result, pair)]
    table = choice_table(result)
    if len(table) > 1:
        parts += ["## Choice of the checkpoint", CHOICE_NOTE, markdown_table(table)]
    behind = list(_behind(result))
    if behind:
        parts += [f"## Where the {TRANSLATED} is behind", "\n".join(f"- {line}" for line in behind)]
    return "\n\n".join(parts) + "\n"


def overview(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: the CycleGAN beside the best unpaired baseline and the bound.

    Of each measure the mean over the seeds, and the 95 % interval of the paired difference.
    """
    heading = ["pair", "NMSE", "best unpaired baseline", "ratio", "difference", "ratio to bound"]
    rows = [[*heading, "forest", "difference", "logistic", "difference", "recovered"]]
    for pair in result.pairs:
        means = {measure: result.mean(pair, TRANSLATED, measure) for measure in COMPARED}
        error, forest, logistic = (result.difference(pair, measure) for measure in RATIOS)
        best = error and error.against
        best_mean = rounded(result.mean(pair, best, "nmse"), 3)
        rows.append(
            [
                pair,
                rounded(means["nmse"], 3),
                f"{best_mean} ({best})" if best else "n/a",
                rounded(result.ratio(pair, "nmse", best), 2),
                _interval(error),
                rounded(result.ratio(pair, "nmse", BOUND), 2),
                rounded(means["accuracy_forest"], 3),
                _interval(forest),
                rounded(means["accuracy_logistic"], 3),
                _interval(logistic),
                " / ".join(rounded(means[f"recovery_{model}"], 2) for model in ("forest", "logistic")),
            ]
        )
    return rows


def help_table(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: what labels of B and paired recordings add to the start.

    NMSE with the help minus NMSE without it, paired by seed, in the mean over seeds and its 95 % interval;
    last the standard deviation of NMSE over the seeds without the help. Only pairs of devices for which it
    was measured.
    """
    helps = {"labels of B": (UNTRAINED, WITHOUT_LABELS)}
    helps |= {f"{n} pair{'s' * (n > 1)}": (with_pairs(n), UNTRAINED) for n in PAIRS_GIVEN}
    rows = [["pair", *helps, "standard deviation"]]
    for pair in result.pairs:
        gains = [result.gained(pair, "nmse", *methods) for methods in helps.values()]
        if any(gains):
            start = result.spreads.get((pair, UNTRAINED, "nmse"))
            rows.append([pair, *map(_interval, gains), rounded(start and start.deviation, 3)])
    return rows


def pairs_curves(result: Benchmark) -> dict[str, dict[int, list[float]]]:
    """NMSE of each seed by the number of paired recordings: {pair: {0: [...], 1: [...], ...}}.

    Only pairs of devices and seeds for which all of it was measured.
    """
    methods = {0: UNTRAINED, **{number: with_pairs(number) for number in PAIRS_GIVEN}}
    curves = {}
    for pair in result.pairs:
        measured = {n: name for n, name in methods.items() if (pair, name, "nmse") in result.spreads}
        # a seed that lacks one of the numbers would bend the curve
        table = result.by_seed(pair, "nmse", *measured.values())
        if len(measured) > 1:
            curves[pair] = {number: table[name].tolist() for number, name in measured.items()}
    return curves


def choice_table(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: for each pair means over its training runs, see `choices`."""
    heading = ["pair", "NMSE untrained", "chosen", "best epoch", "regret", "not worse than untrained"]
    heading += ["mean of single restarts", "restart with lowest criterion", "rank NMSE", "rank forest"]
    rows = [heading + ["rank logistic", "rank NMSE, restarts"]]
    runs = choices(result.cells)
    for pair, of_pair in runs.groupby("pair", sort=False) if len(runs) else ():
        known = {name: column.dropna().to_numpy() for name, column in of_pair.drop(columns="pair").items()}
        mean = {name: np.mean(values) if len(values) else None for name, values in known.items()}
        rows.append(
            [
                pair,
                *(rounded(mean[name], 3) for name in ("start", "chosen", "best")),
                f"{100 * mean['regret']:.1f} %",
                f"{(of_pair.chosen <= of_pair.start).sum()} of {len(of_pair)}",
                *(rounded(mean[name], 3) for name in ("mean_single", "single")),
                *(rounded(mean[f"rank_{name}"], 2) for name in ("nmse", "forest", "logistic", "members")),
            ]
        )
    return rows


def _facts(result: Benchmark) -> Iterator[str]:
    seeds = ", ".join(map(str, result.seeds))
    yield f"- Mean ± standard deviation over {len(result.seeds)} seeds ({seeds}); ↓ less is better, ↑ more."
    yield "- Recovered: part of the accuracy lost to the device; n/a where next to nothing was lost."
    yield "- Versions: " + ", ".join(f"{name} {number}" for name, number in result.versions.items()) + "."
    for pair, why in result.left_out.items():
        yield f"- Left out: {pair}, because {why}."


def _recordings_line(result: Benchmark, pair: str) -> str:
    ranges = result.recordings(pair).items()
    counts = {name: f"{low}" if low == high else f"{low} to {high}" for name, (low, high) in ranges}
    return (
        f"Training recordings: {counts.get('train_a', '0')} of A, {counts.get('train_b', '0')} others of"
        f" B. Test recordings, heard by both: {counts.get('test_b', '0')}."
    )


def _methods_table(result: Benchmark, pair: str) -> str:
    rows = [[pair, *(MEASURES[measure].heading for measure in SHOWN)]]
    for method in result.methods:
        rows.append([method, *(_shown(result.spreads.get((pair, method, m)), m) for m in SHOWN)])
    return markdown_table(rows)


def _differences_table(result: Benchmark, pair: str) -> list[str]:
    heading = ["measure", "best unpaired baseline", f"{TRANSLATED} minus it", "95 % interval", ""]
    rows = [[*heading, "ratio to it", "ratio to bound"]]
    for measure, difference in result.differences(pair).items():
        interval = "n/a" if difference.low is None else f"{difference.low:+.3f} to {difference.high:+.3f}"
        others = (difference.against, BOUND) if measure in RATIOS else (None, None)
        ratios = (rounded(result.ratio(pair, measure, other), 2) for other in others)
        numbers = [f"{difference.mean:+.3f}", interval, difference.verdict, *ratios]
        rows.append([MEASURES[measure].heading, difference.against, *numbers])
    return [markdown_table(rows)] if len(rows) > 1 else []


def _targets_table(result: Benchmark, pair: str) -> str:
    rows = [["target", "wanted", "reached", "met"]]
    for target in result.targets(pair):
        wanted = f"{'≤' if target['at_most'] else '≥'} {target['limit']:.2f}"
        met = {None: "n/a", True: "yes", False: "no"}[target["met"]]
        rows.append([target["name"], wanted, rounded(target["reached"], 2), met])
    return markdown_table(rows)


def _behind(result: Benchmark) -> Iterator[str]:
    for pair in result.pairs:
        for measure, difference in result.differences(pair).items():
            if MEASURES[measure].cost(difference.mean) > 0:
                numbers = f"{difference.mean:+.3f} against {difference.against} ({difference.verdict})"
                yield f"{pair}, {MEASURES[measure].heading}: {numbers}"


def _shown(spread: Spread | None, measure: str) -> str:
    text = MEASURES[measure].text(spread and spread.mean)
    if spread is None or spread.deviation is None:
        return text
    return f"{text} ± {MEASURES[measure].text(spread.deviation)}"


def _interval(difference: Difference | None) -> str:
    if difference is None:
        return "n/a"
    low, high = difference.low, difference.high
    return f"{difference.mean:+.3f}" + ("" if low is None else f" ({low:+.3f} to {high:+.3f})")
