"""A project of tiny notebooks with the names of the real ones, which take a second each."""

import contextlib
import io
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cyclegan_lib.cli import main

FOLDERS = """\
run_dir: str = ""  # folder for checkpoints, exports and figures; empty: the project's own
data_dir: str = ""  # folder of recordings and feature sets; empty: data/ of the project
seed: int = 0  # the same seed gives the same numbers
"""
OWN = """\
domain_a: str = ""  # file: training feature set of device A; empty: the simulated one
domain_b: str = ""  # file: training feature set of device B; empty: the simulated one
"""
OPEN = "from cyclegan_lib.workspace import Workspace\n\nwork = Workspace.open(globals())"
SIMULATE = """\
import os

if seed == 14:
    from cyclegan_lib.errors import InputError

    raise InputError("fourteen is refused")
work.data.mkdir(parents=True, exist_ok=True)
with (work.data / "calls.txt").open("a", encoding="utf-8") as file:
    file.write(f"{os.getpid()}\\n")
for device in ("cpc006", "BATCH_UPLOAD"):
    for part in ("", "test"):
        work.features(device, part).write_text(f"{device} {part} {seed} {train_recordings}")
print("simulated")"""
TRAIN = """\
import time

work.checkpoints.mkdir(parents=True, exist_ok=True)
with (work.run / "trained.txt").open("a", encoding="utf-8") as file:
    file.write(f"resume={resume}\\n")
(work.checkpoints / "cyclegan-last.ckpt").write_text("half")
if not resume:
    time.sleep(pause)
if lambda_cycle == 13:
    raise ValueError("thirteen\\nis an unlucky number")"""
MEASURE = """\
import json
from pathlib import Path

record = json.loads((work.run / "run.json").read_text(encoding="utf-8"))
values = record["parameters"]["02_training"]
nmse = round(0.2 + abs(values["lambda_cycle"] - 3) / 10 + seed / 100, 4)
interval = {"nmse": [nmse - 0.004, nmse + 0.004]}
rows = [
    {"name": "mean shift", "nmse": 0.6, "c2st": 0.6, "accuracy_forest": None, "baseline": True},
    {"name": "Gaussian OT", "nmse": 0.5 + seed / 100, "c2st": 0.7, "accuracy_forest": None, "baseline": True},
    {"name": "CycleGAN", "nmse": nmse, "c2st": 0.55, "accuracy_forest": None, "interval": interval},
]
content = {"headline": f"NMSE {nmse}.", "gap_closed": 0.8, "rows": rows, "epoch": seed}
content |= {"said": ["The mean shift is used."], "recordings_compared": 20}
(work.run / "metrics.json").write_text(json.dumps(content), encoding="utf-8")"""


ADVISE = "print('Record <more>.', 'Listen.', sep=chr(10))"


def write_notebook(path: Path, parameters: str, *cells: str) -> None:
    title = f"# {path.stem[:2]} · A tiny notebook\n\nNext: [02](02_training.ipynb)."
    declared = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    sections = [new_markdown_cell("## What was found"), *map(new_code_cell, cells)]
    notebook = new_notebook(cells=[new_markdown_cell(title), declared, new_code_cell(OPEN), *sections])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    if ADVISE in cells:
        notebook.cells[-1].metadata["tags"] = ["to-act-on"]
    nbformat.write(notebook, path)


def write_project(folder: Path) -> Path:
    """Tiny notebooks 01, 02 and 04 in `folder`/notebooks."""
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True)
    recordings = "train_recordings: int = 240  # simulated training recordings for each device\n"
    recordings += 'recordings_a: str = ""  # path: a folder\nrecordings_b: str = ""  # path: another\n'
    recordings += 'device_a: str = "cpc006"  # its name\n'
    training = """\
max_epochs: int = 40  # epochs
lambda_cycle: float = 3.0  # weight of the cycle-consistency loss
pause: float = 0.0  # seconds
resume: str = ""  # file: checkpoint to go on from; empty: train from the start
generator_strength: float = 0.5  # a part
normalization: str = "shared"  # or per-domain
quick: bool = False  # nothing
"""
    tests = 'test_a: str = ""  # file: test feature set\ntest_b: str = ""  # file: test feature set\n'
    write_notebook(notebooks / "01_data_normalization.ipynb", FOLDERS + recordings + OWN, SIMULATE)
    write_notebook(notebooks / "02_training.ipynb", FOLDERS + OWN + training, TRAIN)
    write_notebook(notebooks / "04_domain_shift.ipynb", FOLDERS + OWN + tests, MEASURE, ADVISE)
    return folder


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """The project's folder, which is the current one."""
    folder = write_project(tmp_path / "a project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple[Path, str]:
    """The folder of a run that is done, where another one of its name lay before, and what it printed.

    The project's folder has braces in its name, which are no template.
    """
    project = write_project(tmp_path_factory.mktemp("finished") / "a {project}")
    folder = project / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "kept.txt").write_text("mine", encoding="utf-8")
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(project)
        assert main(["run", "--name", "one", "-p", "max_epochs", "3"]) == 0
    return folder, printed.getvalue()


@pytest.fixture
def done_run(finished, tmp_path, monkeypatch) -> Path:
    """The folder of a copy of that run, in a project of its own, which is the current folder."""
    original = finished[0].parents[1]
    project = shutil.copytree(original, tmp_path / "copied")
    record = project / "runs" / "one" / "run.json"
    record.write_text(
        record.read_text(encoding="utf-8").replace(str(original), str(project)), encoding="utf-8"
    )
    monkeypatch.chdir(project)
    return record.parent
