"""What the runs of a sweep measured, side by side: a table, a figure, a page that links to their reports."""

import io
import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan_lib.errors import NotebookError
from cyclegan_lib.evaluation.measures import MEASURES, Result, measured
from cyclegan_lib.evaluation.report import markdown_table, rounded
from cyclegan_lib.files import replacing
from cyclegan_lib.plots import comparison
from cyclegan_lib.runs.page import Entry, duration, write_page
from cyclegan_lib.runs.record import DONE, FAILED, PENDING, RECORD, Record
from cyclegan_lib.runs.report import REPORT

SWEEP, TABLE, INDEX, FIGURE = "sweep.json", "sweep.md", "index.html", "comparison"


@dataclass
class Compared:
    """One run of a sweep, as its folder tells.

    Attributes
    ----------
    folder : Path
    values : dict
        Its values of the grid's parameters.
    failure : str
        Why it failed in this session.
    """

    folder: Path
    values: dict[str, Any]
    failure: str = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def record(self) -> Record | None:
        """Its run.json; None before it has begun."""
        return Record.load(self.folder) if (self.folder / RECORD).exists() else None

    @property
    def done(self) -> bool:
        """Whether all of its notebooks are done."""
        record = self.record
        return record is not None and record.done

    @property
    def status(self) -> str:
        """ "done", "failed", or "pending"."""
        if self.failure:
            return FAILED
        record = self.record
        if record is None:
            return PENDING
        return DONE if record.done else FAILED if record.failed else PENDING

    @property
    def result(self) -> Result | None:
        """What it measured, once it is done."""
        return measured(self.folder) if self.done else None

    @property
    def figure(self) -> str:
        """Its first figure, for a progress bar."""
        result = self.result
        if not (result and result.translated):
            return self.status
        name, value = next(iter(result.translated.items()))
        return f"{MEASURES[name].heading.split()[0]} {rounded(value, MEASURES[name].decimals)}"

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
    """A sweep.

    Attributes
    ----------
    name : str
    folder : Path
        runs/NAME.
    command : str
        The command line that repeats it, or goes on with it.
    parameters : dict
        The same for every run.
    grid : dict of list
    runs : list of Compared
        In the grid's order.
    """

    name: str
    folder: Path
    command: str
    parameters: dict[str, Any]
    grid: dict[str, list[Any]]
    runs: list[Compared]

    @property
    def text(self) -> str:
        """The table, why runs failed, and where everything is, for people."""
        return "\n".join(
            [markdown_table(self.table()), *self._failures(), f"\ncompared in {self.folder / INDEX}"]
        )

    def table(self) -> list[list[str]]:
        """Cells of the table, heading first; the best of each measure is bold."""
        results = [run.result for run in self.runs]
        columns = [name for name in MEASURES if any(r and name in r.translated for r in results)]
        lines = [[*self.grid, "status", *(MEASURES[name].heading for name in columns), "seconds"]]
        best = {name: self._best(name, results) for name in columns}
        for run, result in zip(self.runs, results, strict=True):
            numbers = []
            for name in columns:
                value = result.translated.get(name) if result else None
                text = "" if value is None else rounded(value, MEASURES[name].decimals)
                numbers.append(f"**{text}**" if text and text == best[name] else text)
            record = run.record
            seconds = f"{record.seconds:.1f}" if record else ""
            lines.append([*map(str, run.values.values()), run.status, *numbers, seconds])
        return lines

    def save_table(self) -> None:
        """Write sweep.json and sweep.md as the runs are now.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        content = {
            "name": self.name,
            "command": self.command,
            "parameters": self.parameters,
            "grid": self.grid,
            "runs": [run.to_dict() for run in self.runs],
        }
        with replacing(self.folder / SWEEP) as part:
            part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        picture = [f"![{self.name}]({FIGURE}.png)"] if (self.folder / f"{FIGURE}.png").exists() else []
        lines = [f"# {self.name}", "", markdown_table(self.table()), "", *self._failures(), *picture]
        with replacing(self.folder / TABLE) as part:
            part.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")

    def save(self) -> None:
        """Write the figure, the tables and index.html as the runs are now.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        measured_runs = [(run.values, run.result) for run in self.runs if run.result]
        image = ""
        if measured_runs:
            figure = comparison(measured_runs, self.grid)
            for suffix in ("png", "svg"):
                with replacing(self.folder / f"{FIGURE}.{suffix}") as part:
                    figure.savefig(part, bbox_inches="tight")
            drawn = io.BytesIO()
            figure.savefig(drawn, format="png", dpi=160, bbox_inches="tight")
            image = b64encode(drawn.getvalue()).decode()
        self.save_table()
        heading, *lines = self.table()
        write_page(
            self.folder / INDEX,
            "sweep.html.j2",
            f"cyclegan_lib: {self.name}",
            [Entry("table", "All runs"), Entry("figure", "Compared"), Entry("settings", "Settings")],
            sweep=self,
            heading=heading,
            rows=[
                {
                    "cells": line,
                    "report": f"{run.name}/{REPORT}" if (run.folder / REPORT).exists() else "",
                    "failure": run.failure,
                }
                for run, line in zip(self.runs, lines, strict=True)
            ],
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

    def _failures(self) -> list[str]:
        lines = [f"{run.name}: {run.failure}" for run in self.runs if run.failure]
        return ["", *lines] if lines else []

    def _best(self, name: str, results: list[Result | None]) -> str | None:
        """The best value as it is printed; None where there is nothing to compare."""
        values = [r.translated[name] for r in results if r and name in r.translated]
        if len(values) < 2:
            return None
        return rounded(min(values, key=MEASURES[name].cost), MEASURES[name].decimals)
