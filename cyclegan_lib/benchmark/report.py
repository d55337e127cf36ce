"""The benchmark to read: a report of everything, and tables that fit on a page."""

from collections.abc import Iterator

import numpy as np

from cyclegan_lib.benchmark.choice import choices
from cyclegan_lib.benchmark.cyclegan_rows import PAIRS_GIVEN, UNTRAINED, WITHOUT_LABELS, with_pairs
from cyclegan_lib.benchmark.judge import FORWARDS, RECOMMENDEDS, way_measure
from cyclegan_lib.benchmark.methods import BOUND, OWN_LABELS
from cyclegan_lib.benchmark.numbers import COMPARED, Benchmark, Difference, Spread
from cyclegan_lib.benchmark.targets import targets
from cyclegan_lib.evaluation.measures import MEASURES, TRANSLATED, rounded
from cyclegan_lib.evaluation.report import markdown_table
from cyclegan_lib.faults.ways import ALL_WAYS, AUGMENTED, VOTE

SHOWN = (*COMPARED, "c2st", "sliced_wasserstein")
TARGETS_NOTE = (
    "Set before this version was run. Differences of accuracies, and ratios, are of means over seeds."
)
WAYS_NOTE = (
    "The same translations in each way of use, forest / logistic, beside the two linear maps that do best in"
    " the recommended way. Of maps that only scale and shift each feature all ways are one but for"
    " *augmented*: neither classifier sees a difference."
)
SHARES_NOTE = (
    "Without labels of A: the accuracy that is to be expected in the recommended way beside the one reached,"
    " and how far the estimated class shares, or those of B's training set, are from A's (half the sum of the"
    " absolute differences)."
)
CHOICE_NOTE = (
    "Means over the runs, one a rotation and seed. The criterion sees neither pairs nor labels of A; rank is"
    " Spearman's correlation of the criterion with NMSE (1 is perfect) or an accuracy (-1 is) over every"
    " other epoch of a run, the last one over the single restarts at these epochs."
)


def markdown(result: Benchmark) -> str:
    """Return the report: a table of methods for each pair, differences, targets, what was left out."""
    parts = ["# Benchmark", "\n".join(_facts(result))]
    for pair in result.pairs:
        parts += [f"## {pair}", _recordings_line(result, pair), _methods_table(result, pair)]
        if TRANSLATED in result.methods:
            parts += _differences_table(result, pair)
    for title, note, table in (
        ("Targets", TARGETS_NOTE, targets_table(result)),
        ("Ways of use", WAYS_NOTE, ways_table(result)),
        ("Without labels", SHARES_NOTE, expected_table(result)),
    ):
        if len(table) > 1:
            parts += [f"## {title}", note, markdown_table(table)]
    table = choice_table(result)
    if len(table) > 1:
        parts += ["## Choice of the checkpoint", CHOICE_NOTE, markdown_table(table)]
    behind = list(_behind(result))
    if behind:
        parts += [f"## Where the {TRANSLATED} is behind", "\n".join(f"- {line}" for line in behind)]
    return "\n\n".join(parts) + "\n"


