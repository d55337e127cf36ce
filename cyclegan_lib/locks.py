"""Folders in which one process works at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import not_written, writable_folder
from cyclegan_lib.system import POLL_S

LOCK = ".lock"
MAX_OWNER = 40  # bytes of what a lock says, "pid" and a number
OWNER_AT = 1  # the lock is on the byte before, which on Windows nobody else can read


@contextmanager
def locked(
    folder: Path, wait_s: float = 0.0, name: str = LOCK, remedy: str = "give another --name"
) -> Iterator[None]:
    """Hold `folder`, created if needed, for this process while the block runs.

    Locks of other names are others. The system frees it when its owner ends, however it ends. Raises
    InputError, which ends with `remedy`, if another process holds it for longer than `wait_s` seconds, or it
    cannot be written.
    """
    from filelock import FileLock, Timeout

    writable_folder(folder)
    path = folder / name
    try:
        # not a soft one, where the file system knows no locks: it would outlive an owner that is killed
        held = FileLock(path, wait_s, poll_interval=POLL_S, fallback_to_soft=False).acquire()
    except Timeout:
        owner = b"unknown"
        with suppress(OSError), path.open("rb", buffering=0) as file:
            file.seek(OWNER_AT)
            owner = file.read(MAX_OWNER)
        said = owner.decode(errors="replace").strip()
        raise InputError(
            f"another process ({said}) is working in {folder}; wait until it has ended, or {remedy}"
        ) from None
    except OSError as error:  # somebody else's
        raise not_written(path, error) from error
    with held:
        with suppress(OSError), path.open("rb+", buffering=0) as file:  # on a full disk it holds all the same
            file.seek(OWNER_AT)
            file.write(f"pid {os.getpid()}".encode())
            file.truncate()
        yield


def set_aside(folder: Path, aside: Path) -> None:
    """Rename a folder in which no other process works; raises InputError as `locked` does."""
    with locked(folder), suppress(PermissionError):
        folder.rename(aside)
        return
    try:  # on Windows nobody renames a folder in which a file is open, the lock here, or one that follows it
        folder.rename(aside)
    except OSError as error:
        raise not_written(aside, error) from error
