"""Files and folders, written so that a reader never meets half of one; and what keeps one from being read."""

import glob
import hashlib
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from cyclegan_lib.errors import InputError
from cyclegan_lib.names import check_written
from cyclegan_lib.system import SHELL_PIPES, exchanged, flush, patiently

NAME_BYTES = 255  # the longest name of a file on Linux and macOS
SUFFIX_BYTES = 16  # that of a format is no longer
PID_DIGITS = 10
PART = re.compile(r"\.(?P<stem>.*)\.(?P<process>\d+)\.part(?P<suffix>(\.[^.]+)?)", re.DOTALL)
OLD = ".old"  # behind that name, a folder whose place another was to take


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The temporary name keeps the suffix, because soundfile and numpy choose the format by it. Where `path` is
    a symbolic link, the link is replaced; the file behind it stays as it is. Raises InputError if the folder
    cannot be written, or the disk is full. What was at `path` before is kept then.
    """
    path = writable_file(path)
    part = temporary_name(path)
    try:
        yield part
        flush(part)  # a power cut after the renaming must not find an empty file
        patiently(os.replace, part, path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: str | Path, replaced: Iterable[str]) -> Iterator[Path]:
    """Give an empty folder beside `folder`, and put it in its place when the block ends without an error.

    Both change places in one step of the file system, so that a process that is killed leaves one of them,
    whole; where they cannot, see `exchange`, the next call puts the old one back. `replaced` are the names of
    files that are replaced, or removed where the new folder lacks them; others are taken over, as hard links.
    Raises InputError if the folder cannot be written or replaced, holds the current one, or the disk is full.
    The old one is kept then.
    """
    folder, replaced = Path(os.path.realpath(folder)), set(replaced)
    check_written(folder / max(replaced, key=len, default=""))
    writable_folder(folder.parent)
    beside = temporary_name(folder)
    left = PART.fullmatch(beside.name)
    own = glob.escape(left["stem"] + left["suffix"])
    _put_back(folder, own)
    if os.path.exists(folder):
        if Path.cwd().is_relative_to(folder):
            raise InputError(f"{folder} is replaced as a whole, and holds the current folder; leave it first")
        writable_folder(folder)  # a clear sentence, if it is a file or may not be written
    remove_leftovers(folder.parent, own)
    try:
        beside.mkdir()
        yield beside
        for path in (*beside.iterdir(), beside):
            flush(path)  # a power cut after the exchange must not find empty files
        if folder.exists():
            _take_over(folder, beside, replaced)
            exchange(beside, folder)
        else:
            patiently(os.rename, beside, folder)
    except OSError as error:
        raise not_written(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path` with this process's number; where it would be too long, its stem is cut."""
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= SUFFIX_BYTES else ""
    stem = path.stem
    # `exchange` may add OLD; a longer number must not cut more, or leftovers would not be known again
    while len(os.fsencode(f".{stem}.{'0' * PID_DIGITS}.part{suffix}{OLD}")) > NAME_BYTES:
        stem = stem[:-1]
    return path.with_name(f".{stem}.{os.getpid()}.part{suffix}")


def remove_leftovers(folder: str | Path, *patterns: str) -> None:
    """Remove the temporary files and folders that processes left in `folder` when they were killed.

    Only those of names like one of `patterns`, as in ``*.ckpt``: others may be someone's own.
    """
    for part in _left(Path(folder), patterns):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _left(folder: Path, patterns: Iterable[str], end: str = "") -> Iterator[Path]:
    """What processes that have ended left in `folder` under temporary names, with `end` behind them."""
    for part in folder.iterdir():
        found = part.name.endswith(end) and PART.fullmatch(part.name.removesuffix(end))
        name = found and found["stem"] + found["suffix"]
        if name and any(fnmatchcase(name, one) for one in patterns) and _is_over(int(found["process"])):
            yield part


def _put_back(folder: Path, pattern: str) -> None:
    """Where a process ended while `exchange` took more than a step, give the old folder its name again."""
    for old in _left(folder.parent, [pattern], OLD):
        if old.with_name(old.name.removesuffix(OLD)).exists():  # the new one did not reach its place
            os.rename(old, next_free(folder) if os.path.lexists(folder) else folder)
        else:
            shutil.rmtree(old, ignore_errors=True)


def _is_over(process: int) -> bool:
    """Whether the process that left something under its number has ended."""
    import psutil

    try:
        # this one's number was another's when that was left
        return process == os.getpid() or not psutil.pid_exists(process)
    except OverflowError:  # no process's number at all
        return False


