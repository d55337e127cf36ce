"""Runs side by side: a table with intervals and baselines, figures, a page that links to their reports."""

import io
import math
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from cyclegan_lib import documents, plots
from cyclegan_lib.checkpoint.inspection import untrained_in_words
from cyclegan_lib.errors import NotebookError
from cyclegan_lib.evaluation.measures import MEASURES, RUN_MEASURES, Measure, Result
from cyclegan_lib.evaluation.report import markdown_table
from cyclegan_lib.files import replacing
from cyclegan_lib.runs.one_recording import OneRecording
from cyclegan_lib.runs.record import FAILED
from cyclegan_lib.runs.report import REPORT, Entry, write_page
from cyclegan_lib.runs.rows import RunRow, baselines, history, means

SWEEP, COMPARISON, INDEX = "sweep", "comparison", "index.html"
MAX_CURVES = 20  # runs; more cannot be told apart
FIGURES = {"comparison": "Measures", "curves": "Curves of training", "recording": "One recording"}
CAPTIONS = {
    "comparison": "Each measure; intervals that overlap leave open which run is better.",
    "curves": "Training of the runs over each other; the dot is the epoch that was chosen.",
    "recording": "The same recording through the exported model of each run, all on one scale.",
}


@dataclass(frozen=True)
class Comparison:
    """Runs, of a sweep or any others."""

    name: str
    folder: Path  # of the page
    command: str  # that repeats it, or goes on with it
    parameters: dict[str, Any]  # given, and the same for every run
    grid: dict[str, list[Any]]  # the parameters that differ, and their values
    runs: list[RunRow]
    folders: list[Path]  # of the runs
    kind: str = COMPARISON  # the name of the tables

    @property
    def text(self) -> str:
        """The table, what was found, and where everything is, for people."""
        return "\n".join([self.table, *self._below(), "", f"compared in {self.folder / INDEX}"])

    @property
    def table(self) -> str:
        """The table as Markdown."""
        return markdown_table(self.cells())

    def cells(self) -> list[list[str]]:
        """Cells of the table, heading first; bold is what is best, with an interval apart from all others'.

        A line a run; then the means of runs that only a seed sets apart; then the best unpaired baseline of
        each measure, by its name.
        """
        measures = [name for name in RUN_MEASURES if any(name in row.measures for row in self.runs)]
        over_seeds, others = means(self.runs), baselines(self.runs)
        columns = [
            [
                *_best_in_bold(name, self.runs),
                *_best_in_bold(name, over_seeds),
                *(_baseline(name, best) for _, best in others),
            ]
            for name in measures
        ]
        before = [
            [row.run, *map(str, row.values.values()), row.status, "" if row.epoch is None else str(row.epoch)]
            for row in (*self.runs, *over_seeds)
        ]
        before += [["best baseline", *map(str, values.values()), "", ""] for values, _ in others]
        seconds = ["" if row.seconds is None else f"{row.seconds:.1f}" for row in self.runs]
        seconds += [""] * (len(before) - len(seconds))
        heading = ["run", *self.grid, "status", "epoch", *(MEASURES[name].heading for name in measures)]
        lines = zip(
            before, zip(*columns, strict=True) if columns else [()] * len(before), seconds, strict=True
        )
        return [[*heading, "seconds"], *([*left, *figures, end] for left, figures, end in lines)]

    @property
    def said(self) -> list[str]:
        """What was found, a sentence for each measure that has intervals."""
        rows = means(self.runs) or [row for row in self.runs if row.measures]
        others = baselines(self.runs)
        best = others[0][1] if len(others) == 1 else {}  # it is another one beside each
        said = [_said(name, rows, best.get(name)) for name in RUN_MEASURES]
        untrained = untrained_in_words(0) if any(row.epoch == 0 for row in self.runs) else ""
        return [sentence for sentence in (*said, untrained) if sentence]

    def figures(self, recording: str = "") -> dict[str, Figure]:
        """The figures of `FIGURES` that can be drawn; `recording` is one of `OneRecording.of`."""
        done = {row.run: folder for row, folder in zip(self.runs, self.folders, strict=True) if row.measures}
        if not done:
            return {}
        shown = dict(list(done.items())[:MAX_CURVES])
        histories = {run: logged for run, folder in shown.items() if (logged := history(folder))}
        chosen = {row.run: row.epoch for row in self.runs}
        drawn = {"comparison": self._measures()}
        if histories:
            drawn["curves"] = plots.curves(histories, chosen)
        if one := OneRecording.of(shown, recording):
            drawn["recording"] = one.draw()
        return drawn

    def save_table(self) -> None:
        """Write the tables as the runs are now, JSON, CSV and Markdown; InputError if it cannot be done."""
        content = asdict(self)
        for name in ("folder", "folders", "kind"):
            del content[name]
        documents.write(self.folder / f"{self.kind}.json", documents.plain(content))
        lines = [_plain(row) for row in self.runs]
        columns = dict.fromkeys(name for line in lines for name in line)
        documents.write_table(self.folder / f"{self.kind}.csv", list(columns), lines)
        pictures = [f"![{title}]({name}.png)\n" for name, title in FIGURES.items() if self._has(name)]
        lines = [f"# {self.name}", "", self.table, *self._below(), "", *pictures]
        documents.write_text(self.folder / f"{self.kind}.md", "\n".join(lines).rstrip() + "\n")

    def save(self, recording: str = "") -> None:
        """Write the figures, the tables and index.html; raises InputError if the folder cannot be written."""
        drawn = {name: self._keep(figure, name) for name, figure in self.figures(recording).items()}
        self.save_table()
        heading, *lines = self.cells()
        reports = [folder / REPORT for folder in self.folders]
        links = [_link(report, self.folder) if report.exists() else "" for report in reports]
        rest = [None] * (len(lines) - len(self.runs))
        titles = {"table": "All runs"} | {name: FIGURES[name] for name in drawn} | {"settings": "Settings"}
        write_page(
            self.folder / INDEX,
            "comparison.html.j2",
            f"cyclegan_lib: {self.name}",
            [Entry(name, title) for name, title in titles.items()],
            comparison=self,
            heading=heading,
            rows=list(zip([*self.runs, *rest], lines, [*links, *rest], strict=True)),
            images=[(name, FIGURES[name], CAPTIONS[name], image) for name, image in drawn.items()],
        )

    def raise_failures(self) -> None:
        """Raise NotebookError if runs failed, with how to go on."""
        failed = [row.run for row in self.runs if row.status == FAILED]
        if failed:
            raise NotebookError(
                f"{len(failed)} of {len(self.runs)} runs failed ({', '.join(failed)}); `{self.command}` tries"
                " them again"
            )

    def _measures(self) -> Figure:
        """Over the grid, or, where the runs are none, over the runs."""
        results = {row.run: Result("", row.measures, row.interval, row.baseline) for row in self.runs}
        rows = [row for row in self.runs if row.measures]
        own = {repr(row.values) for row in self.runs}
        if (
            self.grid
            and len(self.runs) == len(own) == math.prod(map(len, self.grid.values()))
            and own
            == {repr(dict(zip(self.grid, values, strict=True))) for values in product(*self.grid.values())}
        ):
            return plots.comparison([(row.values, results[row.run]) for row in rows], self.grid)
        names = [row.run for row in rows]
        return plots.comparison([({"run": name}, results[name]) for name in names], {"run": names})

    def _keep(self, figure: Figure, name: str) -> str:
        """Write a figure, and return it as PNG in base64 for the page."""
        for suffix in ("png", "svg"):
            with replacing(self.folder / f"{name}.{suffix}") as part:
                figure.savefig(part, bbox_inches="tight")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=150, bbox_inches="tight")
        return b64encode(drawn.getvalue()).decode()

    def _has(self, figure: str) -> bool:
        return (self.folder / f"{figure}.png").exists()

    def _below(self) -> list[str]:
        lines = [*(f"{row.run}: {row.failure}" for row in self.runs if row.failure), *self.said]
        return ["", *lines] if lines else []


