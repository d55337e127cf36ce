"""Names that files may have on Linux, and what commands say and leave when they meet them."""

import os
from pathlib import Path

from cyclegan_lib.cli import main

LONGEST = 255  # bytes in a name
NAMES = {
    "spaces and quotes": '  it\'s  "so" `  ',
    "unicode": "ünï 日本 😀 e\u0301",
    "patterns": "[0-9]*?{run_dir}{0}%s",
    "shell": "$HOME ;&|<>#!\\back",
    "home": "~",
    "dash": "-dash",
    "protocols": "http a::b file:x",
    "control characters": "new\nline\x1b[31m\ttab\r\u2028",
    "not UTF-8": os.fsdecode(b"caf\xe9 \xff"),
    "longest": "x" * LONGEST,
    "longest in bytes": "é" * (LONGEST // 2),
}


def named(name: str, suffix: str = "") -> str:
    """`name` with a suffix, cut to what a file system takes."""
    while len(os.fsencode(name + suffix)) > LONGEST:
        name = name[:-1]
    return name + suffix


def done(capfd, *arguments) -> str:
    """Run the command, see it succeed and print nothing that a terminal would obey; return what it prints."""
    assert main([str(part) for part in arguments]) == 0, capfd.readouterr().err
    out, error = capfd.readouterr()
    assert all(letter.isprintable() or letter in "\n\r" for letter in out), repr(out)
    assert "Traceback" not in error
    return out


def refusal(capfd, *arguments) -> str:
    """Run the command, see it refuse with exit code 2, and return its one sentence."""
    capfd.readouterr()
    assert main([str(part) for part in arguments]) == 2
    lines = [line for line in capfd.readouterr().err.split("\n") if line.startswith("cyclegan: ")]
    assert len(lines) == 1 and lines[0].isprintable(), lines
    return lines[0]


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
