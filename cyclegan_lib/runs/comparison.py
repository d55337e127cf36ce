"""What the runs of a sweep measured, side by side: a table, a figure, a page that links to their reports."""

import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan_lib import documents
from cyclegan_lib.errors import NotebookError
from cyclegan_lib.evaluation.measures import MEASURES, RUN_MEASURES, Result, measured
from cyclegan_lib.evaluation.report import markdown_table
from cyclegan_lib.files import replacing
from cyclegan_lib.plots import comparison
from cyclegan_lib.runs.record import DONE, FAILED, PENDING, RECORD, Record
from cyclegan_lib.runs.report import REPORT, Entry, duration, write_page

SWEEP, TABLE, INDEX, FIGURE = "sweep.json", "sweep.md", "index.html", "comparison"


@dataclass
class SweepRow:
    """One run of a sweep, as its folder tells."""

    folder: Path
    values: dict[str, Any]  # of the grid's parameters
    failure: str = ""  # why it failed in this session

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def record(self) -> Record | None:
        """Its run.json; None before it has begun."""
        return Record.load(self.folder) if (self.folder / RECORD).exists() else None

    @property
    def status(self) -> str:
        """ "done", "failed", or "pending"."""
        record = self.record
        if self.failure or (record and record.failed):
            return FAILED
        return DONE if record and record.done else PENDING

    @property
    def done(self) -> bool:
        return self.status == DONE

    @property
    def result(self) -> Result | None:
        """What it measured, once it is done."""
        return measured(self.folder) if self.done else None

    @property
    def report(self) -> str:
        """Its report, as the page links to it; empty before there is one."""
        return f"{self.name}/{REPORT}" if (self.folder / REPORT).exists() else ""

    @property
    def figure(self) -> str:
        """Its first figure, for a progress bar."""
        result = self.result
        if not (result and result.translated):
            return self.status
        name, value = next(iter(result.translated.items()))
        return f"{MEASURES[name].heading.split()[0]} {MEASURES[name].text(value)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        record, result = self.record, self.result
        return {
            "run": self.name,
            "values": self.values,
            "status": self.status,
            "failure": self.failure or None,
            "seconds": round(record.seconds, 2) if record else None,
            "measures": result.translated if result else {},
            "baseline": result.baseline if result else {},
        }


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
        results = [run.result for run in self.runs]
        numbers = [result.translated if result else {} for result in results]
        measures = [name for name in RUN_MEASURES if any(name in figures for figures in numbers)]
        columns = [_best_in_bold(name, [figures.get(name) for figures in numbers]) for name in measures]
        lines = [[*self.grid, "status", *(MEASURES[name].heading for name in measures), "seconds"]]
        for i, run in enumerate(self.runs):
            seconds = f"{run.record.seconds:.1f}" if run.record else ""
            values = map(str, run.values.values())
            lines.append([*values, run.status, *(column[i] for column in columns), seconds])
        return lines

    def save_table(self) -> None:
        """Write sweep.json and sweep.md as the runs are now; InputError if the folder cannot be written."""
        content = vars(self) | {"runs": [run.to_dict() for run in self.runs]}
        del content["folder"]
        documents.write(self.folder / SWEEP, documents.plain(content))
        picture = [f"![{self.name}]({FIGURE}.png)"] if (self.folder / f"{FIGURE}.png").exists() else []
        lines = [f"# {self.name}", "", markdown_table(self.table()), "", *self._failures(), *picture]
        documents.write_text(self.folder / TABLE, "\n".join(lines).rstrip() + "\n")

    def save(self) -> None:
        """Write the figure, the tables and index.html; raises InputError if the folder cannot be written."""
        results = [(run.values, run.result) for run in self.runs if run.result]
        image = self._draw(results) if results else ""
        self.save_table()
        heading, *lines = self.table()
        write_page(
            self.folder / INDEX,
            "sweep.html.j2",
            f"cyclegan_lib: {self.name}",
            [Entry("table", "All runs"), Entry("figure", "Compared"), Entry("settings", "Settings")],
            sweep=self,
            heading=heading,
            rows=list(zip(self.runs, lines, strict=True)),
            width=len(self.grid),
            image=image,
            seconds=duration(sum(run.record.seconds for run in self.runs if run.record)),
        )

    def raise_failures(self) -> None:
        """Raise NotebookError if runs failed, with how to go on."""
        failed = [run.name for run in self.runs if run.status == FAILED]
        if failed:
            raise NotebookError(
                f"{len(failed)} of {len(self.runs)} runs failed ({', '.join(failed)}); `{self.command}` tries"
                " them again"
            )

    def _draw(self, results: list[tuple[dict[str, Any], Result]]) -> str:
        """Write the figure, and return it as PNG in base64 for the page."""
        figure = comparison(results, self.grid)
        for suffix in ("png", "svg"):
            with replacing(self.folder / f"{FIGURE}.{suffix}") as part:
                figure.savefig(part, bbox_inches="tight")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=160, bbox_inches="tight")
        return b64encode(drawn.getvalue()).decode()

    def _failures(self) -> list[str]:
        lines = [f"{run.name}: {run.failure}" for run in self.runs if run.failure]
        return ["", *lines] if lines else []


def _best_in_bold(name: str, values: list[float | None]) -> list[str]:
    """A column of the table; where there is something to compare, what reads as the best value is bold."""
    measure = MEASURES[name]
    texts = ["" if value is None else measure.text(value) for value in values]
    known = [value for value in values if value is not None]
    best = measure.text(min(known, key=measure.cost)) if len(known) > 1 else None
    return [f"**{text}**" if text == best else text for text in texts]
