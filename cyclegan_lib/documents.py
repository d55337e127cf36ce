"""The door of JSON and CSV: every document is read, checked and written here."""

import codecs
import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter

from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.files import existing_file, replacing

MAX_BYTES = 64 << 20
# what decoding and checking raise for any bytes at all
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)

SEPARATORS = (",", ";", "\t")
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig"} | dict.fromkeys(
    (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16"
)
# Ideographs in common use have these first bytes, and at least this second one, in GB18030 and in Big5 (as
# Windows writes it). What is neither, such as the umlauts of a European table, makes rare ones.
COMMON_LETTERS = {"gb18030": (0xB0, 0xD7, 0xA1), "cp950": (0xA4, 0xC6, 0x40)}
COMMON_PART = 0.7
KOREAN = "cp949"

T = TypeVar("T")


class Table(NamedTuple):
    """What `read_table` read."""

    rows: list[dict[str, str]]
    encoding: str
    also: str = ""  # another encoding that would do as well


def read(path: str | Path, schema: type[T], wrong: str, remedy: str, max_bytes: int = MAX_BYTES) -> T:
    """Read JSON and check it, strictly, against `schema`, whatever pydantic knows: a class, dict[str, float].

    Raises InputError: "`path` does not exist; `remedy`", or else "`path` `wrong`; `remedy`".
    """
    path = existing_file(path, remedy)
    try:
        if path.stat().st_size > max_bytes:
            raise ValueError("too large")
        content = path.read_bytes().decode()
        return TypeAdapter(schema).validate_json(content, strict=True)
    except UNREADABLE as error:
        raise InputError(f"{path} {wrong}; {remedy}") from error


def read_if_whole(path: Path, schema: type[T]) -> T | None:
    """The same where a missing or damaged document is no error, because it is made again: None."""
    try:
        return read(path, schema, "", "")
    except InputError:
        return None


def write(path: str | Path, content: Any, indent: int | None = 1) -> Path:
    """Write `content` as JSON, whole or not at all; raises InputError if the folder cannot be written."""
    return write_text(path, text(content, indent))


def text(content: Any, indent: int | None = 1) -> str:
    """What `write` writes; raises ValueError for a number that is not finite (see `plain`)."""
    return json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def write_text(path: str | Path, content: str) -> Path:
    """Write a text file in UTF-8, whole or not at all; raises InputError if the folder cannot be written."""
    with replacing(path) as part:
        part.write_text(content, encoding="utf-8", newline="\n")
    return Path(path)


