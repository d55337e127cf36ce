"""`make test-browser` where Chromium is, and where it cannot be had."""

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import PROJECT

TOOLS = ("bash", "cut", "env", "grep", "make", "sh")


def put(folder: Path, name: str, script: str) -> None:
    """A program of our own."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path) -> Path:
    """A PATH with nothing that could be a browser or install one."""
    folder = tmp_path / "path"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def make_test_browser(path: Path) -> subprocess.CompletedProcess:
    """`make test-browser` with that PATH, and with a pytest that says so and fails."""
    environment = path.parent / "environment"
    put(environment, "python", 'echo "ran $*"; exit 1')
    settings = [f"BIN={environment}", "-o", ".venv/.installed"]
    command = [shutil.which("make"), *settings, "test-browser"]
    return subprocess.run(
        command, cwd=PROJECT, env={"PATH": str(path)}, capture_output=True, encoding="utf-8"
    )


def test_with_chromium_the_tests_run_and_their_failure_is_make_s(path):
    for name in ("chromium", "chromedriver"):
        put(path, name, "exit 0")
    done = make_test_browser(path)
    assert done.stdout.splitlines()[0] == "ran -m pytest tests/browser"
    assert done.returncode != 0 and "NOT run" not in done.stdout


WITHOUT = {
    "no apt-get": ("0", None, "no apt-get"),
    "not root": ("1000", "exit 0", "only root"),
    "apt-get fails": ("0", "exit 100", "could not install"),
    "apt-get brings nothing": ("0", "exit 0", "could not install"),
}


@pytest.mark.parametrize(("user", "apt_get", "why"), WITHOUT.values(), ids=WITHOUT.keys())
def test_without_chromium_it_says_so_in_one_line_and_does_not_fail(path, user, apt_get, why):
    put(path, "id", f"echo {user}")
    if apt_get:
        put(path, "apt-get", apt_get)
    done = make_test_browser(path)
    (line,) = done.stdout.splitlines()
    assert "The browser test was NOT run" in line and why in line
    assert done.returncode == 0


def test_root_installs_debian_s_packages(path):
    log = path.parent / "asked"
    installed = "".join(
        f"; echo > {path}/{name}; /bin/chmod +x {path}/{name}" for name in ("chromium", "chromedriver")
    )
    put(path, "id", "echo 0")
    put(path, "apt-get", f'echo "$*" >> {log}; case "$*" in *install*) true{installed};; esac')
    done = make_test_browser(path)
    assert "ran -m pytest tests/browser" in done.stdout
    assert (
        log.read_text(encoding="utf-8")
        .splitlines()[-1]
        .endswith("--no-install-recommends chromium chromium-driver")
    )
