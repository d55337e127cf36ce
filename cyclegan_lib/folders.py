"""Writing a whole folder so that whoever looks finds the old one or the new one, never a mixture."""

import ctypes
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import NAME_BYTES, is_over, not_written, writable_folder

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # Linux, renameat2(2)
RENAME_SWAP = 2  # macOS, renamex_np(2)
HIDDEN_BYTES = 24  # what is added to a name: two full stops, a process's number, .part and .old


@contextmanager
def replacing_folder(folder: str | Path, ours: Iterable[str]) -> Iterator[Path]:
    """Give an empty folder beside `folder`, and put it in its place when the block ends without an error.

    Both change places in one step of the file system, so that a process that is killed leaves one of them,
    whole. Files under other names than `ours` are not lost: they are taken over, as hard links.

    Parameters
    ----------
    folder : path
    ours : names
        Files that are replaced, or removed where the new folder lacks them.

    Raises
    ------
    InputError
        If the folder cannot be written or replaced, holds the current one, or the disk is full. The old one
        is kept then.
    """
    folder = Path(os.path.realpath(folder))
    writable_folder(folder.parent)
    if os.path.exists(folder):
        if Path.cwd().is_relative_to(folder):
            raise InputError(f"{folder} is replaced as a whole, and holds the current folder; leave it first")
        writable_folder(folder)  # a clear sentence, if it is a file or may not be written
    _remove_leftovers(folder)
    beside = folder.with_name(f".{_cut(folder.name)}.{os.getpid()}.part")
    try:
        beside.mkdir()
        yield beside
        for path in (*beside.iterdir(), beside):
            _flush(path)  # a power cut after the exchange must not find empty files
        if folder.exists():
            _take_over(folder, beside, set(ours))
            exchange(beside, folder)
        else:
            beside.rename(folder)
    except OSError as error:
        raise not_written(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def exchange(a: Path, b: Path) -> None:
    """Let two folders change their names, in one step where the system can (Linux, macOS).

    Elsewhere in two: a process that is killed between them leaves `b` under the name of `a` with `.old`.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform in ("linux", "darwin") else None
    if hasattr(libc, "renameat2"):
        failed = libc.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE)
    elif hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(os.fsencode(a), os.fsencode(b), RENAME_SWAP)
    else:
        failed = True
    if failed:  # a file system, a system or a C library that cannot
        aside = a.with_name(f"{a.name}.old")
        b.rename(aside)
        a.rename(b)
        aside.rename(a)


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _take_over(old: Path, new: Path, ours: set[str]) -> None:
    for path in old.iterdir():
        if path.name in ours:
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


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed left beside `folder`; those that still run keep theirs."""
    for path in folder.parent.iterdir():
        name, _, process = path.name.removesuffix(".part").rpartition(".")
        ours = path.name.endswith(".part") and name == f".{_cut(folder.name)}"
        if ours and process.isdecimal() and is_over(int(process)):
            shutil.rmtree(path, ignore_errors=True)


def _cut(name: str) -> str:
    """As much of a folder's name as leaves room for what is added to it."""
    while len(os.fsencode(name)) > NAME_BYTES - HIDDEN_BYTES:
        name = name[:-1]
    return name
