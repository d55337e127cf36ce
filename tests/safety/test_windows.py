"""The main path, where Windows' ways with files and processes are emulated (`safety/windows.py`)."""

import os
import subprocess
import sys

import pytest
from helpers import QUICK_OPTIONS, write_notebook
from safety.windows import environment
from sounds import record

from cyclegan_lib.system import command_line

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="emulated with Linux's /proc")

SIMULATED = """
import errno
import os
import tempfile

import pytest

def raises(number):
    return pytest.raises(OSError, check=lambda error: error.errno == number)

with raises(errno.EACCES):
    os.kill(os.getppid(), 0)
with raises(errno.EACCES):
    os.open(".", os.O_RDONLY)
with pytest.raises(ImportError):
    import fcntl
os.mkdir("folder")
with open("folder/a", "w", encoding="utf-8") as a, open("b", "w", encoding="utf-8") as b:
    for refused in (os.unlink, os.remove):
        with raises(errno.EACCES):
            refused("b")
    with raises(errno.EACCES):
        os.replace("b", "c")
    with raises(errno.EACCES):
        os.rename("folder", "other")
    os.fsync(a.fileno())
with raises(errno.EEXIST):
    os.rename("folder/a", "b")
with open("b", encoding="utf-8") as b, raises(errno.EBADF):
    os.fsync(b.fileno())
os.replace("folder/a", "b")
with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile(dir=folder) as file:
    file.write(b"x")
"""
PATH = """
import sys
from contextlib import redirect_stdout
from io import StringIO

from cyclegan_lib.benchmark import pairs
from cyclegan_lib.cli import app, main
from cyclegan_lib.config import SimulationSettings
from cyclegan_lib.training import start

if __name__ == "__main__":
    import numpy as np

    pairs.SIMULATED = SimulationSettings(train_recordings=12, test_recordings=8)

    start.start_map = lambda *given: (np.eye(40), np.zeros(40))  # takes longest, then these
    start._nearest = lambda *given: start.MATCHED
    start.Trust.of = lambda *given: (start.Trust(), dict.fromkeys(("ab", "ba"), (0.0, 0.0, 0.0)))
    a, b, checkpoints, model, *quick = sys.argv[1:]
    train = ["train", "--domain-a", "a b.npz", "--domain-b", "录音.npz", "--checkpoint-dir", checkpoints]
    train += quick
    translate = ["translate", "--model", model, "--direction", "AB", "--input", a, "--output", "ab.npz"]
    classify = ["classify", "--model", model, "--input", "a b.npz", "--output", "faults.csv"]
    commands = [
        ["simulate", "--output", "simulated", "--train-recordings", "8", "--test-recordings", "8"],
        ["extract", a, "--device", "a", "--output", "a b.npz", "--workers", "2"],
        ["extract", b, "--device", "b", "--output", "录音.npz", "--label-from-folder", "1"],
        ["check", "a b.npz", "录音.npz"],
        ["split", "录音.npz", "--output-dir", "parts"],
        train,
        train,  # sets the first aside
        [*train, "--max-epochs", "2", "--resume", "auto"],
        *[["export", "--checkpoint", f"{checkpoints}/best.ckpt", "--output-dir", model]] * 2,
        ["inspect", f"{checkpoints}/best.ckpt"],
        ["doctor"],
        *[translate] * 2,
        ["listen", "--model", model, "--input", f"{a}/fault 0/0.wav", "--output", "录音.wav"],
        [*classify, "--train", "录音.npz", "--save", "classifier.npz"],
        [*classify, "--load", "classifier.npz"],
        ["evaluate", "--source", "a b.npz", "--translated", "ab.npz", "--target", "录音.npz"],
        *[["benchmark", "--pairs", "simulated", "--methods", "identity", "--seeds", "0"]] * 2,
        ["run", "--name", "one"],
        ["run", "--name", "one"],
        ["run", "--name", "one", "--resume"],
        *[["sweep", "grid.yml", "--workers", "2"]] * 2,
        ["compare", "one", "one-earlier-1"],
    ]
    known = {command.callback.__name__ for command in app.registered_commands}
    assert {command[0] for command in commands} == known
    for command in commands:
        with redirect_stdout(StringIO()) as said:
            assert main(command) == 0, command
        assert said.getvalue().splitlines()[-1].startswith("next: cyclegan "), command
"""
LOOK = """
from cyclegan_lib.workspace import Workspace
import sys

work = Workspace.open(globals())
assert sys.modules["fcntl"] is None
(work.run / "looked.txt").write_text("once", encoding="utf-8")
"""


def emulated(script: str, folder, *arguments: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "script.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "script.py", *map(str, arguments)]
    ended = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, encoding="utf-8", errors="replace"
    )
    assert ended.returncode == 0 and "Traceback" not in ended.stderr, ended.stdout + ended.stderr


def test_the_emulation_refuses_what_windows_refuses(tmp_path):
    emulated(SIMULATED, tmp_path)


@pytest.mark.slow
def test_the_main_path_works_as_on_windows(tmp_path):
    project = tmp_path / "a project 项目"
    for device in "ab":
        record(*(project / device / f"fault {number % 2}" / f"{number}.wav" for number in range(8)))
    parameters = 'run_dir: str = ""\ndata_dir: str = ""\nseed: int = 0'
    write_notebook(project / "notebooks" / "01_data_normalization.ipynb", parameters, LOOK)
    (project / "grid.yml").write_text("grid: {seed: [0, 1]}", encoding="utf-8")
    left = project / "checkpoints" / f".best.{2**22 - 1}.part.ckpt"
    left.parent.mkdir()
    left.write_text("of a process that is no more", encoding="utf-8")
    emulated(PATH, project, "a", "b", "checkpoints", "exported models", *QUICK_OPTIONS)
    names = {path.name for path in project.iterdir()}
    assert {"a b.npz", "录音.npz", "ab.npz", "exported models", "runs"} <= names
    assert not any(".part" in name or name.endswith(".old") for name in names)
    assert not left.exists()
    assert (project / "runs" / "one-earlier-1" / "looked.txt").exists()
    assert (project / "checkpoints" / "earlier-1" / "best.ckpt").exists()


def test_commands_are_quoted_for_the_terminal(monkeypatch):
    words = ["cyclegan", "run", "--name", "my run"]
    assert command_line(words) == "cyclegan run --name 'my run'"
    monkeypatch.setattr(os, "name", "nt")
    assert command_line(words) == 'cyclegan run --name "my run"'
