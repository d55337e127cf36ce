"""Writing files so that a reader never meets half of one, and naming what keeps a file from being read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyclegan_lib.errors import InputError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The temporary name keeps the suffix, because soundfile and numpy choose the format by it.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    path = Path(path)
    writable_folder(path.parent)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file to write")
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


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
    """Return `path` as a Path; raise InputError with `remedy` if there is no such file."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file; {remedy}")
    if not path.exists():
        raise InputError(f"{path} does not exist; {remedy}")
    return path
