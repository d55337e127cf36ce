"""What systems do each in its own way; the one module that knows on which of them it runs."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

SHELL_PIPES = Path("/dev/fd")
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # Linux, renameat2(2)
RENAME_SWAP = 2  # macOS, renamex_np(2)
POLL_S = 0.2
HELD_S = 2.0  # for longer no scanner looks into a new file
LOOPBACK = {"linux": "lo", "darwin": "lo0"}.get(sys.platform)  # the network within this machine
MOST_PROCESSES = 61 if os.name == "nt" else sys.maxsize  # that Windows waits for at once
# what a terminal sends to every process in it: Ctrl-C; on Windows Ctrl-Break, or that its window is closed,
# which is there what SIGTERM is elsewhere
CONSOLE_SIGNALS = (signal.SIGINT, *([signal.SIGBREAK] if hasattr(signal, "SIGBREAK") else []))


def flush(path: Path) -> None:
    """Have the disk write what a file holds, or which names a folder has."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folder
        return
    # nor does it flush what was opened to be read
    opened = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def patiently(move: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    """Move `source`; on Windows as soon as nobody holds it open.

    There nothing can be moved that is open elsewhere, and scanners open what is new, for a moment.
    """
    patience = time.monotonic() + (HELD_S if os.name == "nt" else 0)
    while True:
        try:
            return move(source, target)
        except PermissionError:
            if time.monotonic() >= patience:
                raise
        time.sleep(POLL_S)


def exchanged(a: Path, b: Path) -> bool:
    """Let two folders change their names in one step; False where system, C library or disk cannot."""
    # Windows has no such call (and no `CDLL(None)`)
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform in ("linux", "darwin") else None
    if hasattr(libc, "renameat2"):
        return not libc.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE)
    if hasattr(libc, "renamex_np"):
        return not libc.renamex_np(os.fsencode(a), os.fsencode(b), RENAME_SWAP)
    return False


def processors() -> int:
    """Processors that this process may use; containers often get fewer than the machine has."""
    # macOS and Windows do not say it
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def deaf() -> Iterator[None]:
    """What is started in the block hears neither Ctrl-C nor SIGTERM; on Windows it does."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # imported here: the start of every command would wait for it
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its start lets signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def command_line(words: Iterable[str]) -> str:
    """What a person types to give a program these words."""
    # Windows' terminals know no single quotes
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
