"""A notebook in JupyterLab, used as a person would: menus, clicks, and what is to be seen."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

KERNEL_SECONDS, RUN_SECONDS, REDRAW_SECONDS = 120, 400, 60

ERRORS = ", ".join(f"[data-mime-type='application/vnd.jupyter.{kind}']" for kind in ("stderr", "error"))
# textContent, not innerText: the latter is empty for cells that are scrolled out of sight.
STATE = """
const panel = document.querySelector('.jp-NotebookPanel');
const text = (root, selector) => [...root.querySelectorAll(selector)].map(found => found.textContent.trim());
return {
    // not the status bar, which is empty before the page has had the focus
    kernel: panel?.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status,
    prompts: panel ? text(panel, '.jp-CodeCell .jp-InputPrompt') : [],
    errors: panel ? text(panel, arguments[0]) : [],
    dialogs: text(document, '.jp-Dialog'),
};
"""
# An address of a picture is withdrawn when the next one comes: then there are no bytes.
IMAGE_BYTES = """
const done = arguments[arguments.length - 1];
fetch(arguments[0].src).then(got => got.blob()).then(blob => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(',')[1]);
    reader.readAsDataURL(blob);
}).catch(() => done(''));
"""
CUT_OFF = """
const pen = document.createElement('canvas').getContext('2d');
const style = getComputedStyle(arguments[0]);
pen.font = style.font;
const room = arguments[0].clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
const texts = [...arguments[0].options].map(option => option.text);
return texts.filter(text => pen.measureText(text).width > room);
"""
# Timed in the browser: from the choice to the first picture that is loaded after it.
STOPWATCH = """
const [control, image] = arguments;
window.chosen = window.shown = null;
control.addEventListener('change', () => { window.chosen = performance.now(); }, {capture: true, once: true});
image.addEventListener('load', () => { window.shown ??= performance.now(); });
"""
# The explorer's controls are scrolled to the top: what room is left around the picture, in pixels.
ROOM = """
const [control, image] = arguments;
control.closest('.widget-hbox').scrollIntoView({block: 'start'});
const notebook = image.closest('.jp-WindowedPanel-outer, .jp-Notebook').getBoundingClientRect();
const seen = image.getBoundingClientRect();
return {
    below: Math.min(notebook.bottom, window.innerHeight) - seen.bottom,
    right: Math.min(notebook.right, window.innerWidth) - seen.right,
    above: seen.top - control.closest('.widget-hbox').getBoundingClientRect().bottom,
    controls: control.closest('.widget-hbox').getBoundingClientRect().top - notebook.top,
    width: seen.width,
    natural: image.naturalWidth,
};
"""
SOUNDS = "return [...document.querySelectorAll(`.${arguments[0]} audio source`)].map(found => found.src)"
# Muted, because a page may not make noise before it was clicked; how loud it would be is decoded.
PLAYED = """
const [audio, done] = arguments;
const fail = what => done({error: String(what)});
audio.muted = true;
audio.addEventListener('timeupdate', async () => {
    if (audio.currentTime < 0.3) return;
    audio.pause();
    const bytes = await (await fetch(audio.currentSrc)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, 24000).decodeAudioData(bytes);
    const peak = sound.getChannelData(0).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    done({error: '', seconds: audio.duration, peak: peak});
});
audio.play().catch(fail);
setTimeout(() => fail(audio.error?.message ?? 'nothing was played'), 20000);
"""


class NothingHappened(AssertionError):
    """What was waited for did not come."""


@dataclass(frozen=True)
class Seen:
    """What the explorer shows: the picture's bytes and the text of the table below it."""

    picture: bytes
    distances: str


