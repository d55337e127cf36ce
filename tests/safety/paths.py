"""Names that files may have on Linux, and what commands leave when they meet them."""

import os
from pathlib import Path

from cyclegan_lib.names import refused

MAX_BYTES = 255  # bytes in a name
NAMES = {
    "spaces and quotes": '  it\'s  "so" `  ',
    "unicode": "ünï 日本 😀 e\u0301",
    "patterns": "[0-9]*?{run_dir}{0}%s",
    "shell": "$HOME ;&|<>#!\\back",
    "home": "~",
    "dash": "-dash",
    "protocols": "http a::b file:x",
    "control characters": "new\nline\x1b[31m\ttab\r\u2028\u202eback",  # the last one turns the direction
    # no name on Windows, and not even a text there
    "not UTF-8": os.fsdecode(b"caf\xe9 \xff") if os.name != "nt" else "caf\udce9 \udcff",
    "longest": "x" * MAX_BYTES,
    "longest in bytes": "é" * (MAX_BYTES // 2),
}
# names that Windows has not, and names that every system has
ODD = ["CON", "aux.txt", "nul .npz", "com¹.tar.gz", "LPT9", "a:b", "a?", "a*b", "<a", "a>", "a|b", 'a"b']
ODD += ["a\\b", "a.", "a ", "...", "a\tb", "a\x00b", "a\udcff"]
USUAL = [
    ".lock",
    "cyclegan-epoch=50-val_cycle_A=0.1234.ckpt",
    "a, b",
    "console",
    "COM10",
    "aux2.txt",
    "nul-1",
]
USUAL += [" a", "-a", "~", "录音 é #1 (2)&;%s{0}[x]'`$", "lambda_cycle=3.0,seed=1"]


def named(name: str, suffix: str = "") -> str:
    """`name` with a suffix, cut to what a file system takes."""
    while len(os.fsencode(name + suffix)) > MAX_BYTES:
        name = name[:-1]
    return name + suffix


def written(name: str, suffix: str = "") -> str:
    """The same for what commands write: short, and plain where they refuse the name."""
    return f"{'plain' if refused(name) else name[:20]}{suffix}"


def listed(folder: Path) -> set[str]:
    """Everything in a folder and below it, by its path from there."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def contents(folder: Path) -> dict[str, bytes | str]:
    """The bytes of every file in a folder and below it; of links where they lead."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }
