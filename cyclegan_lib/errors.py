"""Exceptions that the command turns into a sentence instead of a traceback."""

import reprlib
import unicodedata
from collections.abc import Sequence
from typing import Any

# control characters and halves of surrogate pairs: a file's name or content must not write to the terminal
UNPRINTED = ("Cc", "Cs")
LINE_ENDS = "\u2028\u2029"
# what turns the direction of writing: a sentence would show another name than the file's
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class InputError(ValueError):
    """Input that cannot be used.

    Its message is one sentence for the person who gave the input: which file (or option), what is wrong
    with it, what would be right. The ``cyclegan`` command prints it and exits with code 2. Line ends and
    other control characters, which names and contents of files may hold, are written as escapes.
    """

    def __init__(self, sentence: str = "") -> None:
        super().__init__(printable(sentence))

    def _render_traceback_(self) -> list[str]:  # IPython's: the sentence, without the frames around it
        return [f"{type(self).__name__}: {self}"]


class NotebookError(RuntimeError):
    """A cell of a notebook failed; the message says which one, in which notebook, with what error."""


class Interrupted(RuntimeError):
    """A signal stopped work that can be continued; the message says how.

    The ``cyclegan`` command exits with `exit_code`, 128 and the signal's number; 130 is Ctrl-C.
    """

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def printable(text: str) -> str:
    """`text` in one line, control characters as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter.encode("unicode_escape").decode()
        if letter in LINE_ENDS + TURNS or unicodedata.category(letter) in UNPRINTED
        else letter
        for letter in text
    )


def shown(value: Any) -> str:
    """`value` for a sentence, in at most some 200 characters.

    Files may hold values whose `repr` is endless: lists that hold each other, integers of a million digits.
    """
    try:
        return _SHORT.repr(value)
    except Exception:  # whatever a `repr` may raise, as ValueError for an integer of too many digits
        return f"a value of the type {type(value).__name__}"


def some(items: Sequence[Any], most: int = 3) -> str:
    """The first few of `items`, in quotes, for a sentence, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(shown, items[:most])) + more


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first names as they are, for a sentence."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def count(number: int, noun: str) -> str:
    """`number` of them."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother, _SHORT.maxlong = 2, 100, 100, 40
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 4
