"""Files and folders are replaced whole, or not at all, and a lock is its owner's, on every system."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from helpers import PROJECT

from cyclegan_lib import files, system
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import remove_leftovers, replacing, replacing_folder
from cyclegan_lib.locks import locked


def started(code: str, *arguments: Path) -> subprocess.Popen:
    """Another Python that does this; it says a line when it is there."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def written(folder: Path, text: str) -> None:
    with replacing_folder(folder, ["a.txt", "b.txt"]) as new:
        (new / "a.txt").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["a.txt", "with space/录音 ①.npz", "ünï/\u00e4.tar.gz"])
def test_a_file_is_replaced_whole_or_kept(name, tmp_path):
    path = tmp_path / name
    for text in ("old", "new"):
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text
    with pytest.raises(ZeroDivisionError), replacing(path) as part:
        part.write_text("half", encoding="utf-8")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "new" and names(path.parent) == [path.name]


@pytest.mark.parametrize("steps", ["as it can", "in several"])
def test_a_folder_is_replaced_and_what_is_not_of_it_is_kept(steps, tmp_path, monkeypatch):
    if steps == "in several":
        monkeypatch.setattr(system.ctypes, "CDLL", lambda *given, **options: None)
    folder = tmp_path / "模型 1.0"
    written(folder, "old")
    (folder / "b.txt").write_text("old", encoding="utf-8")
    (folder / "mine" / "deep").mkdir(parents=True)
    (folder / "mine" / "deep" / "c.txt").write_text("keep", encoding="utf-8")
    written(folder, "new")
    assert names(folder) == ["a.txt", "mine"] and names(tmp_path) == [folder.name]
    assert (folder / "a.txt").read_text(encoding="utf-8") == "new"
    assert (folder / "mine" / "deep" / "c.txt").read_text(encoding="utf-8") == "keep"


KILLED = """
    import ctypes, os, sys
    from pathlib import Path
    from cyclegan_lib import files

    ctypes.CDLL = lambda *given, **options: None
    folder, left, rename = Path(sys.argv[1]), int(sys.argv[2]), os.rename

    def counted(*given):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        rename(*given)

    os.rename = counted
    with files.replacing_folder(folder, ["a.txt"]) as new:
        (new / "a.txt").write_text("new")
"""


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_process_that_ends_while_folders_change_places_leaves_one_that_is_put_back(renamed, tmp_path):
    """In several steps. Where they do it in one, tests/export/test_folder.py kills at any moment."""
    folder = tmp_path / "model"
    written(folder, "old")
    (folder / "mine.txt").write_text("keep", encoding="utf-8")
    with started(KILLED, folder, renamed) as process:
        assert process.wait(60) == 9
    assert folder.exists() == (renamed != 1) and len(names(tmp_path)) == 2
    with pytest.raises(ZeroDivisionError), replacing_folder(folder, ["a.txt"]):
        raise ZeroDivisionError  # nothing but what the start of the next one does
    assert names(tmp_path) == ["model"] and names(folder) == ["a.txt", "mine.txt"]
    assert (folder / "a.txt").read_text(encoding="utf-8") == ("new" if renamed == 2 else "old")


def test_an_old_folder_is_not_lost_where_its_name_was_taken_meanwhile(tmp_path):
    gone = 2**22 - 1
    for name in (f".model.{gone}.part", f".model.{gone}.part.old", "model"):
        (tmp_path / name).mkdir()
    (tmp_path / f".model.{gone}.part.old" / "mine.txt").write_text("keep", encoding="utf-8")
    written(tmp_path / "model", "new")
    assert names(tmp_path) == ["model", "model-1"] and names(tmp_path / "model-1") == ["mine.txt"]


def test_the_old_folder_has_its_name_again_where_the_new_one_cannot_take_it(tmp_path, monkeypatch):
    written(tmp_path / "model", "old")
    monkeypatch.setattr(system.ctypes, "CDLL", lambda *given, **options: None)
    rename = os.rename

    def refusing(source, target):
        if Path(target).name == "model" and not Path(source).name.endswith(".old"):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refusing)
    monkeypatch.setattr(system, "HELD_S", 0)
    with pytest.raises(InputError, match="model cannot be written"):
        written(tmp_path / "model", "new")
    assert names(tmp_path) == ["model"]
    assert (tmp_path / "model" / "a.txt").read_text(encoding="utf-8") == "old"


HOLDING = """
    import sys, time
    from pathlib import Path
    from cyclegan_lib.files import temporary_name
    from cyclegan_lib.locks import locked

    folder = Path(sys.argv[1])
    with locked(folder):
        temporary_name(folder / "best.ckpt").write_text("half")
        print("there", flush=True)
        time.sleep(600)
"""


def test_a_lock_is_its_owners_until_it_ends_however_it_ends(tmp_path):
    folder = tmp_path / "录音 run"
    with started(HOLDING, folder) as process:
        assert process.stdout.readline() == "there\n"
        left = files.PART.fullmatch(next(path.name for path in folder.glob(".best*")))
        owner = int(left["process"])  # not `process`'s: it may have been started through another
        begun = time.monotonic()
        with pytest.raises(InputError, match=rf"process \(pid {owner}\) is working in .*, or go home"):
            with locked(folder, 0.3, remedy="go home"):
                pass
        assert 0.3 <= time.monotonic() - begun < 5
        with locked(folder, name=".another"):
            pass
        remove_leftovers(folder, "*.ckpt")
        assert list(folder.glob(".best*"))  # the owner lives
        psutil.Process(owner).kill()
        with locked(folder, 10):
            process.wait(10)
            remove_leftovers(folder, "*.ckpt")
            assert not list(folder.glob(".best*"))
    with locked(folder), pytest.raises(InputError, match=rf"process \(pid {os.getpid()}\) is working"):
        with locked(folder):
            pass


def test_what_is_no_folder_of_ours_cannot_be_locked_and_a_lock_s_words_are_no_obstacle(tmp_path):
    (tmp_path / ".lock").write_text("something longer than what a lock says, of old", encoding="utf-8")
    with locked(tmp_path):
        pass
    (tmp_path / "folder" / ".lock").mkdir(parents=True)
    with pytest.raises(InputError, match=r"\.lock cannot be written"), locked(tmp_path / "folder"):
        pass
