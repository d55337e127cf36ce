"""A page that opens offline: one HTML file, with its styles inside and a table of contents."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pygments.formatters import HtmlFormatter

from cyclegan_lib.files import replacing

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents, with the lines below it."""

    id: str
    title: str
    sections: list["Entry"] = field(default_factory=list)


def write_page(path: Path, template: str, title: str, contents: list[Entry], **values: Any) -> Path:
    """Render a template of `TEMPLATES` that extends page.html.j2 into one file, whole or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"when": _when, "duration": duration}
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    css += HtmlFormatter(style="friendly").get_style_defs(".highlight")
    html = environment.get_template(template).render(title=title, contents=contents, css=css, **values)
    with replacing(path) as part:
        part.write_text(html, encoding="utf-8")
    return path


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
