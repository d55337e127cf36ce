"""A small project folder, and JupyterLab in it as `make lab` starts it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from helpers import PROJECT, succeed

from cyclegan_lib.config import DEVICE_A, DEVICE_B

TOKEN = "a-token-for-one-test"
# As a person starts it, except that it opens no browser of its own, takes a free port and may be root's.
OPTIONS = f"--no-browser --allow-root --port=0 --IdentityProvider.token={TOKEN}"
START_SECONDS = 120
# JupyterLab asks a newcomer whether to fetch news, in a notification that can lie over what is clicked.
NOTIFICATIONS = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that runs: its project folder and its address."""

    project: Path
    url: str

    def address(self, notebook: str) -> str:
        """Where a notebook opens; `reset` closes what an earlier page of this server had open."""
        return f"{self.url}lab/tree/notebooks/{notebook}?token={TOKEN}&reset"


def small_project(folder: Path) -> Path:
    """The project's notebooks without their outputs, and what notebook 04 reads, by the real commands."""
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    for path in (folder / "notebooks").glob("*.ipynb"):  # as if they had never run
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    data, checkpoints = folder / "data", folder / "checkpoints"
    wav = data / "recordings"
    succeed("simulate", "--output", wav, "--train-recordings", 24, "--test-recordings", 16)
    for device in (DEVICE_A, DEVICE_B):
        for part, name in (("train", f"{device}.npz"), ("test", f"{device}_test.npz")):
            labels = ("--labels", wav / "labels.csv")
            succeed("extract", wav / device / part, "--device", device, *labels, "--output", data / name)
    domains = ("--domain-a", data / f"{DEVICE_A}.npz", "--domain-b", data / f"{DEVICE_B}.npz")
    # so fast that the last checkpoint is far from the best, on any machine, and the explorer shows it
    short = ("--max-epochs", 2, "--restarts", 2, "--steps-per-epoch", 5, "--learning-rate", 0.2)
    succeed("train", *domains, "--checkpoint-dir", checkpoints, *short)
    succeed("export", "--checkpoint", checkpoints / "best.ckpt", "--output-dir", folder / "exported_models")
    return folder


@contextmanager
def running_lab(project: Path, settings: Path) -> Iterator[Lab]:
    """JupyterLab, started by `make lab` in a project folder whose environment is whole.

    `settings` is a new folder for what Jupyter keeps in a person's home: theirs is neither read nor written.
    """
    # without what a make that runs this test hands down, such as a VENV of its own
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    folders = {f"JUPYTER_{name.upper()}_DIR": name for name in ("config", "data", "runtime")}
    folders |= {f"JUPYTERLAB_{name.upper()}_DIR": name for name in ("settings", "workspaces")}
    folders |= {"IPYTHONDIR": "ipython"}
    environment = inherited | {name: str(settings / folder) for name, folder in folders.items()}
    folder = settings / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(NOTIFICATIONS), encoding="utf-8")
    # -o: the environment is the one that runs this test; make is not to install it again
    make = ["make", "--no-print-directory", "-C", str(project), "-o", ".venv/.installed", "lab"]
    log = settings / "jupyter.log"
    with log.open("w", encoding="utf-8") as output:
        into = {"stdout": output, "stderr": subprocess.STDOUT}
        command = [*make, f"LAB_OPTIONS={OPTIONS}"]
        process = subprocess.Popen(command, env=environment, start_new_session=True, **into)
    try:
        server = _server(process, settings / "runtime", log)
        try:
            yield Lab(project, server["url"])
        finally:
            os.kill(server["pid"], signal.SIGTERM)  # it ends its kernels, and make ends with it
            process.wait(60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _server(process: subprocess.Popen, runtime: Path, log: Path) -> dict[str, Any]:
    """What the server writes about itself as soon as it listens: `url` and `pid` among others."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with suppress(ValueError):  # being written
                return json.loads(path.read_text(encoding="utf-8"))
        time.sleep(0.2)
    raise AssertionError(f"`make lab` did not start; it said:\n{log.read_text(encoding='utf-8')[-3000:]}")
