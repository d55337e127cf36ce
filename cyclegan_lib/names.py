"""Names of what is written: such that what was made here can be copied to Windows and macOS."""

import os
import re
import unicodedata
from itertools import takewhile
from pathlib import Path

from cyclegan_lib.errors import InputError, printable

# a device's, whatever is behind its first full stop
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)
LETTERS = '<>:"/\\|?*'
# what Windows opens without being told otherwise, less the number and ending of a temporary name
MAX_PATH = 259 - 21


def refused(name: str) -> str:
    """Why no file or folder is to be called `name`; nothing where every system takes it."""
    if printable(name) != name:
        return "control characters, and bytes that are not UTF-8, are in no name on Windows"
    if any(letter in LETTERS for letter in name):
        return f"a name on Windows has none of {' '.join(LETTERS)}"
    if name != name.rstrip(". "):
        return "a name on Windows does not end in a full stop or a space"
    return f"{name} is the name of a device on Windows" if RESERVED.fullmatch(name) else ""


def folded(name: str) -> str:
    """The same for names that are one on Windows or macOS."""
    return unicodedata.normalize("NFC", name).casefold()


def check_written(path: str | Path) -> None:
    """Raise InputError if what is to be written at `path` could not be copied to Windows or macOS.

    Folders that are there may be called anything; the path must not be too long with them.
    """
    whole = Path(path).absolute()  # not os.path.abspath, which mends names on Windows
    new = list(takewhile(lambda part: not os.path.isdir(part), (whole, *whole.parents)))
    reasons = [refused(part.name) for part in new if part.name != ".."]
    length = len(str(whole).encode("utf-16-le", "surrogatepass")) // 2
    if length > MAX_PATH:
        reasons.append(f"its whole path has {length} characters, and Windows takes {MAX_PATH}")
    try:
        beside = os.listdir(new[-1].parent) if new else []
    except OSError:  # who writes there says it
        beside = []
    if new and new[-1].name not in beside:
        twins = [name for name in beside if folded(name) == folded(new[-1].name)]
        reasons += [f"{name} is there, which is the same name on Windows and macOS" for name in twins]
    if reasons := list(filter(None, reasons)):
        raise InputError(f"{path} cannot be written, because {reasons[0]}; choose another name")
