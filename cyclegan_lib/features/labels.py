"""Labels of recordings, from a CSV file."""

import csv
from pathlib import Path

from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.files import existing_file
from cyclegan_lib.recordings.reading import SUFFIXES

LONGEST_LABEL = 200  # an array of text takes four bytes for each letter of its longest, in every row


def read_labels(path: Path, column: str, names: list[str]) -> dict[str, str]:
    """Read the label of each recording in `names` from a CSV file.

    A row belongs to a recording if its column ``recording`` is the recording's name, or the last part of it;
    a sound file's suffix is passed over, and so are spaces around it, unless a recording is called so.

    Returns
    -------
    dict
        Label by recording name.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, gives one recording two labels, or lacks a recording.
    """
    existing_file(path, "give a CSV file with the columns recording and " + column)
    rows: dict[str, str] = {}
    known = {part for name in names for part in (name, _last(name))}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = [name or "" for name in reader.fieldnames or ()]
            for wanted in ("recording", column):
                if wanted not in columns:
                    has = ", ".join(columns)[:300] or "none"
                    raise InputError(
                        f"{path} has no column '{wanted}' (its columns: {has}); name one of them"
                    )
            for row in reader:
                _add_row(rows, path, _name(row["recording"] or "", known), (row[column] or "").strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a readable CSV file in UTF-8; save it again as CSV") from error
    found = {name: rows.get(name) or rows.get(_last(name)) for name in names}
    missing = [name for name, label in found.items() if not label]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"{path} has no {column} for the recording '{missing[0]}'{more};"
            " add a row for it, or leave it out with --recordings-list"
        )
    return found


def _add_row(rows: dict[str, str], path: Path, name: str, label: str) -> None:
    if name in rows and rows[name] != label:
        raise InputError(
            f"{path} gives the recording {shown(name)} two labels, {shown(rows[name])} and {shown(label)};"
            " keep one row"
        )
    if printable(label) != label or len(label) > LONGEST_LABEL:
        raise InputError(
            f"{path}: the label {shown(label)} of {shown(name)} must be one line of at most {LONGEST_LABEL}"
            " characters; correct the row"
        )
    rows[name] = label


def _name(cell: str, known: set[str]) -> str:
    """A recording's name, as `recording_name` gives it."""
    exact = printable(_without_suffix(cell))
    return exact if exact in known else printable(_without_suffix(cell.strip()))


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _without_suffix(name: str) -> str:
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name
