"""Labels of recordings: from a table, as spreadsheets write it, or from the folders that they lie in."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from cyclegan_lib.config import Unlabelled
from cyclegan_lib.documents import read_table
from cyclegan_lib.errors import InputError, count, printable, shown, some
from cyclegan_lib.recordings.reading import SUFFIXES

MAX_LABEL = 200  # an array of text takes four bytes for each letter of its longest, in every row
UNSEEN = r"[\s_\-\u00ad\u200b-\u200f\u2060\ufeff]"  # of labels' letters: spaces, hyphens, marks without width
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "null"}  # in any case; "none" may be a class: no fault
PLAIN = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")  # encodings that leave nothing to guess


@dataclass(frozen=True)
class Labels:
    """Labels of recordings, and what is odd about them."""

    of: dict[str, str]  # by recording; "" where there is none; skipped ones are not here
    remarks: list[str] = field(default_factory=list)  # one line each


def labels_for(
    names: Sequence[str],
    source: Path,
    table: Path | None = None,
    column: str = "fault",
    from_folder: int | None = None,
    unlabelled: Unlabelled = "error",
    encoding: str | None = None,
) -> Labels | None:
    """The label of each recording in `names`, which lie in the folder `source`; None if nothing says it.

    Parameters are those of `given_labels`. A recording without a label is an error, keeps the label "" or is
    skipped, as `unlabelled` says. Raises InputError if that is unknown, no recording has a label or one lacks
    it that must not, and as `given_labels` does.
    """
    if unlabelled not in get_args(Unlabelled):
        raise InputError(f"--unlabelled {shown(unlabelled)} is unknown; give error, keep or skip")
    labels = given_labels(names, source, table, column, from_folder, encoding)
    if labels is None:
        return None
    missing = [name for name in names if not labels.of[name]]
    if missing and (unlabelled == "error" or len(missing) == len(names)):
        lacking, remedy = f"{table} has no {column} for the recording", "add a row for it"
        if table is None:
            lacking = f"{source}: --label-from-folder {from_folder} finds no folder for the recording"
            remedy = "count from another end"
        if len(missing) == len(names) and labels.remarks:  # the rows are others'
            raise InputError(f"{lacking} '{missing[0]}' or any other; {labels.remarks[-1]}")
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        others = ", or with --unlabelled skip" if len(missing) < len(names) else ""
        raise InputError(
            f"{lacking} '{missing[0]}'{more}; {remedy}, or leave it out with --recordings-list{others}"
        )
    if missing and unlabelled == "keep":
        labels.remarks.append(f"{count(len(missing), 'recording')} kept without a label: {some(missing)}")
    left_out = set(missing if unlabelled == "skip" else ())
    return Labels({name: label for name, label in labels.of.items() if name not in left_out}, labels.remarks)


def given_labels(
    names: Sequence[str],
    source: Path,
    table: Path | None = None,
    column: str = "fault",
    from_folder: int | None = None,
    encoding: str | None = None,
) -> Labels | None:
    """The label of each recording in `names`, which lie in `source`, "" for none; None if nothing says it.

    Either from `table` (see `read_labels`), or from the name of a folder that a recording lies in:
    `from_folder` counts from `source`, 1 is the first below it, or, negative, from the file, -1 is its own.
    Raises InputError if both are given, and as `read_labels` does.
    """
    if table is None and from_folder is None:
        return None
    if table is None:
        labels = Labels(_of_folders(names, from_folder))
    elif from_folder is None:
        labels = read_labels(table, column, names, source, encoding)
    else:
        raise InputError("--labels and --label-from-folder both say what the label is; give one of them")
    return Labels(labels.of, list(map(printable, _near_twins(labels.of) + labels.remarks)))


def read_labels(
    path: Path, column: str, names: Sequence[str], source: Path, encoding: str | None = None
) -> Labels:
    """Read the label of each recording in `names`, which lie in `source`, from a CSV file; "" for none.

    A row belongs to the recording that its column ``recording`` spells: from `source`, from above it (its own
    name in front), by the end of its path, or as a path on another machine that ends so. Folders may be
    parted by / or \\, and a suffix be there or not. An empty label, NA and nan are none.

    Raises InputError if the file cannot be read or lacks a column, a row fits several recordings, or rows
    give one recording two labels.
    """
    remedy = f"give a CSV file with the columns recording and {column}"
    table = read_table(path, ("recording", column), remedy, encoding=encoding)
    places = _Places(names, source)
    found: dict[str, list[tuple[int, str, str]]] = defaultdict(list)  # how well it fits, spelling, label
    strange = []
    for row in table.rows:
        spelling, label = printable(row["recording"].strip()), row[column].strip()
        if printable(label) != label or len(label) > MAX_LABEL:
            raise InputError(
                f"{path}: the label {shown(label)} of {shown(spelling)} must be one line of at most"
                f" {MAX_LABEL} characters; correct the row"
            )
        fits, how_well = places.of(row["recording"])
        if len(fits) > 1:
            raise InputError(
                f"{path}: {shown(spelling)} fits {len(fits)} recordings, such as '{fits[0]}' and '{fits[1]}';"
                f" give their paths from {source}"
            )
        if not fits:
            strange.append(spelling)
        elif label.casefold() not in MISSING:
            found[fits[0]].append((how_well, spelling, label))
    labels = dict.fromkeys(names, "")
    for name, rows in found.items():
        best = max(how_well for how_well, *_ in rows)
        (_, first, labels[name]), *others = [row for row in rows if row[0] == best]
        for _, spelling, label in others:
            if label != labels[name]:
                spelled = "" if spelling == first else f" (as {shown(first)} and {shown(spelling)})"
                raise InputError(
                    f"{path} gives the recording '{name}' two labels, {shown(labels[name])} and"
                    f" {shown(label)}{spelled}; keep one row"
                )
    remarks = [] if table.encoding in PLAIN else [f"{path} was read as {table.encoding}"]
    if table.also:
        remarks[0] += f", and may be {table.also}; --encoding says which"
    if strange:
        remarks.append(f"{count(len(strange), 'row')} of {path} without a recording: {some(strange)}")
    return Labels(labels, remarks)


class _Places:
    """Where recordings lie, to find them by paths that other programs, people and machines have written."""

    def __init__(self, names: Sequence[str], source: Path) -> None:
        folder = source if source.is_dir() else source.parent
        self.above = tuple(map(printable, Path(os.path.abspath(folder)).parts[1:]))
        self.whole = {tuple(name.split("/")): name for name in names}
        self.ends: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for parts, name in self.whole.items():
            composed = tuple(unicodedata.normalize("NFC", part) for part in parts)  # macOS parts é into two
            ends = {spelled[start:] for spelled in (parts, composed) for start in range(len(parts))}
            for end in ends - {parts}:
                self.ends[end].append(name)

    def of(self, spelling: str) -> tuple[list[str], int]:
        """The recordings that a path fits, and how well it does: most if it is spelled from here."""
        for parts, absolute in _spellings(spelling):
            if parts in self.whole:
                return [self.whole[parts]], len(self.above) + 1
            behind = [start for start in range(1, len(parts)) if parts[start:] in self.whole]
            within = [start for start in behind if self.above[-start:] == parts[:start]]
            fits = [self.whole[parts[start:]] for start in within] + self.ends.get(parts, [])
            if fits:
                return fits, len(self.above) + 1
            if absolute and behind:  # the longest end, and the better the more of the folders above it agree
                agreeing = [a == b for a, b in zip(parts[: behind[0]][::-1], self.above[::-1], strict=False)]
                return [self.whole[parts[behind[0] :]]], [*agreeing, False].index(False)
        return [], 0


def _spellings(text: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """What a path in a table may mean, the likeliest first: its parts, and whether it is one from a root."""
    for spelling in dict.fromkeys((text, text.strip())):
        slashed = spelling.replace("\\", "/")
        for path in dict.fromkeys(map(printable, (spelling, slashed, unicodedata.normalize("NFC", slashed)))):
            absolute = path.startswith(("/", "~/")) or path[1:3] == ":/"
            parts = tuple(part for part in path.split("/") if part not in ("", "."))
            if parts:
                yield parts, absolute
                yield (*parts[:-1], _without_suffix(parts[-1])), absolute


def _without_suffix(name: str) -> str:
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name


def _of_folders(names: Sequence[str], number: int) -> dict[str, str]:
    if number == 0:
        raise InputError(
            "--label-from-folder counts from 1, the first folder below the one given, or from -1"
        )
    folders = {name: name.split("/")[:-1] for name in names}
    place = number - 1 if number > 0 else number
    least = abs(number)
    return {name: parts[place] if len(parts) >= least else "" for name, parts in folders.items()}


def _near_twins(labels: dict[str, str]) -> list[str]:
    """Labels that differ in their spelling alone, which are classes of their own all the same."""
    alike: dict[object, set[str]] = defaultdict(set)
    for label in set(labels.values()) - {""}:
        try:
            alike[float(label)].add(label)
        except ValueError:
            alike[re.sub(UNSEEN, "", unicodedata.normalize("NFKC", label).casefold()) or label].add(label)
    twins = [" and ".join(map(shown, sorted(group))) for group in alike.values() if len(group) > 1]
    return [f"labels that may mean the same are classes of their own: {text}" for text in sorted(twins)]
