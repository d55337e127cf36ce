"""`make lab`, notebook 04 and its explorer, used in a browser as a person would use them."""

import io
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from browser.page import NotebookPage, NothingHappened
from browser.server import Lab
from helpers import write_notebook
from matplotlib.image import imread
from selenium.webdriver.support.select import Select

import cyclegan_lib
from cyclegan_lib.config import DEVICE_A, DEVICE_B
from cyclegan_lib.explorer import Explorer
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.sounds import Sounds
from cyclegan_lib.players import EXAMPLE_S

LAPTOP = (1440, 760)  # its browser's window
EXPLORED = "04_domain_shift.ipynb"
EXAMPLES, HEARD = "jp-RenderedHTML", "widget-html-content"  # what has sounds: a cell's output, the explorer
TO_B, TO_A = f"{DEVICE_A} → {DEVICE_B}", f"{DEVICE_B} → {DEVICE_A}"
# The explorer's parts, and nothing that connects them.
UNCONNECTED = """
import io
import ipywidgets as widgets
import numpy as np
from matplotlib.image import imsave
imsave(png := io.BytesIO(), np.zeros((4, 4)), format="png")
choosers = [widgets.Dropdown(description=name, options=["one", "two"]) for name in ("direction", "recording")]
widgets.VBox([widgets.HBox(choosers), widgets.Image(value=png.getvalue()), widgets.HTML("1 dB")])
"""


def executed(page: NotebookPage, path: Path) -> list[nbformat.NotebookNode]:
    """Save the page's notebook, and read the code cells from its file."""

    def code_cells() -> list[nbformat.NotebookNode]:
        return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]

    page.save(lambda: all(cell.execution_count for cell in code_cells()))
    return code_cells()


def drawn(lab: Lab, direction: str, index: int, checkpoint: str) -> np.ndarray:
    """What the explorer draws without any browser."""
    data = lab.project / "data"
    a, b = (FeatureSet.load(data / f"{device}_test.npz") for device in (DEVICE_A, DEVICE_B))
    sounds = [Sounds(part, data / "recordings" / part.device / "test") for part in (a, b)]
    widget = Explorer(a, b, lab.project / "checkpoints", sounds).widget(direction, index)
    widget.children[0].children[1].value = checkpoint
    return pixels(widget.children[1].value)


def pixels(png: bytes) -> np.ndarray:
    return imread(io.BytesIO(png))


def test_notebook_04_runs_in_jupyterlab_and_its_explorer_answers(lab, browser, tmp_path, capsys):
    page = NotebookPage(browser, lab.address(EXPLORED))
    assert page.run_all() == []

    choosers = {name: Select(chooser) for name, chooser in page.choosers().items()}
    assert list(choosers) == ["direction", "checkpoint", "sort by", "label", "recording"]
    options = {name: [option.text for option in chooser.options] for name, chooser in choosers.items()}
    shown = {name: chooser.first_selected_option.text for name, chooser in choosers.items()}
    assert options["direction"] == [TO_B, TO_A]
    assert len(options["recording"]) == 16
    assert shown["direction"] == TO_A and shown["checkpoint"] == "best"
    assert page.cut_off() == [], "options are to be read whole"

    assert len(page.sounds(EXAMPLES)) == 9, "three recordings"
    played = page.play(EXAMPLES, 1)
    assert played["error"] == "" and played["peak"] > 0.05
    assert played["seconds"] == pytest.approx(EXAMPLE_S, abs=0.2)
    page.until("the explorer has sounds", lambda: len(page.sounds(HEARD)) == 3)

    another = next(text for text in reversed(options["recording"]) if text != shown["recording"])
    index = options["recording"].index(another)
    seen = [page.seen()]
    steps = (
        ("recording", another, ("BA", index, "best")),
        ("direction", TO_B, ("AB", index, "best")),
        ("checkpoint", "cyclegan-last", ("AB", index, "cyclegan-last")),
    )
    for name, text, choice in steps:
        before = page.sounds(HEARD)
        taken = page.choose(name, text)
        seen.append(page.seen())
        # one level of colour at most: the kernel and this test may round differently
        np.testing.assert_allclose(pixels(seen[-1].picture), drawn(lab, *choice), atol=1.5 / 255)
        with capsys.disabled():
            print(f"\n{name} changed: the new picture was in the browser after {taken:.0f} ms", end="")
        browser.save_screenshot(str(tmp_path / f"{name}.png"))
        follows = lambda before=before: page.sounds(HEARD)[1:2] not in ([], before[1:2])
        page.until(f"what is heard follows '{name}'", follows)
        played = page.play(HEARD, 1)
        assert played["error"] == "" and played["seconds"] == pytest.approx(10, abs=0.3)
    assert choosers["recording"].first_selected_option.text == another, "it stays"
    assert len({view.picture for view in seen}) == len({view.distances for view in seen}) == 4
    assert f"nearest real {DEVICE_A}" in seen[1].distances
    assert f"nearest real {DEVICE_B}" in seen[2].distances

    page.choose("sort by", "error")
    listed = Select(page.choosers()["recording"])
    errors = [float(option.text.rpartition(": ")[2]) for option in listed.options]
    assert (
        errors == sorted(errors, reverse=True) and listed.first_selected_option.text == listed.options[0].text
    )
    assert all(f"classifier of {DEVICE_B} says" in view.distances for view in seen[2:])
    room = page.room(*LAPTOP)  # one picture holds all panels
    browser.save_screenshot(str(tmp_path / "laptop.png"))
    assert min(room["below"], room["right"], room["above"]) >= 0, room
    assert room["width"] >= 0.8 * room["natural"], "what is smaller is hard to read"

    assert page.state()["errors"] == []
    cells = executed(page, lab.project / "notebooks" / EXPLORED)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]


def test_a_cell_that_fails_is_noticed(lab, browser):
    path = lab.project / "notebooks" / "failing.ipynb"
    write_notebook(path, "print(1)", "raise ValueError('on purpose')", "print(3)")
    page = NotebookPage(browser, lab.address(path.name))
    (error,) = page.run_all()
    assert "ValueError: on purpose" in error
    assert page.state()["prompts"] == ["[1]:", "[2]:", "[ ]:"]


def test_an_explorer_that_does_not_answer_is_noticed_and_the_kernel_is_the_environment_s(lab, browser):
    where = "import sys, cyclegan_lib\nprint(sys.prefix, cyclegan_lib.__file__, end='')"
    path = write_notebook(lab.project / "notebooks" / "unconnected.ipynb", where, UNCONNECTED)
    page = NotebookPage(browser, lab.address(path.name))
    assert page.run_all() == []
    assert page.seen().distances == "1 dB"
    with pytest.raises(NothingHappened, match="follow 'recording'"):
        page.choose("recording", "two", seconds=3)
    assert executed(page, path)[0].outputs[0].text == f"{sys.prefix} {cyclegan_lib.__file__}"
