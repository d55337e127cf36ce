"""Finding recordings: in a folder, by a list, and what they are called."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cyclegan_lib.errors import InputError, listed, printable
from cyclegan_lib.files import existing_file
from cyclegan_lib.recordings.formats import FORMATS, RECORDINGS_REMEDY
from cyclegan_lib.recordings.sound_file import SUFFIXES as SOUND
from cyclegan_lib.recordings.table import TextColumns, is_table

MAX_NAMED = 300  # letters of a name in a sentence
NOTES, UNKNOWN = 3, 4  # ranks of files whose names say little of what they are
LOOKED_INTO = 20  # of such files: many would take minutes
WILD = set("*?[")
Folders = dict[Path, dict[str, list[Path]]]  # recordings by their names without suffix


class Found(list[Path]):
    """Recordings in the order of reading.

    `passed_over` counts the other files of the folder: by suffix, or as "hidden" or "without suffix";
    `folder` is what names are counted from.
    """

    def __init__(self, paths: Iterable[Path] = (), folder: Path = Path()) -> None:
        super().__init__(paths)
        self.passed_over: Counter[str] = Counter()
        self.folder = folder


def find_recordings(source: Path, recordings_list: Path | None = None, table: Path | None = None) -> Found:
    """Return the recordings to read, in the order of their names (or of the list).

    `source` is one recording, a folder, searched with its subfolders, linked ones too, or a pattern of
    recordings with * ? or [, where ** is any folders. Hidden files of a folder are left out; so are tables
    and arrays beside sound files, tables beside arrays, and .txt beside .csv: they are labels and notes.
    `table` is the file of the labels, no recording in any case. `recordings_list` is a
    text file with one recording on each line: its path from `source`, with or without suffix. Empty lines and
    lines that start with # are passed over. Raises InputError if something named does not exist, nothing is
    found, or two files have the same recording name.
    """
    source = Path(source)
    if not source.exists() and (wild := [bool(WILD & set(part)) for part in source.parts]) and any(wild):
        source, pattern = Path(*source.parts[: wild.index(True)]), Path(*source.parts[wild.index(True) :])
        found = Found(sorted(path for path in source.glob(str(pattern)) if path.is_file()))
        if not found:
            raise InputError(f"{source / pattern} matches no file; {RECORDINGS_REMEDY}")
    elif not source.exists():
        raise InputError(f"{source} does not exist; {RECORDINGS_REMEDY}")
    elif recordings_list is not None:
        if not source.is_dir():
            raise InputError(
                f"{source} is not a folder; with a list, give the folder that holds its recordings"
            )
        found = Found(_listed(source, Path(recordings_list)))
    elif source.is_dir():
        found = _in_folder(source, table)
    else:
        found = Found([source])
    found.folder = source
    _refuse_duplicates(found, source)
    return found


def recording_name(path: Path, source: Path) -> str:
    """A recording's name: its path from the folder `source`, without suffix, with forward slashes.

    It goes into feature sets as text: control characters and bytes that are not UTF-8 are written as escapes.
    """
    path = Path(path)
    if not _is_number(path.suffix):
        path = path.with_suffix("")
    return printable(path.relative_to(source).as_posix() if Path(source).is_dir() else path.name)


def _in_folder(source: Path, table: Path | None) -> Found:
    files, hidden = _walk(source)
    if table is not None:
        alike = [path for path in files if path.name == Path(table).name]
        files = [path for path in files if path not in alike or not _same(path, table)]
    by_rank: dict[int, list[Path]] = {}
    for path in files:
        by_rank.setdefault(_rank(path.suffix.lower()), []).append(path)
    found = Found()
    for rank in sorted(by_rank):
        found = Found(sorted(by_rank[rank]) if rank < NOTES else _tables(sorted(by_rank[rank])))
        if found:
            break
    chosen = set(found)
    found.passed_over.update(path.suffix.lower() or "without suffix" for path in files if path not in chosen)
    if hidden:
        found.passed_over["hidden"] = hidden
    if not found:
        has = listed([f"{count} {kind}" for kind, count in found.passed_over.most_common()])
        raise InputError(f"{source} holds no recordings, but {has or 'nothing'}; {RECORDINGS_REMEDY}")
    return found


def _same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def _rank(suffix: str) -> int:
    """Of files side by side, those of the lowest rank are the recordings."""
    if suffix not in FORMATS:
        return UNKNOWN
    if suffix in SOUND:
        return 0
    if FORMATS[suffix] is not TextColumns:
        return 1
    return 2 if suffix in (".csv", ".tsv") else NOTES


def _tables(paths: list[Path]) -> list[Path]:
    """Those that hold columns of numbers, as far as the first ones say."""
    likely = [path for path in paths if path.suffix.lower() in FORMATS or _is_number(path.suffix)]
    tables = [path for path in likely[:LOOKED_INTO] if is_table(path)]
    return tables + likely[LOOKED_INTO:] if tables else []


def _is_number(suffix: str) -> bool:
    """Whether it is no suffix, but the end of a name: of a date, or a measured speed."""
    return suffix[1:].isdigit() or not suffix


def _walk(folder: Path) -> tuple[list[Path], int]:
    """All files under `folder` that are not hidden, and how many hidden ones and folders were passed over.

    macOS leaves ._name.wav beside name.wav. A folder that links lead to again is looked into once.
    """
    files, hidden, seen = [], 0, set()
    folders, links = [folder], []
    while folders or links:
        here = folders.pop() if folders else links.pop(0)
        try:
            known = os.stat(here)
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(f"{here} cannot be read ({error.strerror}); {RECORDINGS_REMEDY}") from error
        if (known.st_dev, known.st_ino) in seen:
            continue
        seen.add((known.st_dev, known.st_ino))
        for entry in entries:
            if entry.name.startswith("."):
                hidden += 1
            elif os.path.isdir(entry) if entry.is_symlink() else entry.is_dir():
                (links if entry.is_symlink() else folders).append(here / entry.name)
            elif entry.is_symlink() or entry.is_file():  # a broken link is an error when it is read
                files.append(here / entry.name)
    return files, hidden


def _listed(source: Path, recordings_list: Path) -> list[Path]:
    existing_file(recordings_list, "give a text file with one recording on each line")
    try:
        lines = recordings_list.read_text(encoding="utf-8-sig").split("\n")  # other line ends may be in names
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{recordings_list} is not a readable UTF-8 text file; give one name on each line"
        ) from error
    folders: Folders = {}
    found = [
        _listed_file(source, line, f"{recordings_list}, line {number}", folders)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.strip().startswith("#")
    ]
    if not found:
        raise InputError(f"{recordings_list} names no recording; give one name on each line")
    return found


def _listed_file(source: Path, line: str, where: str, folders: Folders) -> Path:
    name = line.strip()
    try:
        # spaces around a name are no part of it, unless a recording is called so
        name = line if line != name and _called(source / line, folders) else name
        inside, outside = name, False
        if Path(name).anchor or ".." in Path(name).parts:  # it has one name all the same
            inside, folder = Path(os.path.realpath(source / name)), os.path.realpath(source)
            outside = not inside.is_relative_to(folder)
            inside = inside if outside else inside.relative_to(folder)
        found = [] if outside else _called(source / inside, folders)
    except (OSError, ValueError) as error:  # too long, links in a circle, a zero in it
        raise InputError(f"{where}: '{name[:100]}' is no name of a file; correct the name") from error
    if not found and "\\" in line:  # as a list says it that was written on Windows
        return _listed_file(source, line.replace("\\", "/"), where, folders)
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


def _called(path: Path, folders: Folders) -> list[Path]:
    """The file at `path`, or the recordings at `path` with a suffix; each folder is read once."""
    if path.suffix.lower() in FORMATS and path.is_file():
        return [path]
    if path.parent not in folders:
        known = folders[path.parent] = {}
        for name in sorted(os.listdir(path.parent)) if path.parent.is_dir() else ():
            stem, suffix = os.path.splitext(name)  # a name may itself hold a full stop
            if suffix.lower() in FORMATS:
                known.setdefault(stem, []).append(path.parent / name)
    found = [other for other in folders[path.parent].get(path.name, ()) if other.is_file()]
    ranks = [_rank(other.suffix.lower()) for other in found]
    return [other for other, rank in zip(found, ranks, strict=True) if rank == min(ranks)] or (
        [path] if path.is_file() else []
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
