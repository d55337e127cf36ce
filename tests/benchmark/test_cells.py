"""What a cell hangs on: versions, recordings, and all code that is imported on the way to its number."""

import shutil
from functools import partial
from types import ModuleType

import pytest

from cyclegan_lib.benchmark import cells, methods
from cyclegan_lib.benchmark.cells import Cell, cell_key, code_of, read_code
from cyclegan_lib.benchmark.cyclegan_rows import cyclegan
from cyclegan_lib.evaluation.baselines import Coral


def files(*parts):
    """What is hung on, relative to the package."""
    return {file.relative_to(cells.PACKAGE).as_posix() for file in code_of(parts)}


def test_the_cyclegans_cells_hang_on_training_and_the_baselines_do_not():
    both = {"config.py", "benchmark/pairs.py", "evaluation/distances.py", "features/log_mel.py"}
    both |= {"simulation/machine.py", "recordings/reading.py"}
    trained, baselines = files(*cells.SHARED, cyclegan), files(*cells.SHARED, methods.baseline, Coral)
    assert both <= trained & baselines
    assert trained >= {"training/start.py", "training/fit.py", "models/cyclegan.py", "checkpoint/reading.py"}
    assert "benchmark/reference.py" in files(methods.METHODS[methods.REFERENCE])  # behind its decorator
    rooms = {"benchmark", "checkpoint", "features", "locks.py", "models", "stopping.py", "training"}
    assert {file.split("/")[0] for file in trained - baselines} == rooms
    # what only collects methods, or shows numbers, changes none of them
    assert not {"benchmark/methods.py", "benchmark/report.py", "runs/run.py"} & trained


@pytest.fixture
def row(tmp_path, monkeypatch):
    """A module of a package of its own, whose function imports a module that imports another one."""
    sources = {
        "__init__.py": "",
        "room/__init__.py": "from house.room.door import door",
        "room/door.py": "import house.attic\n\ndef door():\n    return house.attic.BOX",
        "attic.py": "BOX = 1",
        "cellar.py": "BOX = 2",
        "row.py": '"""About."""\n\ndef row():\n    """Does."""\n    from house.room import door  # late\n',
    }
    for name, text in sources.items():
        (tmp_path / "house" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "house" / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(cells, "PACKAGE", tmp_path / "house")
    module = ModuleType("row")
    module.__file__ = str(tmp_path / "house" / "row.py")
    return module


@pytest.mark.parametrize(
    ("file", "old", "new", "same"),
    [
        ("row.py", "About.", "Other.", True),
        ("row.py", "Does.", "Other.", True),
        ("row.py", "  # late", "", True),
        ("row.py", "def row", "def a_row", False),
        ("attic.py", "1", "2", False),
        ("cellar.py", "2", "3", True),
    ],
)
def test_code_that_is_imported_counts_wherever_and_comments_do_not(file, old, new, same, row):
    before = code_of([row])
    path = cells.PACKAGE / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    read_code.cache_clear()
    assert (code_of([row]) == before) == same


def test_other_recordings_are_another_benchmark(tmp_path, data):
    folder = shutil.copytree(data, tmp_path / "data")
    before = {pair: cell_key(pair, "identity", folder) for pair in ("sensors", "microphones", "simulated")}
    assert before["sensors"] == cell_key("sensors", "identity", data)
    sound = folder / "cwru" / "fan_end" / "100.flac"
    sound.write_bytes((folder / "cwru" / "fan_end" / "101.flac").read_bytes())
    changed = {pair for pair in before if cell_key(pair, "identity", folder) != before[pair]}
    assert changed == {"sensors"}


def test_each_method_version_and_argument_is_another_key(tmp_path, monkeypatch):
    def key():
        return cell_key("simulated", "identity", tmp_path)

    keys = [cell_key("simulated", name, tmp_path) for name in methods.METHODS]
    assert len(set(keys)) == len(keys) and key() == keys[0]
    for kind in (Coral, partial(Coral, regularization=2)):
        monkeypatch.setitem(methods.METHODS, "identity", partial(methods.baseline, kind=kind))
        assert key() not in keys
        keys.append(key())
    monkeypatch.undo()
    monkeypatch.setattr(cells, "version", lambda name: "0.0")
    assert key() != keys[0]


def test_a_cell_is_read_back_under_its_own_key_and_place(tmp_path):
    tested = {"recording": ["x"], "slices": [50], "nmse": [0.5]}
    values, extras = {"nmse": 0.5, "c2st": None}, {"rotations": [{"best_epoch": 3}]}
    cell = Cell("sensors", 0, "real B", values, tested, extras, {"test_b": [13]}, 1.5)
    path = cell.save(tmp_path, "abc")

    def read(seed=0, key="abc"):
        return Cell.load(tmp_path, "sensors", seed, "real B", key)

    assert read() == cell
    assert read(key="abd") is read(seed=1) is None
    shutil.copytree(path.parent, path.parent.with_name("seed-1"))
    assert read(seed=1) is None
    path.write_text("{ damaged", encoding="utf-8")
    assert read() is None
