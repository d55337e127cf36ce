"""What the runs of a sweep measured, side by side: a table, a figure, a page that links to their reports."""

import io
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cyclegan_lib import documents
from cyclegan_lib.checkpoint.inspection import untrained_in_words
from cyclegan_lib.errors import NotebookError
from cyclegan_lib.evaluation.measures import MEASURES, RUN_MEASURES, Result, measured
from cyclegan_lib.evaluation.report import markdown_table
from cyclegan_lib.files import replacing
from cyclegan_lib.plots import comparison
from cyclegan_lib.runs.record import DONE, FAILED, PENDING, RECORD, Record
from cyclegan_lib.runs.report import REPORT, Entry, write_page

SWEEP, TABLE, INDEX, FIGURE = "sweep.json", "sweep.md", "index.html", "comparison"


@dataclass(frozen=True)
class SweepRow:
    """One run of a sweep, as its folder tells."""

    run: str  # its folder's name
    values: dict[str, Any]  # of the grid's parameters
    status: str  # "done", "failed", or "pending"
    failure: str | None  # why it failed in this session
    seconds: float | None  # of its notebooks; None before it has begun
    # once the run is done
    measures: dict[str, float]  # of the CycleGAN
    interval: dict[str, tuple[float, float]]  # 95 %, of what has one
    baseline: dict[str, tuple[str, float]]  # the best unpaired one of each measure
    epoch: int | None  # that was chosen

    @classmethod
    def read(cls, folder: Path, values: dict[str, Any], failure: str = "") -> "SweepRow":
        """Look what a run has done so far."""
        record = Record.load(folder) if (folder / RECORD).exists() else None
        status = DONE if record and record.done else PENDING
        if failure or (record and record.failed):
            status = FAILED
        seconds = round(record.seconds, 2) if record else None
        result = (measured(folder) if status == DONE else None) or Result()
        figures = (result.translated, result.interval, result.baseline, result.epoch)
        return cls(folder.name, values, status, failure or None, seconds, *figures)

    @property
    def figure(self) -> str:
        """Its first figure, for a progress bar."""
        for name, value in self.measures.items():
            return f"{MEASURES[name].heading.split()[0]} {MEASURES[name].text(value)}"
        return self.status


@dataclass(frozen=True)
class Comparison:
    """A sweep."""

    name: str
    folder: Path  # runs/NAME
    command: str  # that repeats it, or goes on with it
    parameters: dict[str, Any]  # the same for every run
    grid: dict[str, list[Any]]
    runs: list[SweepRow]  # in the grid's order

    @property
    def text(self) -> str:
        """The table, why runs failed, and where everything is, for people."""
        place = f"\ncompared in {self.folder / INDEX}"
        return "\n".join([markdown_table(self.table()), *self._below(), place])

    def table(self) -> list[list[str]]:
        """Cells of the table, heading first; bold is what is best beyond the intervals of all the others.

        Measures that have intervals have the best unpaired baseline of each run beside them, by its name.
        """
        heading, columns = [*self.grid, "status", "epoch"], []
        for name in RUN_MEASURES:
            if any(name in row.measures for row in self.runs):
                heading.append(MEASURES[name].heading)
                columns.append(_best_in_bold(name, self.runs))
            if any(name in row.interval for row in self.runs):
                heading.append("best baseline")
                columns.append([_baseline(name, row) for row in self.runs])
        lines = [[*heading, "seconds"]]
        for row, *figures in zip(self.runs, *columns, strict=True):
            seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
            epoch = "" if row.epoch is None else str(row.epoch)
            lines.append([*map(str, row.values.values()), row.status, epoch, *figures, seconds])
        return lines

    def save_table(self) -> None:
        """Write sweep.json and sweep.md as the runs are now; InputError if the folder cannot be written."""
        content = asdict(self)
        del content["folder"]
        documents.write(self.folder / SWEEP, documents.plain(content))
        picture = [f"![{self.name}]({FIGURE}.png)"] if (self.folder / f"{FIGURE}.png").exists() else []
        lines = [f"# {self.name}", "", markdown_table(self.table()), "", *self._below(), *picture]
        documents.write_text(self.folder / TABLE, "\n".join(lines).rstrip() + "\n")

    def save(self) -> None:
        """Write the figure, the tables and index.html; raises InputError if the folder cannot be written."""
        image = self._draw()
        self.save_table()
        heading, *lines = self.table()
        reports = [f"{row.run}/{REPORT}" for row in self.runs]
        reports = [report if (self.folder / report).exists() else "" for report in reports]
        write_page(
            self.folder / INDEX,
            "sweep.html.j2",
            f"cyclegan_lib: {self.name}",
            [Entry("table", "All runs"), Entry("figure", "Compared"), Entry("settings", "Settings")],
            sweep=self,
            heading=heading,
            rows=list(zip(self.runs, lines, reports, strict=True)),
            said=self.said,
            image=image,
        )

    def raise_failures(self) -> None:
        """Raise NotebookError if runs failed, with how to go on."""
        failed = [row.run for row in self.runs if row.status == FAILED]
        if failed:
            raise NotebookError(
                f"{len(failed)} of {len(self.runs)} runs failed ({', '.join(failed)}); `{self.command}` tries"
                " them again"
            )

    def _draw(self) -> str:
        """Write the figure, and return it as PNG in base64 for the page; nothing before a run has ended."""
        results = [
            (row.values, Result("", row.measures, row.interval, row.baseline))
            for row in self.runs
            if row.measures
        ]
        if not results:
            return ""
        figure = comparison(results, self.grid)
        for suffix in ("png", "svg"):
            with replacing(self.folder / f"{FIGURE}.{suffix}") as part:
                figure.savefig(part, bbox_inches="tight")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=160, bbox_inches="tight")
        return b64encode(drawn.getvalue()).decode()

    @property
    def said(self) -> str:
        """What it means where a run chose epoch 0; nothing where none did."""
        return untrained_in_words(0) if any(row.epoch == 0 for row in self.runs) else ""

    def _below(self) -> list[str]:
        lines = [f"{row.run}: {row.failure}" for row in self.runs if row.failure]
        lines += [self.said] if self.said else []
        return ["", *lines] if lines else []


def _baseline(name: str, row: SweepRow) -> str:
    other, value = row.baseline.get(name, ("", None))
    return f"{other} {MEASURES[name].text(value)}" if other else ""


def _best_in_bold(name: str, rows: list[SweepRow]) -> list[str]:
    """A column of the table; the best value is bold if it lies beyond the interval of every other run.

    A measure without intervals has no bold value: nobody knows how far it may be off.
    """
    measure = MEASURES[name]
    texts = [
        measure.text(row.measures[name], row.interval.get(name)) if name in row.measures else ""
        for row in rows
    ]
    known = [i for i, row in enumerate(rows) if name in row.measures]
    best = min(known, key=lambda i: measure.cost(rows[i].measures[name]))
    others = [rows[i].interval.get(name) for i in known if i != best]
    cost = measure.cost(rows[best].measures[name])
    if others and all(limits and cost < min(map(measure.cost, limits)) for limits in others):
        texts[best] = f"**{texts[best]}**"
    return texts