def plain(value: Any) -> Any:
    """Plain JSON types; a number that is not finite becomes None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def read_table(
    path: str | Path,
    columns: Sequence[str],
    remedy: str,
    lacking: str = "name one of them",
    encoding: str | None = None,
) -> Table:
    """The rows of a CSV file of any spreadsheet that has all of `columns`, text by column.

    Commas, semicolons or tabs part its cells; headers may be in any case, with spaces around. `encoding` is
    recognised without one: UTF-8, UTF-16, or, by the letters that it makes, GB18030 or Big5.

    Raises InputError if it is missing ("…; `remedy`"), cannot be read, lacks a column ("…; `lacking`") or has
    it twice, or a row has more cells than there are columns.
    """
    path = existing_file(path, remedy)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        content = path.read_bytes()
        also = ""
        if not encoding:
            encoding = encoding_of(content)
            also = KOREAN if encoding in COMMON_LETTERS and _is_korean(content) else ""
        text = content.decode(encoding)
    except LookupError as error:
        raise InputError(
            f"the encoding {encoding!r} is unknown; give one such as utf-8, gb18030, big5 or cp1252"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is not a readable CSV file in {encoding or 'UTF-8, UTF-16, GB18030 or Big5'}; save it"
            " again as CSV in UTF-8, or give its --encoding"
        ) from error
    text = re.sub(r"\Asep=.[\r\n]+", "", text)  # Excel's note to itself
    try:
        # the separator is the one that parts the headers as they are wanted, or into the most
        tables = [_parted(text, mark) for mark in SEPARATORS]
        header, *rows = max(tables, key=lambda rows: (_found(rows[0], columns), len(rows[0])))
    except csv.Error as error:
        raise InputError(f"{path} is not a readable CSV file; save it again as CSV") from error
    places = {}
    for wanted in columns:
        same = _places(header, wanted)
        if not same:
            has = ", ".join(header)[:300] or "none"
            raise InputError(f"{path} has no column '{wanted}' (its columns: {has}); {lacking}")
        if len(same) > 1:
            twice = " and ".join(f"'{header[place]}', its column {place + 1}," for place in same[:2])
            raise InputError(f"{path} has the column '{wanted}' twice ({twice[:-1]}); keep one of them")
        places[wanted] = same[0]
    for number, row in enumerate(rows, start=1):
        if any(cell.strip() for cell in row[len(header) :]):
            raise InputError(
                f"{path}: row {number} ({shown(row[0])}) has more cells than there are columns; quote a cell"
                " that holds a separator"
            )
    cells = ({name: row[place] if place < len(row) else "" for name, place in places.items()} for row in rows)
    return Table(list(cells), encoding, also)


def encoding_of(content: bytes) -> str:
    """The encoding of a text: by its mark, or the first in which it can be read and makes common letters.

    Raises ValueError if there is none.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return encoding
    if b"\0" in content:  # Latin letters in UTF-16 are every other byte
        return "utf-16-le" if content[1::2].count(0) >= content[::2].count(0) else "utf-16-be"
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    common = {encoding: _common_letters(content, encoding) for encoding in COMMON_LETTERS}
    best = max(common, key=lambda encoding: common[encoding])
    if common[best] < COMMON_PART:
        raise ValueError("no encoding fits")
    return best


def _common_letters(content: bytes, encoding: str) -> float:
    """Which part of a text's letters beyond ASCII are common ones in `encoding`; -1 if it is another's."""
    try:
        letters = [letter for letter in content.decode(encoding) if letter > "\x7f" and letter.isalpha()]
    except UnicodeDecodeError:
        return -1.0
    first, last, trail = COMMON_LETTERS[encoding]
    codes = [letter.encode(encoding) for letter in letters]
    return sum(first <= code[0] <= last and code[1] >= trail for code in codes) / max(1, len(codes))


def _is_korean(content: bytes) -> bool:
    """Whether all letters beyond ASCII are syllables of Hangul, if the text is Korean."""
    try:
        letters = [letter for letter in content.decode(KOREAN) if letter > "\x7f" and letter.isalpha()]
    except UnicodeDecodeError:
        return False
    return all("\uac00" <= letter <= "\ud7a3" for letter in letters)


def _parted(text: str, separator: str) -> list[list[str]]:
    """Rows of cells, at least a header; empty rows are left out."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(row)] or [[]]


def _places(header: Sequence[str], wanted: str) -> list[int]:
    """Where a column stands in a header: as it is spelled, or else in any case and with spaces around."""
    exact = [place for place, name in enumerate(header) if name == wanted]
    wanted = wanted.strip().casefold()
    return exact or [place for place, name in enumerate(header) if name.strip().casefold() == wanted]


def _found(header: Sequence[str], columns: Sequence[str]) -> int:
    return sum(bool(_places(header, wanted)) for wanted in columns)


def table_text(columns: Sequence[str], rows: Iterable[dict], end: str = "\r\n") -> str:
    """What `write_table` writes."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_table(path: str | Path, columns: Sequence[str], rows: Sequence[dict], end: str = "\r\n") -> Path:
    """Write a CSV file, whole or not at all; raises InputError if the folder cannot be written."""
    with writing_table(path, columns, end) as write:
        write(rows)
    return Path(path)


@contextmanager
def writing_table(
    path: str | Path, columns: Sequence[str], end: str = "\r\n"
) -> Iterator[Callable[[Iterable[dict]], None]]:
    """The same part by part: gives a function that takes rows."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator=end)
        writer.writeheader()
        yield writer.writerows