def exchange(a: Path, b: Path) -> None:
    """Let two folders change their names, in one step where the system can (Linux, macOS).

    Elsewhere in two: a process that is killed between them leaves `b` under the name of `a` with `OLD`.
    """
    if exchanged(a, b):
        return
    aside = a.with_name(f"{a.name}{OLD}")
    patiently(os.rename, b, aside)
    try:
        patiently(os.rename, a, b)
    except OSError:
        os.rename(aside, b)
        raise
    os.rename(aside, a)


def next_free(path: Path) -> Path:
    """The first of PATH-1, PATH-2, ... that is not taken: where what is in the way is set aside."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(1))
    return next(free for free in numbered if not free.exists())


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def not_written(path: str | Path, error: Exception) -> InputError:
    """The error that says that writing `path` failed, why, and how much room there is."""
    path = Path(path)
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    free = shutil.disk_usage(path.parent).free / 1e6
    kept = "; the one that was there before is kept" if os.path.isfile(path) else ""
    return InputError(
        f"{path} cannot be written ({reason}; {free:,.1f} MB are free in {path.parent}){kept};"
        " make room there, or choose another folder"
    )


def not_an_input(output: str | Path, *inputs: str | Path | None, remedy: str = "give another output") -> None:
    """Raise InputError if writing `output` would overwrite one of `inputs`, under whatever name.

    A symbolic or hard link to an input counts as the input: only the link would be lost, but whoever gives
    one file twice has most likely made a mistake.
    """
    for path in inputs:
        # os.path, whose answer to a name that is too long is no error
        if path is not None and os.path.exists(output) and os.path.exists(path):
            if os.path.samefile(output, path):
                raise InputError(f"{output} is an input and would be overwritten; {remedy}")


def writable_folder(folder: str | Path) -> Path:
    """Create `folder` if needed and prove, by writing a file there, that it can be written.

    Commands that work for minutes call this first, so that they do not find out at the end. Raises InputError
    if it is a file, cannot be created or written, or has a name that Windows lacks (`check_written`).
    """
    folder = Path(folder)
    check_written(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"the output folder {folder} cannot be written ({reason}); choose a folder that you may write to"
        ) from error
    return folder


def is_utf8(path: str | Path) -> bool:
    """Whether a path can be written as text: names on Linux may hold any bytes."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def name_for_c(path: str | Path) -> str | bytes:
    """`path` for a library that encodes names itself, and so needs bytes where they are no text."""
    return str(path) if is_utf8(path) else os.fsencode(path)


def writable_file(path: str | Path, *inputs: str | Path | None) -> Path:
    """Return `path` as a Path, in a folder that is created if needed.

    Raises InputError if no file can be written there: it is a folder, its name is too long or none on Windows
    (`check_written`), its folder is not writable, or it is one of `inputs` (see `not_an_input`).
    """
    path = Path(path)
    not_an_input(path, *inputs)
    check_written(path)
    writable_folder(path.parent)
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give the name of a file to write")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); give another name") from error
    return path


def writable_npz(path: str | Path, *inputs: str | Path | None) -> Path:
    """As `writable_file`, and raise InputError if `path` does not end in .npz."""
    if Path(path).suffix.lower() != ".npz":
        raise InputError(f"{Path(path)} must end in .npz, the format that feature sets are written in")
    return writable_file(path, *inputs)


def existing_file(path: str | Path, remedy: str = "give the path of an existing file") -> Path:
    """Return `path` as a Path; raise InputError with `remedy` if there is no such file.

    What never ends or may never begin (a device, a named pipe) is refused, but for a pipe of the shell's
    ``<(command)``.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a file; {remedy}")
        if not path.exists():
            raise InputError(f"{path} does not exist; {remedy}")
        if not path.is_file() and path.parent != SHELL_PIPES:
            raise InputError(f"{path} is a device or a pipe, not a file; {remedy}")
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise InputError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
    return path


def _take_over(old: Path, new: Path, replaced: set[str]) -> None:
    for path in old.iterdir():
        if path.name in replaced:
            continue
        if (new / path.name).exists():
            raise InputError(f"{path} would be overwritten; move it, or choose another folder")
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, new / path.name, symlinks=True, copy_function=_link)
        else:
            _link(path, new / path.name)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target, follow_symlinks=False)
