"""The documents as a site, as `make docs` makes it: no broken link, and nothing from the network."""

import importlib
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from helpers import PROJECT

from cyclegan_lib.cli import WORKFLOW

pytestmark = pytest.mark.slow
# what docs/reference.md describes, whole
ROOMS = ("recordings", "features", "models", "training", "export", "faults", "evaluation", "plots")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx", reason="the site's packages are not there: `make docs` installs them")
    folder = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", folder]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-3000:]
    return folder


def test_nothing_that_a_page_shows_comes_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        shown = [tag.get("src", "") for tag in soup.find_all(src=True)]
        shown += [tag.get("href", "") for tag in soup.find_all("link")]
        assert [url for url in shown if "//" in url.removeprefix("data:").split(",")[0]] == [], page
    for sheet in (site / "_static").rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "url(http" not in text and "@import" not in text, sheet


def test_notebooks_are_shown_as_they_were_committed(site):
    text = (site / "notebooks" / "04_domain_shift.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    cells = [cell.get_text() for cell in page.select("table td")]
    assert "CycleGAN, untrained" in cells and len(page.select("img")) > 6
    assert "|:--" not in page.get_text(), "tables are shown as tables"


def test_every_command_and_every_public_name_is_described(site):
    commands = (site / "docs" / "commands.html").read_text(encoding="utf-8")
    number = sum(map(len, WORKFLOW.values()))
    assert commands.count("Usage: cyclegan ") == commands.count("Example:") == number
    described = (site / "docs" / "reference.html").read_text(encoding="utf-8")
    for room in ROOMS:
        module = importlib.import_module(f"cyclegan_lib.{room}")
        assert [n for n in module.__all__ if f'id="{module.__name__}.{n}"' not in described] == []
