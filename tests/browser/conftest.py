"""JupyterLab in a small project folder, and a headless Chromium."""

import shutil
from collections.abc import Iterator

import pytest
from browser.server import Lab, running_lab, small_project
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

# root in a container has no sandbox
FLAGS = "--headless=new --no-sandbox --window-size=1400,2000 --disable-gpu --disable-dev-shm-usage".split()
# it is to talk to JupyterLab and to nobody else
FLAGS += "--disable-quic --disable-background-networking --disable-component-update".split()
FLAGS += "--disable-sync --no-first-run".split()


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Lab]:
    """A running JupyterLab."""
    project = small_project(tmp_path_factory.mktemp("projects") / "a project")
    with running_lab(project, tmp_path_factory.mktemp("jupyter")) as lab:
        yield lab


@pytest.fixture
def browser() -> Iterator[Chrome]:
    """A new Chromium with a new profile."""
    options = ChromeOptions()
    options.binary_location, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert options.binary_location and driver, "there is no Chromium with its driver; see .ci/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    # with the driver's path Selenium does not look for one, and does not download any
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()
