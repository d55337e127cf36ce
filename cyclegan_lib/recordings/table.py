"""Samples in columns of text: CSV and what data loggers, oscilloscopes and other programs write."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.recordings.recording import Recording

SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".asc")
SNIFFED_BYTES, SNIFFED_LINES = 1 << 16, 256  # looked at to recognise separator and columns
MAX_ABOVE = 100  # lines above the samples
MIN_STEPS, ROUNDED = 8, 0.05  # of time stamps that are told by their values: how many, how far from a line
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
GAPS = {"", "nan", "na", "n/a", "null", "inf", "-inf", "+inf", "-nan"}  # missing samples, refused when read
NUMBER = {
    mark: re.compile(rf"[+-]?(\d+(\{mark}\d*)?|\{mark}\d+)(e[+-]?\d+)?", re.IGNORECASE) for mark in ".,"
}
# names of columns that count or date the samples
TIME = re.compile(
    r"(time|times|time ?stamps?|t|zeit|时间|date|date ?time|index|n|#|(sample|scan) ?(no|number|index)\.?)"
    r"([ _]?(s|sec|seconds?|ms|us|µs|ns))?\s*([\[(/].*)?",
    re.IGNORECASE,
)
BLANKS = r"\s+"
TIME_STAMPS, TEXT, NOTHING = "time stamps", "text", "nothing"


class Layout(NamedTuple):
    """How the columns of a file are written."""

    separator: str
    decimal: str
    first: int  # the line, from 0, of the first samples
    rows: list[list[str]]  # the first of them
    above: list[str]  # the line above them, which may name the columns


class TextColumns(Recording):
    """A column for each channel, a line for each moment; values are taken as they are.

    Separator, decimal comma, names in the line above, and lines above that are recognised. Columns of time
    stamps, numbers of lines and text are no signal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        lines, self.encoding = _beginning(path)
        self.layout = _layout(path, lines)
        rows, decimal = self.layout.rows, self.layout.decimal
        columns = list(zip(*rows, strict=True))
        self.channels = len(columns)
        names = self.layout.above if len(self.layout.above) == len(columns) else [""] * len(columns)
        kinds = [_no_signal(name, column, decimal) for name, column in zip(names, columns, strict=True)]
        self.no_signal = {index: why for index, why in enumerate(kinds) if why}
        if kinds[-1] == NOTHING:  # a separator at the end of each line
            self.channels -= 1
            del self.no_signal[self.channels]
        self.names = tuple(names[: self.channels]) if any(names) else ()

    def blocks(self, frames: int, column: int | None) -> Iterator[np.ndarray]:
        """The signals from their beginning, (frames or fewer, channels) at a time."""
        import pandas

        wanted = [n for n in range(self.channels) if n not in self.no_signal] if column is None else [column]
        separator, decimal, first, *_ = self.layout
        try:
            with pandas.read_csv(
                self.path,
                sep=separator,
                decimal=decimal,
                header=None,
                skiprows=first,
                usecols=wanted,
                dtype=np.float64,
                chunksize=frames,
                encoding=self.encoding,
                skipinitialspace=True,
            ) as parts:
                for part in parts:
                    yield part.to_numpy()
        except (ValueError, pandas.errors.ParserError) as error:
            reason = str(error).splitlines()[0][:200]
            raise InputError(
                f"{self.path} is no table of numbers to its end ({reason}); export it again, or cut off what"
                " follows its samples"
            ) from error


def is_table(path: Path) -> bool:
    """Whether a file whose name does not say what it is begins with columns of numbers."""
    try:
        TextColumns(path)
    except (InputError, ValueError, OSError):
        return False
    return True


def _beginning(path: Path) -> tuple[list[str], str]:
    """The first whole lines, and the encoding; raises ValueError for what is no text."""
    with open(path, "rb") as file:
        content = file.read(SNIFFED_BYTES)
        whole = not file.read(1)
    encoding = "utf-16" if content[:2] in UTF_16 else "utf-8-sig"
    if not whole and encoding == "utf-8-sig":
        content = content[: max(content.rfind(b"\n"), content.rfind(b"\r")) + 1]
    try:
        text = content.decode(encoding, "strict" if encoding == "utf-8-sig" else "ignore")
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "latin-1"  # units such as m/s², of any old program
    if "\0" in text:
        raise ValueError("no text")
    lines = re.split(r"\r\n|\n|\r", text)
    return lines[: SNIFFED_LINES + MAX_ABOVE if whole else -1][: SNIFFED_LINES + MAX_ABOVE], encoding