class NotebookPage:
    """One notebook that is open in the browser."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser = browser
        browser.get(address)
        self.until("the kernel is idle", self._ready, KERNEL_SECONDS)

    def state(self) -> dict[str, Any]:
        """State of the kernel, prompts of the code cells, texts of error outputs, texts of open dialogs."""
        return self.browser.execute_script(STATE, ERRORS)

    def menu(self, name: str, item: str) -> None:
        """Click an item of a menu."""
        self._click(".lm-MenuBar-itemLabel", name)
        self._click(".lm-Menu-itemLabel", item)

    def run_all(self) -> list[str]:
        """Run > Run All Cells, and wait for its end: the errors that are to be seen, at best none."""
        self.menu("Run", "Run All Cells")

        def ended() -> bool:
            state = self.state()
            numbered = [prompt for prompt in state["prompts"] if prompt.strip("[]: ").isdigit()]
            waiting = any("*" in prompt for prompt in state["prompts"])
            # a notebook is drawn bit by bit: what there is counts, not what there was at the beginning
            return bool(len(numbered) == len(state["prompts"]) or (state["errors"] and not waiting))

        self.until("all cells have run", ended, RUN_SECONDS)
        return self.state()["errors"]

    def save(self, is_saved: Callable[[], bool]) -> None:
        """File > Save Notebook."""
        self.menu("File", "Save Notebook")
        self.until("the notebook is saved", is_saved, 30)

    def choosers(self) -> dict[str, WebElement]:
        """The explorer's controls by their labels."""
        boxes = self.browser.find_elements("css selector", ".jp-OutputArea .widget-dropdown")
        labels = [box.find_element("css selector", ".widget-label") for box in boxes]
        texts = [label.get_attribute("textContent") for label in labels]
        return dict(zip(texts, (box.find_element("tag name", "select") for box in boxes), strict=True))

    def cut_off(self) -> list[str]:
        """Options that are wider than their control."""
        choosers = self.choosers().values()
        return [text for chooser in choosers for text in self.browser.execute_script(CUT_OFF, chooser)]

    def image(self) -> WebElement:
        """The explorer's picture."""
        (image,) = self.browser.find_elements("css selector", ".jp-OutputArea img.widget-image")
        return image

    def room(self, width: int, height: int) -> dict[str, float]:
        """In a window of this size, the pixels around the explorer's picture, its `width`, and `natural` one.

        `below`, `right` and `above` it; and above its `controls`, which are scrolled to the top.
        """
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        control = next(iter(self.choosers().values()))
        settled = lambda: abs(self.browser.execute_script(ROOM, control, self.image())["controls"]) < 5
        self.until("the explorer is at the top", settled, 20)
        return self.browser.execute_script(ROOM, control, self.image())

    def seen(self) -> Seen:
        """What the explorer shows now."""
        picture = self.browser.execute_async_script(IMAGE_BYTES, self.image())
        table = self.browser.find_element("css selector", ".jp-OutputArea .widget-html-content")
        return Seen(base64.b64decode(picture), table.get_attribute("textContent"))

    def sounds(self, output: str) -> list[str]:
        """The addresses of what can be played in outputs of the class `output`."""
        return self.browser.execute_script(SOUNDS, output)

    def play(self, output: str, number: int) -> dict[str, Any]:
        """Play one's beginning: its `error`, "" for none, its `seconds`, and the `peak` of all of it."""
        audio = self.browser.find_elements("css selector", f".{output} audio")[number]
        self.browser.set_script_timeout(30)
        return self.browser.execute_async_script(PLAYED, audio)

    def choose(self, name: str, text: str, seconds: float = REDRAW_SECONDS) -> float:
        """Choose an option, wait until picture and table are others: milliseconds until the picture was.

        Raises NothingHappened if one of them stays as it was.
        """
        before, control = self.seen(), self.choosers()[name]
        self.browser.execute_script("arguments[0].scrollIntoView()", control)
        self.browser.execute_script(STOPWATCH, control, self.image())
        Select(control).select_by_visible_text(text)

        def changed() -> bool:
            now = self.seen()
            others = now.picture not in (b"", before.picture) and now.distances != before.distances
            return others and self.browser.execute_script("return window.shown !== null")

        self.until(f"the picture and the table follow '{name}'", changed, seconds)
        return self.browser.execute_script("return window.shown - window.chosen")

    def until(self, what: str, holds: Callable[[], bool], seconds: float = REDRAW_SECONDS) -> None:
        """Wait until something `holds`; raises NothingHappened, which says `what`, after so many seconds."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise NothingHappened(f"waited {seconds:g} s until {what}; the page: {self.state()}")
            time.sleep(0.2)

    def _ready(self) -> bool:
        state = self.state()
        if state["dialogs"]:  # which kernel, for example
            self.browser.find_element("css selector", ".jp-Dialog .jp-mod-accept").click()
        return bool(state["kernel"] == "idle" and state["prompts"] and not state["dialogs"])

    def _click(self, selector: str, text: str) -> None:
        def click() -> bool:
            for label in self.browser.find_elements("css selector", selector):
                if label.text == text:
                    label.click()
                    return True
            return False

        self.until(f"there is '{text}' to click", click, 20)
