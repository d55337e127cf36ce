"""What became of every recording of an extraction: a table with a row each, and what must be said of them."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

from cyclegan_lib import documents
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import count, listed, printable
from cyclegan_lib.features.log_mel import FLOOR_DB, least_s
from cyclegan_lib.files import NAME_BYTES

NAMED = 5  # recordings in a sentence
USED, NOT_READ, TOO_SHORT, DAMAGED, COPY = "used", "not read", "too short", "damaged", "copy"
LOW_RATE, UNLABELLED = "recorded at too low a rate", "without a label"
QUIET = 0.1  # a peak from which on a larger scale is no help
AT_FLOOR = 0.01  # part of a recording's features from which on it is said
DIGITS = 6  # of numbers in the table
REMARKS = "; "
SUFFIX = ".report.csv"


@dataclass
class FileReport:
    """A row of the table: one file, read or not. Levels are those of its mono sound, after scaling."""

    path: str
    recording: str  # its name
    status: str = NOT_READ  # one of those above, or the kind of fault for which it is left out
    reason: str = ""  # why it is not used
    seconds: float | None = None  # of sound
    sequences: int = 0
    rate: int | None = None  # Hz, its own
    channels: int | None = None  # of the file
    averaged: int | None = None  # channels of which the mean was read
    peak: float | None = None  # full scale is 1
    rms_db: float | None = None  # about the offset; full scale is 0 dB
    dc_offset: float | None = None
    clipped: float | None = None  # part of samples
    floor: float | None = None  # part of features at the floor
    remarks: list[str] = field(default_factory=list)  # "kind" or "kind: numbers"
    # for the sentences only, not in the table
    faults: list[str] = field(default_factory=list)  # as remarks, about its sound
    copy_of: str = ""  # an earlier recording with equal features
    digest: str = ""  # of its features
    parts: int = 0  # recordings made of it
    short: int = 0  # sequences with fewer slices than were asked for
    left_over_s: float = 0.0

    def row(self) -> dict[str, str]:
        """As text by column; numbers that are not known stay empty."""
        values = {name: getattr(self, name) for name in COLUMNS}
        copy = [f"a copy of {self.copy_of}"] if self.copy_of else []
        values |= {"path": printable(self.path), "remarks": REMARKS.join(self.faults + copy + self.remarks)}
        return {name: _text(value) for name, value in values.items()}


def report_path(output: str | Path) -> Path:
    """Where the table lies, beside what was made of the recordings: ``<output>.report.csv``."""
    name = Path(output).name
    while len(os.fsencode(name + SUFFIX)) > NAME_BYTES:
        name = name[:-1]
    return Path(output).with_name(name + SUFFIX)


COLUMNS = tuple(column.name for column in fields(FileReport))
COLUMNS = COLUMNS[: COLUMNS.index("remarks") + 1]


@dataclass
class ExtractionReport:
    """What became of the recordings; as text, a line of counts, and one for each thing that is odd."""

    settings: FeatureSettings
    files: list[FileReport]
    passed_over: Counter[str]  # files of the folder that are no recordings, by suffix
    said: bool = True  # whether doubtful recordings are named
    remarks: list[str] = field(default_factory=list)  # on the labels, a line each

    @property
    def recordings(self) -> int:
        """Recordings that gave at least one sequence."""
        return sum(file.parts for file in self.files)

    @property
    def sequences(self) -> int:
        """Sequences of all of them."""
        return sum(file.sequences for file in self.files)

    @property
    def too_short(self) -> tuple[str, ...]:
        """Names of those too short for one sequence, which were skipped."""
        return self.names(TOO_SHORT)

    @property
    def left_over_s(self) -> float:
        """Seconds after the last sequence, of all recordings that are used."""
        return sum(file.left_over_s for file in self.files)

    @property
    def sound_s(self) -> float:
        """Seconds of all sound that was read."""
        return sum(file.seconds or 0 for file in self.files)

    def label(self, known: Container[str], remarks: list[str]) -> None:
        """Leave out all recordings but the `known` ones; `remarks` are on the labels."""
        self.remarks += remarks
        for file in self.files:
            if file.recording not in known:
                file.status = file.reason = UNLABELLED

    def names(self, status: str) -> tuple[str, ...]:
        """Names of the files with this status."""
        return tuple(file.recording for file in self.files if file.status == status)

    def save(self, path: str | Path) -> Path:
        """Write the table as CSV: a row for every file, whatever became of it."""
        return documents.write_table(path, COLUMNS, [file.row() for file in self.files])

    def __str__(self) -> str:
        text = f"{count(self.sequences, 'sequence')} from {count(self.recordings, 'recording')}"
        if short := sum(file.short for file in self.files):
            text += f", {short} of them with fewer than {self.settings.slices} slices"
        text += f"; {self.left_over_s:.1f} s of {self.sound_s:.1f} s left over at their ends"
        if self.too_short:
            skipped = f"{count(len(self.too_short), 'recording')} shorter than {least_s(self.settings):g} s"
            text += f"; skipped {skipped}: {listed(self.too_short, NAMED)}"
        return "\n".join([text, *self.notes(), *self.remarks])

    def notes(self) -> list[str]:
        """What is odd, a line each with numbers and names."""
        left_out = Counter(file.status for file in self.files)
        notes = [
            f"left out: {_are(status, self.names(status))}"
            for status in left_out
            if status not in (USED, NOT_READ, TOO_SHORT)
        ]
        used = [file for file in self.files if file.status == USED]
        if self.said:
            for fault, names in _by_kind((file.recording, file.faults) for file in used).items():
                notes.append(f"{_are(fault, names)}; --quality-checks skip leaves them out")
            if copies := [file.recording for file in used if file.copy_of]:
                notes.append(_are(COPY, copies))
            notes += self._levels(used)
        for remark, names in _by_kind((file.recording, file.remarks) for file in used).items():
            remedy = "; choose one with --channel" if remark.startswith("channels") else ""
            notes.append(f"{remark} in {_count_and_names(names)}{remedy}")
        notes += _averaged(used)
        if others := sum(self.passed_over.values()):
            kinds = ", ".join(
                f"{n} {suffix or '(none)'}" for suffix, n in self.passed_over.most_common(NAMED)
            )
            notes.append(f"passed over by suffix: {count(others, 'file')} ({printable(kinds)})")
        return notes

    def _levels(self, used: list[FileReport]) -> list[str]:
        """Offsets larger than the sound itself; features at the floor."""
        notes, sound = [], [file for file in used if not file.faults]
        offset = [f for f in sound if abs(f.dc_offset or 0) > 10 ** ((f.rms_db or 0) / 20)]
        if offset:
            largest = max((file.dc_offset or 0 for file in offset), key=abs)
            done = "was removed from" if self.settings.f_stop else "stays in"
            names = _count_and_names(file.recording for file in offset)
            notes.append(f"an offset larger than the sound, up to {largest:.3g}, {done} {names}")
        if low := [file for file in sound if (file.floor or 0) >= AT_FLOOR]:
            part = sum(file.floor or 0 for file in low) / len(low)
            names = _count_and_names(file.recording for file in low)
            note = f"{part:.0%} of the features lie at the floor of {FLOOR_DB:g} dB in {names}"
            peak = max(file.peak or 0 for file in used)
            if 0 < peak < QUIET:
                scale = self.settings.scale * 10.0 ** math.floor(-math.log10(peak))
                note += f"; --scale {scale:g} keeps their range"
            notes.append(note)
        return notes


def _averaged(used: list[FileReport]) -> list[str]:
    """How many channels became one."""
    channels = Counter(file.averaged for file in used if file.averaged)
    if not channels or set(channels) == {1}:
        return []
    if len(channels) == 1:
        return [f"the mean of {next(iter(channels))} channels was read; --channel 1 reads the first alone"]
    each = ", ".join(f"{n} in {count(files, 'recording')}" for n, files in sorted(channels.items()))
    return [
        f"the mean of all channels was read, which differ in number ({each}); --channel 1 reads the first"
    ]


def _by_kind(phrases: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """The recordings of each kind of phrase, "kind: numbers"."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for name, said in phrases:
        for phrase in said:
            kinds[phrase.partition(":")[0]].append(name)
    return kinds


def _are(what: str, names: Iterable[str]) -> str:
    """So many recordings are that: their names."""
    names = list(names)
    if what == COPY:
        what = "copies of others" if len(names) > 1 else "a copy of another"
    verb = "are" if len(names) > 1 else "is"
    return f"{count(len(names), 'recording')} {verb} {what}: {listed(names, NAMED)}"


def _count_and_names(names: Iterable[str]) -> str:
    names = list(names)
    return f"{count(len(names), 'recording')} ({listed(names, NAMED)})"


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