def _layout(path: Path, lines: Sequence[str]) -> Layout:
    """The layout under which the most lines are numbers in the same number of columns."""
    found = [
        layout
        for separator in ("\t", ";", ",", BLANKS)
        for decimal in ".,"
        if (layout := _as(lines, separator, decimal)) is not None
    ]
    if not found:
        raise InputError(
            f"{path} holds no columns of numbers; give recordings as a table with a column for each channel"
        )

    def fit(layout: Layout) -> tuple[float, int, int]:
        kinds = [_no_signal("", column, layout.decimal) for column in zip(*layout.rows, strict=True)]
        numbers = sum(kind not in (TEXT, NOTHING) for kind in kinds)
        width = len(kinds) - (kinds[-1] == NOTHING)
        return numbers / width, -layout.first, width

    best = max(found, key=fit)  # the first of those that fit as well
    return _one_column(path, best)


def _as(lines: Sequence[str], separator: str, decimal: str) -> Layout | None:
    """The layout with this separator and decimal mark; None if no line has numbers then."""
    split = [_split(line, separator) for line in lines]
    numbers = [[_is_number(value, decimal) for value in values] for values in split]
    for first, (values, numeric) in enumerate(zip(split[:MAX_ABOVE], numbers, strict=False)):
        # a line of gaps alone says nothing; one of text and numbers may be a header (as "Channel 1, 2")
        if not any(numeric) or all(value.casefold() in GAPS for value in values):
            continue
        below = [
            (row, kinds)
            for row, kinds in zip(split[first:], numbers[first:], strict=True)
            if any(value for value in row)
        ][:SNIFFED_LINES]
        width = len(values)
        same = all(len(row) == width for row, _ in below)
        steady = (
            all(any(kinds[n] for _, kinds in below) <= numeric[n] for n in range(width)) if same else False
        )
        apart = separator != "," or not any(";" in value for row, _ in below for value in row)
        if same and apart and steady and any(all(kinds[n] for _, kinds in below) for n in range(width)):
            return Layout(separator, decimal, first, [row for row, _ in below], _names(split[:first]))
    return None


def _names(above: Sequence[list[str]]) -> list[str]:
    """The names of the columns in the last line above them; if that holds their units, in the last two."""
    while above and not any(above[-1]):
        above = above[:-1]
    lines = [row for row in above[-2:] if above and len(row) == len(above[-1])]
    return [" ".join(filter(None, parts)) for parts in zip(*lines, strict=True)]


def _split(line: str, separator: str) -> list[str]:
    if separator == BLANKS:
        return line.split()
    (values,) = csv.reader([line], delimiter=separator, skipinitialspace=True) if line else ([],)
    return [value.strip() for value in values]


def _is_number(value: str, decimal: str) -> bool:
    return value.casefold() in GAPS or NUMBER[decimal].fullmatch(value) is not None


def _one_column(path: Path, layout: Layout) -> Layout:
    """Tell one column with decimal commas from two of whole numbers; raises InputError if nothing does."""
    rows = layout.rows
    lines = [",".join(row) for row in rows]
    if layout.separator == "," and len(rows[0]) % 2 == 0 and len(rows[0]) > 2 and not layout.above:
        pairs = [pair for row in rows for pair in zip(row[::2], row[1::2], strict=True)]
        whole = all(NUMBER[","].fullmatch(",".join(pair)) for pair in pairs)
        if whole and any(a == "-0" or (len(b) > 1 and b[0] == "0") for a, b in pairs):
            raise InputError(
                f"{path} parts both its columns and its decimals by commas ({shown(lines[0])}); write it with"
                " decimal points or semicolons"
            )
    if layout.separator != "," or len(rows[0]) != 2 or len(layout.above) == 2:
        return layout
    if not all(NUMBER[","].fullmatch(line) for line in lines):
        return layout
    decimals = any(a == "-0" or not b.isdecimal() or (len(b) > 1 and b[0] == "0") for a, b in rows)
    if not decimals and len(layout.above) != 1:
        raise InputError(
            f"{path} may hold one column with decimal commas or two of whole numbers ({shown(lines[0])});"
            " write it with decimal points, or with the names of its columns on the first line"
        )
    # any separator that does not occur
    return Layout(";", ",", layout.first, [[line] for line in lines], layout.above)


def _no_signal(name: str, column: Sequence[str], decimal: str) -> str:
    """Why a column is no signal, or ""."""
    if not all(_is_number(value, decimal) for value in column):
        return TEXT
    if not any(column):
        return NOTHING
    if name and TIME.fullmatch(name):
        return TIME_STAMPS
    try:
        values = np.array([value.replace(decimal, ".") for value in column], dtype=np.float64)
    except ValueError:  # gaps
        return ""
    return TIME_STAMPS if are_time_stamps(values) else ""


def are_time_stamps(values: np.ndarray) -> bool:
    """Whether values rise in equal steps, as no sound does; where some were rounded to equal ones, about."""
    if len(values) <= MIN_STEPS:
        return False
    steps = np.diff(values)
    if not (np.isfinite(values).all() and steps.min() >= 0 and steps.max() > 0):
        return False
    line = np.linspace(values[0], values[-1], len(values))
    tolerance = 1 / (len(values) - 1) if steps.min() > 0 else ROUNDED
    return bool(np.abs(values - line).max() <= tolerance * (values[-1] - values[0]))
