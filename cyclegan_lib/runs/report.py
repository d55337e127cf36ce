"""Pages that open offline, in one file; among them report.html: what a run's notebooks say and show."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from cyclegan_lib.documents import write_text
from cyclegan_lib.errors import count
from cyclegan_lib.evaluation.measures import MEASURES, Result, measured, span
from cyclegan_lib.runs.carry_out import Run
from cyclegan_lib.runs.parameters import parameters_of
from cyclegan_lib.runs.record import PENDING, Record

TEMPLATES = Path(__file__).parent / "templates"
REPORT = "report.html"
TITLE, SECTION = "h1", "h2"
# cells that are not shown: all parameters stand at the end, and checks are for those who look after notebooks
HIDDEN = {"parameters", "injected-parameters", "check"}
# cells whose text stands at the top of the report, a sentence a line, and not below
TO_ACT_ON = "to-act-on"
# the last sections, as templates/report.html.j2 has them
SETTINGS_SECTIONS = {"repeat": "To repeat this run", "notebooks": "Notebooks"}
SETTINGS_SECTIONS |= {"parameters": "All parameters", "versions": "Versions"}


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents, with the lines below it."""

    id: str
    title: str
    sections: list["Entry"] = field(default_factory=list)


def write_report(run: Run, record: Record) -> Path:
    """Write report.html of the notebooks that were executed so far.

    At the top the result and the parameters that were given, at the end everything needed to repeat the run.
    Raises InputError if the folder cannot be written.
    """
    executed = [run.folder / step.notebook for step in record.notebooks if step.status != PENDING]
    shown = {path.name: path.stem for path in executed}
    notebooks, contents, advice = [], [Entry("result", "Result", [Entry("parameters", "Parameters")])], []
    for path in executed:
        notebook = nbformat.read(path, as_version=4)
        advice += _advice(notebook)
        html, entry = _rendered(notebook, path.stem, shown)
        notebooks.append({"id": path.stem, "title": entry.title, "html": html})
        contents.append(entry)
    settings = [Entry(f"settings-{name}", title) for name, title in SETTINGS_SECTIONS.items()]
    contents.append(Entry("settings", "Settings and versions", settings))
    result = measured(run.folder)
    failed = record.failed
    return write_page(
        run.folder / REPORT,
        "report.html.j2",
        f"cyclegan_lib: {record.name}",
        contents,
        record=record,
        state="complete" if record.done else "incomplete",
        failure=f"{failed.failure}; `{run.resume_command}` goes on from there." if failed else "",
        headline=result.headline if result else "",
        said=result.said if result else (),
        advice=advice,
        figures=_key_figures(result) if result else [],
        meanings={p.name: p.help for n in run.notebooks for p in parameters_of(n).values()},
        notebooks=notebooks,
    )


def write_page(path: Path, template: str, title: str, contents: list[Entry], **values: Any) -> Path:
    """Render a template of `TEMPLATES` that extends page.html.j2 into one file, whole or not at all.

    Raises InputError if the folder cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"when": _when, "duration": duration}
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    css += HtmlFormatter(style="friendly").get_style_defs(".highlight")
    html = environment.get_template(template).render(title=title, contents=contents, css=css, **values)
    return write_text(path, html)


def duration(seconds: float) -> str:
    """Seconds as people say them: 12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _when(time: str | None) -> str:
    return datetime.fromisoformat(time).strftime("%d %B %Y, %H:%M UTC") if time else ""


def _key_figures(result: Result) -> list[dict[str, str]]:
    """Each measure, its 95 % interval or how many recordings it is of, and its best unpaired baseline."""
    figures = []
    for name, value in result.translated.items():
        measure, notes = MEASURES[name], []
        if name in result.interval:
            notes.append(span(result.interval[name]))
        elif result.compared is not None:
            notes.append(f"{count(result.compared, 'recording')} a side")
        if name in result.baseline:
            other, of_other = result.baseline[name]
            notes.append(f"{other} {measure.text(of_other)}")
        figures.append({"label": measure.label, "value": measure.text(value), "note": "; ".join(notes)})
    return figures


def _advice(notebook: nbformat.NotebookNode) -> list[str]:
    """Take the cells tagged `TO_ACT_ON` out of a notebook; return the lines that they printed."""
    tagged = [cell for cell in notebook.cells if TO_ACT_ON in cell.metadata.get("tags", ())]
    notebook.cells = [cell for cell in notebook.cells if cell not in tagged]
    outputs = (output for cell in tagged for output in cell.get("outputs", ()))
    return "".join(output.text for output in outputs if output.output_type == "stream").splitlines()


def _rendered(notebook: nbformat.NotebookNode, stem: str, shown: dict[str, str]) -> tuple[str, Entry]:
    """A notebook as HTML, and its line of the table of contents; code is folded away, `HIDDEN` left out.

    Each figure is described by the heading above it.
    `stem` goes before its anchors, which several notebooks may share; `shown` is {file name: anchor} of the
    notebooks in the report: links between them stay inside it.
    """
    notebook.cells = [cell for cell in notebook.cells if not HIDDEN & set(cell.metadata.get("tags", ()))]
    above = "figure"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            above = (re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE) or [above])[-1]
        else:
            cell.metadata["alt"] = f"Figure: {above}"
    exporter = HTMLExporter(
        template_name="basic",
        raw_template=(TEMPLATES / "cells.html.j2").read_text(encoding="utf-8"),
        exclude_anchor_links=True,
        embed_images=True,
    )
    html, _ = exporter.from_notebook_node(notebook)
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.select("[id^='cell-id=']"):
        del tag["id"]
    entry = Entry(stem, stem)
    for number, heading in enumerate(soup.select(f".markdown :is({TITLE}, {SECTION}, h3, h4)")):
        anchor = f"{stem}-{number}"
        for link in soup.select(f'a[href="#{heading.get("id")}"]'):
            link["href"] = f"#{anchor}"
        heading["id"] = anchor
        if heading.name == TITLE and entry.title == stem:
            entry = Entry(stem, heading.get_text(), entry.sections)
        elif heading.name == SECTION:
            entry.sections.append(Entry(anchor, heading.get_text()))
    for link in soup.select("a[href]"):
        file, _, _ = link["href"].partition("#")
        if file in shown:
            link["href"] = f"#{shown[file]}"
    return str(soup), entry
