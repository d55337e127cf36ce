"""docs/architecture.md lists the rooms of the library from below; an import never points back up."""

import ast
import re
from pathlib import Path

from helpers import PROJECT

LIBRARY = PROJECT / "cyclegan_lib"
ENTRANCES = {"__init__", "__main__"}
# the guide loads checkpoints through CycleGANModule, and they have one door
EXCEPTIONS = {("models/cyclegan.py", "checkpoint")}


def rooms() -> list[str]:
    """The rooms as the document lists them."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return re.findall(r"^\d+\. `(\w+)`", text, re.MULTILINE)


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
    there = {room_of(path) for path in LIBRARY.rglob("*.py")} - ENTRANCES
    assert set(rooms()) == there
    assert len(rooms()) == len(there)


def test_no_import_points_back_up():
    floor = {room: number for number, room in enumerate(rooms())}
    upwards = {
        (path.relative_to(LIBRARY).as_posix(), room)
        for path in LIBRARY.rglob("*.py")
        if room_of(path) not in ENTRANCES
        for room in imported(path.read_text(encoding="utf-8")) & floor.keys()
        if floor[room] > floor[room_of(path)]
    }
    assert upwards == EXCEPTIONS