def _baseline(name: str, best: dict[str, tuple[str, float]]) -> str:
    other, value = best.get(name, ("", None))
    return f"{other} {MEASURES[name].text(value)}" if other else ""


def _best(name: str, rows: Sequence[RunRow]) -> tuple[int, bool]:
    """The row that is best by a measure, and whether its interval lies apart from those of all the others.

    A measure without intervals has no such row: nobody knows how far it may be off.
    """
    measure = MEASURES[name]
    known = [i for i, row in enumerate(rows) if name in row.measures]
    best = min(known, key=lambda i: measure.cost(rows[i].measures[name]))
    others = [rows[i].interval.get(name) for i in known if i != best]
    own = rows[best].interval.get(name)
    if not own or not others or not all(others):
        return best, False
    most = max(map(measure.cost, own))
    return best, all(most < _least_cost(measure, *limits) for limits in others)


def _least_cost(measure: Measure, low: float, high: float) -> float:
    """The cost of the best value in an interval: of a C2ST that may be within it."""
    return min(map(measure.cost, (low, high, *((0.5,) if low < 0.5 < high else ()))))


def _best_in_bold(name: str, rows: Sequence[RunRow]) -> list[str]:
    measure = MEASURES[name]
    texts = [
        measure.text(row.measures[name], row.interval.get(name)) if name in row.measures else ""
        for row in rows
    ]
    if any(texts):
        best, beyond = _best(name, rows)
        texts[best] = f"**{texts[best]}**" if beyond else texts[best]
    return texts


def _said(name: str, rows: Sequence[RunRow], baseline: tuple[str, float] | None) -> str:
    """Which run is best by a measure, and whether that is certain; nothing where there are no intervals."""
    if not any(name in row.interval for row in rows):
        return ""
    best, beyond = _best(name, rows)
    value, label = rows[best].measures[name], MEASURES[name].label
    surely = f"its interval {'' if beyond else 'not '}apart from all others'"
    which = f" in {rows[best].run}, the best, {surely}" if len(rows) > 1 else ""
    other = f"; the best baseline ({baseline[0]}) has {baseline[1]:.2f}" if baseline else ""
    return f"{label[0].upper()}{label[1:]}: {value:.2f}{which}{other}."


def _plain(row: RunRow) -> dict[str, Any]:
    """A run as a line of the CSV file."""
    line = {"run": row.run, **row.values, "status": row.status, "epoch": row.epoch, "seconds": row.seconds}
    for name, value in row.measures.items():
        line[name] = value
        line |= zip((f"{name}_low", f"{name}_high"), row.interval.get(name, ()), strict=False)
        line |= zip((f"{name}_baseline", f"{name}_of_baseline"), row.baseline.get(name, ()), strict=False)
    return line


def _link(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path, start)).as_posix()
