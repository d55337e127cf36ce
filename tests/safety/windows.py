"""What Windows does otherwise with files and processes, for a Linux process: `install` makes it so.

Calls of Python alone are made so, of this process and of those that it starts with `environment`; what
others have open is not known.
"""

import errno
import os
import shutil
import sys
import tempfile
import types
from collections.abc import Callable
from functools import wraps
from pathlib import Path

HIDDEN = ("fcntl", "grp", "pwd", "resource")
ASKS = "psutil"  # may ask whether a process lives: it does so otherwise on Windows
TESTS = Path(__file__).resolve().parents[1]


def environment(folder: Path) -> dict[str, str]:
    """Variables under which a Python process, and its children, are so; `folder` gets what they import."""
    start = "from safety.windows import install\n\ninstall()\n"
    (folder / "sitecustomize.py").write_text(start, encoding="utf-8")
    paths = [str(folder), str(TESTS), str(TESTS.parent)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "USER": "me"}


def install() -> None:
    """Let this process be refused what Windows would refuse."""
    import fcntl

    # which take what is hidden on Linux, and do the same otherwise on Windows
    import filelock  # noqa: F401
    import psutil  # noqa: F401

    from cyclegan_lib import system

    def read_only(number: int) -> bool:
        return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY

    sys.modules.update(dict.fromkeys(HIDDEN))
    # the one module that asks which system this is; pathlib and others would not work if they were told so
    system.os, system.sys = _As(os, name="nt"), _As(sys, platform="win32")
    # neither opens a folder on Windows
    shutil._use_fd_functions, tempfile.TemporaryFile = False, tempfile.NamedTemporaryFile
    _refuse("kill", lambda process, number: number == 0 and not _caller().startswith(ASKS))
    _refuse("fsync", lambda file: read_only(file if isinstance(file, int) else file.fileno()), errno.EBADF)
    _refuse("open", lambda path, *_: os.path.isdir(path))
    _refuse("rename", lambda old, new: os.path.lexists(new), errno.EEXIST)
    _refuse("rename", lambda old, new: _is_open(old))
    _refuse("replace", lambda old, new: os.path.isdir(new) or _is_open(old) or _is_open(new))
    for name in ("unlink", "remove"):
        _refuse(name, _is_open)
    _refuse("symlink", lambda *_: True)
    del os.sched_getaffinity


class _As:
    """A module with other values for some names."""

    def __init__(self, module: types.ModuleType, **others: object) -> None:
        self.module = module
        self.__dict__.update(others)

    def __getattr__(self, name: str) -> object:
        return getattr(self.module, name)


def _refuse(name: str, when: Callable[..., bool], number: int = errno.EACCES) -> None:
    """Let the function of that name in `os` raise the error of that number in these cases."""
    function = getattr(os, name)

    @wraps(function)
    def refusing(*given: object, **options: object) -> object:
        if when(*given):
            raise OSError(number, f"{os.strerror(number)}, as on Windows", str(given[0]))
        return function(*given, **options)

    setattr(os, name, refusing)


def _caller() -> str:
    return sys._getframe(3).f_globals["__name__"]


def _is_open(path: str | bytes | os.PathLike) -> bool:
    """Whether this process has a file open, or keeps it in its memory, or one in the folder."""
    place = os.path.realpath(os.fspath(path))
    held = set()
    for entry in os.scandir("/proc/self/fd"):
        try:
            held.add(os.readlink(entry.path))
        except OSError:  # that of the list itself
            continue
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        held.update(line.split(maxsplit=5)[5].rstrip("\n") for line in maps if "/" in line)
    return any(name == place or name.startswith(f"{place}/") for name in held)
