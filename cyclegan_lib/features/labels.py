"""Labels of recordings, from a CSV file."""

from pathlib import Path

from cyclegan_lib.documents import read_table
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.recordings.reading import SUFFIXES

MAX_LABEL = 200  # an array of text takes four bytes for each letter of its longest, in every row


def read_labels(path: Path, column: str, names: list[str]) -> dict[str, str]:
    """Read the label of each recording in `names` from a CSV file: label by recording name.

    A row belongs to a recording if its column ``recording`` is the recording's name, or the last part of it;
    a sound file's suffix is passed over, and so are spaces around it, unless a recording is called so.

    Raises InputError if the file cannot be read, lacks a column, gives one recording two labels, or lacks a
    recording.
    """
    known = {part for name in names for part in (name, _last(name))}
    rows: dict[str, str] = {}
    for row in read_table(
        path, ("recording", column), f"give a CSV file with the columns recording and {column}"
    ):
        name, label = printable(_without_suffix(row["recording"])), row[column].strip()
        if name not in known:
            name = printable(_without_suffix(row["recording"].strip()))
        if rows.setdefault(name, label) != label:
            raise InputError(
                f"{path} gives the recording {shown(name)} two labels, {shown(rows[name])} and"
                f" {shown(label)}; keep one row"
            )
        if printable(label) != label or len(label) > MAX_LABEL:
            raise InputError(
                f"{path}: the label {shown(label)} of {shown(name)} must be one line of at most {MAX_LABEL}"
                " characters; correct the row"
            )
    labels = {name: rows.get(name) or rows.get(_last(name), "") for name in names}
    missing = [name for name, label in labels.items() if not label]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"{path} has no {column} for the recording '{missing[0]}'{more};"
            " add a row for it, or leave it out with --recordings-list"
        )
    return labels


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _without_suffix(name: str) -> str:
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name
