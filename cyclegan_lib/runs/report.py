"""report.html: what a run's executed notebooks say and show, in one file that opens offline."""

import copy
import re
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

from cyclegan_lib.evaluation.measures import BASELINE, MEASURES, Result, measured
from cyclegan_lib.runs.notebooks import parameters_of
from cyclegan_lib.runs.page import TEMPLATES, Entry, write_page
from cyclegan_lib.runs.plan import Plan
from cyclegan_lib.runs.record import PENDING, Record

REPORT = "report.html"
TITLE, SECTION = "h1", "h2"
# the last sections, as templates/report.html.j2 has them
SETTINGS = {"repeat": "To repeat this run", "notebooks": "Notebooks", "parameters": "All parameters"}
SETTINGS |= {"versions": "Versions"}


def write_report(plan: Plan, record: Record) -> Path:
    """Write report.html of the notebooks that were executed so far.

    At the top the result and the parameters that were given, at the end everything needed to repeat the run.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    executed = [plan.folder / step.notebook for step in record.notebooks if step.status != PENDING]
    shown = {path.name: path.stem for path in executed}
    notebooks, contents = [], [Entry("result", "Result", [Entry("parameters", "Parameters")])]
    for path in executed:
        html, entry = _rendered(nbformat.read(path, as_version=4), path.stem, shown)
        notebooks.append({"id": path.stem, "html": html})
        contents.append(entry)
    settings = [Entry(f"settings-{name}", title) for name, title in SETTINGS.items()]
    contents.append(Entry("settings", "Settings and versions", settings))
    result = measured(plan.folder)
    failed = record.failed
    return write_page(
        plan.folder / REPORT,
        "report.html.j2",
        f"cyclegan_lib: {record.name}",
        contents,
        record=record,
        state="complete" if record.done else "incomplete",
        failure=f"{failed.failure}; {plan.go_on} goes on from there." if failed else "",
        headline=result.headline if result else "",
        figures=_key_figures(result) if result else [],
        meanings={p.name: p.help for n in plan.notebooks for p in parameters_of(n).values()},
        notebooks=notebooks,
    )


def _key_figures(result: Result) -> list[dict[str, str]]:
    figures = []
    for name, value in result.translated.items():
        measure = MEASURES[name]
        note = f"{BASELINE} {measure.text(result.baseline[name])}" if name in result.baseline else ""
        figures.append({"label": measure.label, "value": measure.text(value), "note": note})
    return figures


def _rendered(notebook: nbformat.NotebookNode, stem: str, shown: dict[str, str]) -> tuple[str, Entry]:
    """A notebook as HTML, and its line of the table of contents; code is folded away.

    Parameters
    ----------
    notebook : NotebookNode
    stem : str
        Goes before its anchors, which several notebooks may share.
    shown : dict
        {file name: anchor} of the notebooks in the report: links between them stay inside it.
    """
    exporter = HTMLExporter(
        template_name="basic",
        raw_template=(TEMPLATES / "cells.html.j2").read_text(encoding="utf-8"),
        exclude_anchor_links=True,
        embed_images=True,
    )
    html, _ = exporter.from_notebook_node(_described(notebook))
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


def _described(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which each figure is described by the heading above it."""
    described, heading = copy.deepcopy(notebook), "figure"
    for cell in described.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE) or [heading])[-1]
        else:
            cell.metadata["alt"] = f"Figure: {heading}"
    return described
