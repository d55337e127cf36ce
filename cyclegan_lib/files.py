"""Writing files so that a reader never meets half of one, and naming what keeps a file from being read."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from cyclegan_lib.errors import InputError

SHELL_PIPES = Path("/dev/fd")
NAME_BYTES = 255  # the longest name of a file on Linux and macOS
SUFFIX_BYTES = 16  # that of a format is no longer
PART = re.compile(r"\.(?P<stem>.*)\.(?P<process>\d+)\.part(?P<suffix>(\.[^.]+)?)", re.DOTALL)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The temporary name keeps the suffix, because soundfile and numpy choose the format by it. Where `path` is
    a symbolic link, the link is replaced; the file behind it stays as it is.

    Raises
    ------
    InputError
        If the folder cannot be written, or the disk is full. What was at `path` before is kept then.
    """
    path = writable_file(path)
    part = temporary_name(path)
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())  # a power cut after the renaming must not find an empty file
        os.replace(part, path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path` with this process's number; where it would be too long, its stem is cut."""
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= SUFFIX_BYTES else ""
    stem, end = path.stem, f".{os.getpid()}.part{suffix}"
    while len(os.fsencode(f".{stem}{end}")) > NAME_BYTES:
        stem = stem[:-1]
    return path.with_name(f".{stem}{end}")


def remove_leftovers(folder: str | Path, *patterns: str) -> None:
    """Remove the temporary files of `replacing` that processes left in `folder` when they were killed.

    Only those of files whose names are like one of `patterns`, as in ``*.ckpt``: others may be someone's own.
    """
    for part in Path(folder).iterdir():
        found = PART.fullmatch(part.name)
        name = found and found["stem"] + found["suffix"]
        if name and any(fnmatchcase(name, pattern) for pattern in patterns):
            if is_over(int(found["process"])):
                part.unlink(missing_ok=True)


def is_over(process: int) -> bool:
    """Whether the process that left something under its number has ended.

    Our own number counts as well: it was another process's when that was left.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # someone else's, or no process's number at all
        return False
    return process == os.getpid()


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

    Commands that work for minutes call this first, so that they do not find out at the end.

    Raises
    ------
    InputError
        If it is a file, or cannot be created or written.
    """
    folder = Path(folder)
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


def writable_file(path: str | Path, *inputs: str | Path | None) -> Path:
    """Return `path` as a Path, in a folder that is created if needed.

    Raises
    ------
    InputError
        If no file can be written there: it is a folder, its name is too long, its folder is not writable, or
        it is one of `inputs` (see `not_an_input`).
    """
    path = Path(path)
    not_an_input(path, *inputs)
    writable_folder(path.parent)
    try:
        folder = path.is_dir()
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); give another name") from error
    if folder:
        raise InputError(f"{path} is a folder; give the name of a file to write")
    return path


def writable_npz(path: str | Path, *inputs: str | Path | None) -> Path:
    """As `writable_file`, and raise InputError if `path` does not end in .npz."""
    if Path(path).suffix != ".npz":
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
