"""One process at a time in a folder; the system frees it when its owner ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import writable_folder

LOCK = ".lock"
LONGEST = 40  # characters of what it says, "pid" and a number
POLL_S = 0.2


@contextmanager
def locked(folder: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold `folder`, created if needed, for this process while the block runs.

    Raises
    ------
    InputError
        If another process holds it for longer than `wait_s` seconds, or it cannot be written.
    """
    writable_folder(folder)
    patience = time.monotonic() + wait_s
    with (folder / LOCK).open("a+", encoding="utf-8", errors="replace") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > patience:
                    file.seek(0)
                    owner = file.read(LONGEST).strip()
                    raise InputError(
                        f"another process ({owner}) is working in {folder};"
                        " wait until it has ended, or give another --name"
                    ) from error
                time.sleep(POLL_S)
        file.truncate(0)
        file.write(f"pid {os.getpid()}")
        file.flush()
        yield
