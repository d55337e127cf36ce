"""The door of JSON and CSV: every document is read, checked and written here."""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file, replacing

MAX_BYTES = 64 << 20
# what decoding and checking raise for any bytes at all
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)

T = TypeVar("T")


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
    path: str | Path, columns: Sequence[str], remedy: str, lacking: str = "name one of them"
) -> Iterator[dict[str, str]]:
    """The rows of a CSV file in UTF-8 that has all of `columns`, text by column.

    Raises InputError if it is missing ("…; `remedy`"), cannot be read, or lacks a column ("…; `lacking`").
    """
    path = existing_file(path, remedy)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            known = [name or "" for name in reader.fieldnames or ()]
            for wanted in columns:
                if wanted not in known:
                    has = ", ".join(known)[:300] or "none"
                    raise InputError(f"{path} has no column '{wanted}' (its columns: {has}); {lacking}")
            for row in reader:
                yield {name: row[name] or "" for name in columns}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a readable CSV file in UTF-8; save it again as CSV") from error


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
