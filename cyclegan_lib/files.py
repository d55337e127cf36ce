"""Writing files so that a reader never meets half of one, and naming what keeps a file from being read."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyclegan_lib.errors import InputError

SHELL_PIPES = Path("/dev/fd")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The temporary name keeps the suffix, because soundfile and numpy choose the format by it.

    Raises
    ------
    InputError
        If the folder cannot be written, or the disk is full. What was at `path` before is kept then.
    """
    path = Path(path)
    writable_folder(path.parent)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file to write")
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())  # a power cut after the renaming must not find an empty file
        os.replace(part, path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def remove_leftovers(folder: str | Path) -> None:
    """Remove the temporary files of `replacing` that processes left in `folder` when they were killed."""
    for part in Path(folder).glob(".*.part*"):
        owner = part.name.rsplit(".part", 1)[0].rpartition(".")[2]
        # our own number too: it was another process's when the file was left
        if owner.isdigit() and (int(owner) == os.getpid() or not _lives(int(owner))):
            part.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # someone else's, or no process's number at all
        return True
    return True


def not_written(path: str | Path, error: Exception) -> InputError:
    """The error that says that writing `path` failed, why, and how much room there is."""
    path = Path(path)
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    free = shutil.disk_usage(path.parent).free / 1e6
    kept = "; the one that was there before is kept" if path.exists() else ""
    return InputError(
        f"{path} cannot be written ({reason}; {free:,.1f} MB are free in {path.parent}){kept};"
        " make room there, or choose another folder"
    )


def not_an_input(output: str | Path, *inputs: str | Path | None) -> None:
    """Raise InputError if writing `output` would overwrite one of `inputs`, under whatever name."""
    for path in inputs:
        if path is not None and Path(output).exists() and Path(path).exists():
            if os.path.samefile(output, path):
                raise InputError(f"{output} is an input and would be overwritten; give another output")


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


def writable_npz(path: str | Path) -> Path:
    """Return `path` as a Path; raise InputError if it does not end in .npz, or its folder is not writable."""
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(f"{path} must end in .npz, the format that feature sets are written in")
    writable_folder(path.parent)
    return path


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
