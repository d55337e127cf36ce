"""The HTML report: one file, no network, prose and figures first."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from helpers import done
from nbformat.v4 import new_code_cell

from cyclegan_lib.runs.execute import SOURCES
from cyclegan_lib.runs.report import duration


def test_the_report_opens_offline_and_its_links_lead_somewhere(finished):
    page = BeautifulSoup((finished[0] / "report.html").read_text(encoding="utf-8"), "html.parser")
    assert not page.select("script, link, iframe, object, embed")
    assert all(tag["src"].startswith("data:") for tag in page.select("[src]"))
    styles = " ".join(style.get_text() for style in page.select("style"))
    assert ".output pre { white-space: pre-wrap;" in styles  # a long sentence is not cut off
    assert not re.search(r"url\(|@import", styles)
    anchors = [tag["id"] for tag in page.select("[id]")]
    assert len(anchors) == len(set(anchors))
    links = [tag["href"] for tag in page.select("a[href]")]
    assert {link for link in links if link.startswith("#")} <= {f"#{anchor}" for anchor in anchors}
    # a link from one notebook to another stays in the report
    assert "02_training.ipynb" not in links and links.count("#02_training") >= 4

    contents = page.select_one("nav > ul")
    titles = [item.a.get_text() for item in contents.find_all("li", recursive=False)]
    assert titles[0] == "Result" and titles[-1] == "Settings and versions"
    assert titles[1] == "01 · A tiny notebook"
    assert [a.get_text() for a in contents.select("ul a")].count("What was found") == 3

    # the result comes first, code is folded away, settings come last
    text = page.main.get_text()
    assert text.index("NMSE 0.2.") < text.index("max_epochs") < text.rindex("A tiny notebook")
    assert text.index("NMSE 0.2.") < text.index("The mean shift is used.") < text.index("max_epochs")
    assert [item.get_text() for item in page.select("#to-act-on + ul li")] == ["Record <more>.", "Listen."]
    assert text.count("Listen.") == 1
    tiles = [tile.get_text("|") for tile in page.select(".figures > div")]
    assert "NMSE against the pairs|0.200|0.20 to 0.20; Gaussian OT 0.500" in [t.strip("|\n") for t in tiles]
    assert any("0.550|20 recordings a side; mean shift 0.600" in tile for tile in tiles)
    assert all(re.search(r"\d to \d|recordings a side", tile) for tile in tiles), "each says how sure it is"
    assert "on the same recordings" in page.select_one(".figures + p").get_text()
    assert text.rindex("A tiny notebook") < text.index("cyclegan run --name one -p max_epochs 3")
    assert "papermill" in text and "lambda_cycle" in text and "complete" in text
    codes = page.select("section .highlight")
    folds = [code.find_parent("details") for code in codes]
    assert folds and all(fold is not None and not fold.has_attr("open") for fold in folds)
    assert "simulated" in page.select_one(".output_stdout").get_text()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.9, "9.9 s"), (12.3, "12 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_durations_are_said_as_people_do(seconds, text):
    assert duration(seconds) == text


@pytest.mark.slow
def test_what_concerns_other_data_is_neither_run_nor_shown(project, capsys):
    """Of the simulation where it is simulated, of own recordings where there are some."""
    path = project / "notebooks" / "01_data_normalization.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for tag in (*SOURCES, "check"):
        notebook.cells.append(new_code_cell(f"print('said of {tag}')", metadata={"tags": [tag]}))
    nbformat.write(notebook, path)
    (project / "notebooks" / "04_domain_shift.ipynb").rename(project / "notebooks" / "05_benchmark.ipynb")
    given = ["-p", "recordings_a", "data", "-p", "recordings_b", "notebooks"]
    for source, options in {"simulated": [], "recordings": given}.items():
        done(capsys, "run", "--name", source, *options)
        folder = project / "runs" / source
        assert (folder / "05_benchmark.ipynb").exists() == (source == "simulated")
        executed = nbformat.read(folder / path.name, as_version=4)
        printed = [output.text.strip() for cell in executed.cells for output in cell.get("outputs", ())]
        assert printed[1:] == [f"said of {source}", "said of check"]
        page = BeautifulSoup((folder / "report.html").read_text(encoding="utf-8"), "html.parser")
        assert [text for text in page.stripped_strings if text.startswith("said of")] == [f"said of {source}"]
        assert "train_recordings: int" not in page.get_text()
