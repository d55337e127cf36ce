"""Finding recordings: in a folder, by a list, and what they are called."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.files import existing_file
from cyclegan_lib.recordings.reading import RECORDINGS_REMEDY, SUFFIXES

MAX_NAMED = 300  # letters of a name in a sentence


class Found(list[Path]):
    """Recordings in the order of reading; `passed_over` counts the other files of the folder by suffix."""

    def __init__(self, paths: Iterable[Path] = (), passed_over: Counter[str] | None = None) -> None:
        super().__init__(paths)
        self.passed_over = passed_over or Counter()


def find_recordings(source: Path, recordings_list: Path | None = None) -> Found:
    """Return the sound files to read, in the order of their names (or of the list).

    `source` is one sound file, or a folder, searched with its subfolders (hidden files are left out).
    `recordings_list` is a text file with one recording on each line: its path from `source`, with or without
    suffix. Empty lines and lines that start with # are passed over. Raises InputError if something named does
    not exist, nothing is found, or two files have the same recording name.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(f"{source} does not exist; {RECORDINGS_REMEDY}")
    if recordings_list is not None:
        if not source.is_dir():
            raise InputError(
                f"{source} is not a folder; with a list, give the folder that holds its recordings"
            )
        found = Found(_listed(source, Path(recordings_list)))
    elif source.is_dir():
        walked = _walk(source)
        found = Found(sorted(path for path in walked if path.suffix.lower() in SUFFIXES))
        found.passed_over.update(
            path.suffix.lower() for path in walked if path.suffix.lower() not in SUFFIXES
        )
        if not found:
            raise InputError(f"{source} holds no {' or '.join(SUFFIXES)} file; {RECORDINGS_REMEDY}")
    else:
        found = Found([source])
    _refuse_duplicates(found, source)
    return found


def recording_name(path: Path, source: Path) -> str:
    """A recording's name: its path from the folder `source`, without suffix, with forward slashes.

    It goes into feature sets as text: control characters and bytes that are not UTF-8 are written as escapes.
    """
    path = Path(path).with_suffix("")
    return printable(path.relative_to(source).as_posix() if Path(source).is_dir() else path.name)


def _walk(folder: Path) -> list[Path]:
    """All files under `folder` of which no part is hidden (macOS leaves ._name.wav beside name.wav)."""
    files = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return [path for path in files if not any(p.startswith(".") for p in path.relative_to(folder).parts)]


def _listed(source: Path, recordings_list: Path) -> list[Path]:
    existing_file(recordings_list, "give a text file with one recording on each line")
    try:
        lines = recordings_list.read_text(encoding="utf-8-sig").split("\n")  # other line ends may be in names
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{recordings_list} is not a readable UTF-8 text file; give one name on each line"
        ) from error
    found = [
        _listed_file(source, line, f"{recordings_list}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.strip().startswith("#")
    ]
    if not found:
        raise InputError(f"{recordings_list} names no recording; give one name on each line")
    return found


def _listed_file(source: Path, line: str, where: str) -> Path:
    name = line.strip()
    try:
        # spaces around a name are no part of it, unless a recording is called so
        name = line if line != name and _called(source / line) else name
        inside = os.path.relpath(os.path.realpath(source / name), os.path.realpath(source))
        outside = inside.split(os.sep)[0] == ".."
        roundabout = Path(name).is_absolute() or ".." in Path(name).parts  # it has one name all the same
        found = [] if outside else _called(source / (inside if roundabout else name))
    except (OSError, ValueError) as error:  # too long, links in a circle, a zero in it
        raise InputError(f"{where}: '{name[:100]}' is no name of a file; correct the name") from error
    name = name[:MAX_NAMED]
    if outside:
        raise InputError(
            f"{where}: '{name}' lies outside {source}; give the folder that holds all recordings"
        )
    if not found:
        raise InputError(
            f"{where}: there is no recording '{name}' in {source}; correct the name or remove the line"
        )
    if len(found) > 1:
        raise InputError(
            f"{where}: '{name}' may be {found[0].name} or {found[1].name}; give it with its suffix"
        )
    return found[0]


def _called(path: Path) -> list[Path]:
    """The sound file at `path`, or those at `path` with a suffix."""
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return [path]
    # the suffix is joined, not replaced: a name may itself hold a full stop
    return sorted(
        other
        for other in path.parent.glob("*")
        if other.stem == path.name and other.suffix.lower() in SUFFIXES and other.is_file()
    )


def _refuse_duplicates(found: list[Path], source: Path) -> None:
    seen: dict[str, Path] = {}
    for path in found:
        name = recording_name(path, source)
        if name in seen:
            twice = (
                f"{path} is listed twice" if seen[name] == path else f"{seen[name]} and {path} have one name"
            )
            raise InputError(f"{twice}, '{name}', but a recording's name must be its own; keep one of them")
        seen[name] = path
