"""What the runs of a sweep measured, side by side: a table, a figure, a page that links to their reports."""

import io
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cyclegan_lib import documents
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
    measures: dict[str, float]  # of the CycleGAN, once the run is done
    baseline: dict[str, float]

    @classmethod
    def read(cls, folder: Path, values: dict[str, Any], failure: str = "") -> "SweepRow":
        """Look what a run has done so far."""
        record = Record.load(folder) if (folder / RECORD).exists() else None
        status = DONE if record and record.done else PENDING
        if failure or (record and record.failed):
            status = FAILED
        seconds = round(record.seconds, 2) if record else None
        result = (measured(folder) if status == DONE else None) or Result("", {}, {})
        return cls(folder.name, values, status, failure or None, seconds, result.translated, result.baseline)

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
        return "\n".join([markdown_table(self.table()), *self._failures(), place])

    def table(self) -> list[list[str]]:
        """Cells of the table, heading first; the best of each measure is bold."""
        shown = [name for name in RUN_MEASURES if any(name in row.measures for row in self.runs)]
        columns = [_best_in_bold(name, [row.measures.get(name) for row in self.runs]) for name in shown]
        lines = [[*self.grid, "status", *(MEASURES[name].heading for name in shown), "seconds"]]
        for row, *figures in zip(self.runs, *columns, strict=True):
            seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
            lines.append([*map(str, row.values.values()), row.status, *figures, seconds])
        return lines

    def save_table(self) -> None:
        """Write sweep.json and sweep.md as the runs are now; InputError if the folder cannot be written."""
        content = asdict(self)
        del content["folder"]
        documents.write(self.folder / SWEEP, documents.plain(content))
        picture = [f"![{self.name}]({FIGURE}.png)"] if (self.folder / f"{FIGURE}.png").exists() else []
        lines = [f"# {self.name}", "", markdown_table(self.table()), "", *self._failures(), *picture]
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
        results = [(row.values, Result("", row.measures, row.baseline)) for row in self.runs if row.measures]
        if not results:
            return ""
        figure = comparison(results, self.grid)
        for suffix in ("png", "svg"):
            with replacing(self.folder / f"{FIGURE}.{suffix}") as part:
                figure.savefig(part, bbox_inches="tight")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=160, bbox_inches="tight")
        return b64encode(drawn.getvalue()).decode()

    def _failures(self) -> list[str]:
        lines = [f"{row.run}: {row.failure}" for row in self.runs if row.failure]
        return ["", *lines] if lines else []


def _best_in_bold(name: str, values: list[float | None]) -> list[str]:
    """A column of the table; where there is something to compare, what reads as the best value is bold."""
    measure = MEASURES[name]
    texts = ["" if value is None else measure.text(value) for value in values]
    known = [value for value in values if value is not None]
    best = measure.text(min(known, key=measure.cost)) if len(known) > 1 else None
    return [f"**{text}**" if text == best else text for text in texts]