def overview(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: the CycleGAN beside the best unpaired baseline of each measure.

    Means over the seeds, and the 95 % interval of the paired difference over so many test recordings;
    accuracies are in the recommended way, and the baselines used in that way too.
    """
    heading = ["pair", "recordings", "NMSE", "best unpaired baseline", "ratio", "difference"]
    rows = [[*heading, "forest", "difference", "logistic", "difference", "recovered"]]
    for pair in result.pairs:
        error, *accuracies = (result.difference(pair, measure) for measure in ("nmse", *RECOMMENDEDS))
        best = error and error.against
        best_mean = rounded(result.mean(pair, best, "nmse"), 3)
        row = [
            pair,
            str(error.n) if error else "n/a",
            rounded(result.mean(pair, TRANSLATED, "nmse"), 3),
            f"{best_mean} ({best})" if best else "n/a",
            rounded(result.ratio(pair, "nmse", best), 2),
            _interval(error),
        ]
        for measure, difference in zip(RECOMMENDEDS, accuracies, strict=True):
            row += [rounded(result.mean(pair, TRANSLATED, measure), 3), _interval(difference)]
        recovered = (result.recovery(pair, TRANSLATED, measure) for measure in RECOMMENDEDS)
        rows.append([*row, " / ".join(rounded(value, 2) for value in recovered)])
    return rows


def ways_table(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: accuracies in each way of use, of the CycleGAN and linear maps."""
    rows = [["pair", "translation", *(f"{way} ↑" for way in ALL_WAYS)]]
    for pair in result.pairs if TRANSLATED in result.methods else ():
        best = {name for measure in RECOMMENDEDS for name in result.best_linear(pair, measure)}
        best = dict.fromkeys([*sorted(best), *result.best_linear(pair, RECOMMENDEDS[0], 2)])
        for method in (*list(best)[:2], TRANSLATED):
            means = [
                " / ".join(
                    rounded(result.mean(pair, method, way_measure(way, model)), 3)
                    for model in ("forest", "logistic")
                )
                for way in ALL_WAYS
            ]
            rows.append([pair, method, *means])
    return rows


def expected_table(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: what is told without labels of A, and what is so."""
    expected = result.expectations()
    rows = [["pair", *(f"{m}: expected / reached" for m in ("forest", "logistic")), "absolute error"]]
    rows[0] += ["shares, estimated", "those of B"]
    for pair, lines in expected.groupby("pair", sort=False):
        row = [pair]
        for measure in RECOMMENDEDS:
            of_model = lines[lines.measure == measure]
            both = (of_model[c].to_numpy() for c in ("expected", "reached"))
            row.append(" / ".join(rounded(x.mean() if len(x) else None, 3) for x in both))
        row.append(rounded(np.abs(lines.expected.to_numpy() - lines.reached.to_numpy()).mean(), 3))
        shares = [c.extras["shares"] for c in result.cells if c.pair == pair and "shares" in c.extras]
        for of in ("estimated", "B"):
            far = [
                sum(abs(known["A"][name] - known[of][name]) for name in known["A"]) / 2 for known in shares
            ]
            row.append(rounded(np.mean(far), 3) if far else "n/a")
        rows.append(row)
    return rows


def targets_table(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: the goals, what was reached, and whether it is enough."""
    rows = [["target", "pairs", "wanted", "reached", "met"]]
    for target in targets(result):
        wanted = f"{'≤' if target.at_most else '≥'} {target.limit:.2f}"
        met = {None: "n/a", True: "yes", False: "no"}[target.met]
        rows.append([target.name, target.pair, wanted, rounded(target.reached, 3), met])
    return rows


def help_table(result: Benchmark) -> list[list[str]]:
    """Rows of a table, the heading first: what labels of B and paired recordings add to the start.

    NMSE with the help minus NMSE without it, paired by recording, with its 95 % interval over recordings;
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
    yield "- Real recordings are dealt in thirds; by turns each third is tested, once in each seed."
    yield (
        f"- forest, logistic: classifiers of B's recordings, asked about translated ones; {AUGMENTED} (the"
        " recommended way): trained on B's recordings translated to A, also by three simpler maps and with"
        f" random changes, asked about A's as they are; {VOTE}: trained on B's recordings translated to A,"
        " and on those translated there and back."
    )
    yield (
        "- recovered, forest / logistic, in the recommended way (forward where there is no other): part of"
        f" the accuracy lost from identity to the larger of {OWN_LABELS} and {BOUND}; n/a where next to"
        " nothing was lost."
    )
    yield "- Intervals are of 95 %, over test recordings drawn with replacement, paired between two methods."
    few = {
        method: len(seeds) for method, seeds in result.measured().items() if len(seeds) < len(result.seeds)
    }
    if few:
        yield "- Fewer seeds: " + ", ".join(f"{method} {number}" for method, number in few.items()) + "."
    yield "- Versions: " + ", ".join(f"{name} {number}" for name, number in result.versions.items()) + "."
    for pair, why in result.left_out.items():
        yield f"- Left out: {pair}, because {why}."


def _recordings_line(result: Benchmark, pair: str) -> str:
    ranges = result.recordings(pair).items()
    counts = {name: f"{low}" if low == high else f"{low} to {high}" for name, (low, high) in ranges}
    low, high = result.tested(pair)
    tested = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"Training recordings: {counts.get('train_a', '0')} of A, {counts.get('train_b', '0')} others of"
        f" B. Test recordings, heard by both: {tested} in each seed."
    )


def _methods_table(result: Benchmark, pair: str) -> str:
    rows = [[pair, *(MEASURES[measure].heading for measure in SHOWN), "recovered ↑"]]
    for method in result.methods:
        numbers = [_shown(result.spreads.get((pair, method, m)), m) for m in SHOWN]
        has_ways = (pair, method, RECOMMENDEDS[0]) in result.spreads
        recovered = (
            rounded(result.recovery(pair, method, measure), 2)
            for measure in (RECOMMENDEDS if has_ways else FORWARDS)
        )
        if set(numbers) != {"n/a"}:
            rows.append([method, *numbers, " / ".join(recovered)])
    return markdown_table(rows)


def _differences_table(result: Benchmark, pair: str) -> list[str]:
    heading = ["measure", "best unpaired baseline", f"{TRANSLATED} minus it", "95 % interval", ""]
    rows = [[*heading, "recordings", "ratio to it", "ratio to bound"]]
    for measure, difference in result.differences(pair).items():
        interval = "n/a" if difference.low is None else f"{difference.low:+.3f} to {difference.high:+.3f}"
        others = (difference.against, BOUND)
        ratios = (rounded(result.ratio(pair, measure, other), 2) for other in others)
        numbers = [f"{difference.mean:+.3f}", interval, difference.verdict, str(difference.n), *ratios]
        rows.append([MEASURES[measure].heading, difference.against, *numbers])
    return [markdown_table(rows)] if len(rows) > 1 else []


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
