"""docs/architecture.md lists the rooms of the library from below, and its examples run."""

import ast
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import PROJECT, QUICK, make_set

from cyclegan_lib.benchmark import methods
from cyclegan_lib.benchmark.baseline_rows import baseline
from cyclegan_lib.benchmark.device_pair import DevicePair
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.models import cyclegan, losses
from cyclegan_lib.recordings import reading
from cyclegan_lib.training import start, train

LIBRARY = PROJECT / "cyclegan_lib"
ENTRANCES = {"__init__", "__main__"}
# the guide loads checkpoints through CycleGANModule, and they have one door
EXCEPTIONS = {("models/cyclegan.py", "checkpoint")}
TEXT = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = re.findall(r"^\d+\. `(\w+)`(?: -.*)?$", TEXT, re.MULTILINE)


def imported(source: str) -> set[str]:
    """The rooms that a module imports from, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("cyclegan_lib.")}


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def test_the_document_lists_every_room():
    assert sorted(ROOMS) == sorted({room_of(path) for path in LIBRARY.rglob("*.py")} - ENTRANCES)


def test_no_import_points_back_up():
    floor = {room: number for number, room in enumerate(ROOMS)}
    upwards = {
        (path.relative_to(LIBRARY).as_posix(), room)
        for path in LIBRARY.rglob("*.py")
        if room_of(path) not in ENTRANCES
        for room in imported(path.read_text(encoding="utf-8")) & floor.keys()
        if floor[room] > floor[room_of(path)]
    }
    assert upwards == EXCEPTIONS


def test_one_module_knows_its_system():
    named = r"os\.name|sys\.platform|platform\.system|hasattr\((os|signal)\b|/proc/|/dev/"
    modules = r"\b(fcntl|msvcrt|pwd|resource|ctypes)\b"
    for path in LIBRARY.rglob("*.py"):
        found = re.findall(f".*({named}|{modules}).*", path.read_text(encoding="utf-8"))
        assert not found or path == LIBRARY / "system.py", (path, found)


@pytest.fixture(scope="module")
def examples() -> dict[str, type | Callable]:
    """What the document's code blocks define."""
    defined: dict = {}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        exec(block, defined)
    return defined


def test_a_new_baseline_is_one_line_more(examples, monkeypatch, tmp_path):
    shift = examples["MeanShift"]
    monkeypatch.setitem(methods.METHODS, shift.name, partial(baseline, kind=shift))
    a, b = make_set("cpc006", shift=10), make_set("BATCH_UPLOAD")
    features = methods.METHODS[shift.name](DevicePair(a, b, a, b, b, a), 0, tmp_path).features
    assert np.allclose(features.mean(axis=(0, 1)), b.features.mean(axis=(0, 1)), atol=1e-3)


def test_a_new_loss_is_one_line_more(examples, monkeypatch, domains, tmp_path):
    class Settings(TrainingSettings):
        lambda_level: float = 0.0

    monkeypatch.setattr(start, "start_map", lambda *given: (np.eye(40), np.zeros(40)))  # takes longest
    monkeypatch.setattr(cyclegan, "TrainingSettings", Settings)
    monkeypatch.setitem(losses.LOSSES, "level", examples["level"])
    levels = []
    for weight in (0.0, 100.0):
        settings = Settings(**{**QUICK.model_dump(), "lambda_level": weight})
        run = train(*domains, tmp_path / str(weight), settings, progress=False)
        levels.append(run.history[-1]["train_level"])
    assert levels[1] < levels[0]


def test_a_new_format_is_one_line_more(examples, monkeypatch, tmp_path):
    monkeypatch.setitem(reading.FORMATS, ".txt", examples["TextFile"])
    sound = np.linspace(-1, 1, 16000, dtype=np.float32)
    path = tmp_path / "a.txt"
    path.write_text("\n".join(["16000", *map(repr, sound.tolist())]), encoding="utf-8")
    assert np.array_equal(reading.read_recording(path, 16000), sound)
    path.write_text("16000\nnoise", encoding="utf-8")
    with pytest.raises(InputError, match="is damaged"):
        reading.read_recording(path, 16000)
