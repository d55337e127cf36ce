"""Recordings to a lake: what is to be made, part by part, by processes that may die."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from cyclegan_lib.config import FeatureSettings, Unlabelled
from cyclegan_lib.documents import table_text
from cyclegan_lib.errors import InputError, count
from cyclegan_lib.features.extract import check_device
from cyclegan_lib.features.extraction_report import COLUMNS, USED, ExtractionReport
from cyclegan_lib.features.feature_set import joined
from cyclegan_lib.features.labels import labels_for, read_labels
from cyclegan_lib.features.lake import Part, Place, below, device_folder, is_url, parts_of, schema
from cyclegan_lib.features.log_mel import check_settings
from cyclegan_lib.features.sound_files import QualityChecks, SoundFiles
from cyclegan_lib.files import remove_leftovers
from cyclegan_lib.locks import locked
from cyclegan_lib.parallel import as_they_end
from cyclegan_lib.recordings.finding import Found, find_recordings, recording_name
from cyclegan_lib.system import processors

PART_FILES, PART_BYTES = 256, 256 << 20  # of recordings in a part, which one process has in memory
REPORT = "_report.csv"
DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True)
class Task:
    """A part to be made."""

    lake: str
    folder: str  # of the device in the lake, and of the date
    source: Path  # folder of the recordings
    files: tuple[Path, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...] | None
    device: str
    settings: FeatureSettings
    reading: dict[str, Any]

    @property
    def path(self) -> str:
        """Where the part lies: named by what makes it what it is."""
        what = (self.names, self.labels, self.settings.model_dump(), self.reading)
        return f"{self.folder}/part-{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]}.parquet"


def make(task: Task) -> None:
    """Read the recordings of a part, and write it: what became of them, and the sequences of those used."""
    import pyarrow as pa
    import pyarrow.parquet

    recordings = SoundFiles(
        task.source, task.settings, workers=1, found=Found(task.files, task.source), **task.reading
    )
    sets = list(recordings.sliced(task.device, progress=False))
    files = recordings.report.files
    columns: dict[str, Any] = {name: [] for name in schema(task.settings).names}
    whole = True
    if sets:
        heard = joined(sets)
        of = {file.recording: file for file in files}
        labels = dict(zip(task.names, task.labels or (), strict=False))
        known = [recordings.file_of(name) for name in heard.recording.tolist()]
        whole = bool((heard.lengths == task.settings.slices).all())
        columns = {column: [getattr(of[name], column, None) for name in known] for column in columns}
        columns |= {
            "recording": heard.recording,
            "start_s": heard.start_s,
            "slices": heard.lengths.astype(np.int32),
            "features": pa.FixedSizeListArray.from_arrays(
                pa.array(heard.features.ravel()), heard.features[0].size
            ),
            "label": [labels.get(name) or None for name in known],
            "remarks": [of[name].row()["remarks"] for name in known],
        }
    part = Part(
        task.path,
        len(columns["recording"]),
        task.device,
        recordings.settings,
        task.reading,
        whole,
        max(map(len, columns["recording"]), default=1),
        max((len(label) for label in columns["label"] if label), default=0),
        files,
    )
    table = pa.table(columns, schema=schema(task.settings).with_metadata(part.metadata()))
    content = pa.BufferOutputStream()
    pyarrow.parquet.write_table(
        table, content, compression="zstd", use_dictionary=["label", "remarks"], write_page_checksum=True
    )
    Place(task.lake).write(task.path, content.getvalue())


def extract_lake(
    source: Path,
    device: str,
    settings: FeatureSettings,
    output: str | Path,
    labels: Path | None = None,
    label_column: str = "fault",
    recordings_list: Path | None = None,
    label_from_folder: int | None = None,
    unlabelled: Unlabelled = "error",
    encoding: str | None = None,
    workers: int | None = None,
    scheduler: str = "",
    append: bool = False,
    progress: bool = True,
    rate_of_files: int | None = None,
    split_every: int | None = None,
    quality_checks: QualityChecks = "warn",
) -> ExtractionReport:
    """Extract the recordings of one device into the lake `output`, a folder or a URL.

    The same call again makes what is missing; with `append` all recordings that no part holds, whatever else
    there is. Parameters are those of `extract`; what cannot be read is a row of the report, `_report.csv` in
    the device's folder, and never an error. Recordings with a date lie in a folder of their date. The work is
    shared by `workers` processes, or by those of a Dask `scheduler` that see the same files; a process that
    dies costs the part that it was at, which is made again.

    Raises InputError if the lake holds parts of other settings, or, without `append`, of other recordings or
    labels, and as `extract` does where it looks at names and labels.
    """
    check_settings(settings)
    check_device(device)
    if scheduler:  # whose workers may be in another folder
        source, output = Path(source).absolute(), output if is_url(output) else Path(output).absolute()
    found = find_recordings(source, recordings_list, labels)
    source = found.folder
    names = [recording_name(path, source) for path in found]
    labelled = labels_for(names, source, labels, label_column, label_from_folder, unlabelled, encoding)
    dates = _dates(names, source, labels, encoding)
    reading = {"rate_of_files": rate_of_files, "split_every": split_every, "quality_checks": quality_checks}
    place, folder = Place(output), device_folder(device)
    own = Place(below(place.path, folder))
    with locked(Path(own.path), remedy="give another --output") if own.local else nullcontext():
        if own.local:
            for holds in {Path(own.path), *Path(own.path).glob("date=*")}:
                remove_leftovers(holds, "part-*.parquet", REPORT)
        there = parts_of(own)
        _check_same(there, settings, reading, place.path)
        covered = {file.recording for part in there for file in part.files}
        wanted = [
            (path, name)
            for path, name in zip(found, names, strict=True)
            if (labelled is None or name in labelled.of) and not (append and name in covered)
        ]
        tasks = [
            Task(
                place.path,
                folder + (f"/date={date}" if date else ""),
                source,
                tuple(path for path, _ in some),
                tuple(name for _, name in some),
                labelled and tuple(labelled.of[name] for _, name in some),
                device,
                settings,
                reading,
            )
            for date, some in _shared_out(wanted, dates)
        ]
        known = {f"{folder}/{part.path}" for part in there}
        strangers = known - {task.path for task in tasks}
        if strangers and not append:
            raise InputError(
                f"{place.path} holds recordings of {device} already, others than these or with other labels"
                f" ({min(strangers)}); --append adds those that are new, or give another --output"
            )
        tasks = [task for task in tasks if task.path not in known]
        _carry_out(tasks, workers or processors(), scheduler, progress, device)
        report = _report(parts_of(own), settings, reading)
        report.passed_over.update(found.passed_over)
        report.remarks += labelled.remarks if labelled else []
        own.write(REPORT, table_text(COLUMNS, [file.row() for file in report.files]).encode())
    if not report.sequences:
        raise InputError(f"{source} holds no recording that can be used; {below(own.path, REPORT)} says why")
    return report


def _dates(names: Sequence[str], source: Path, table: Path | None, encoding: str | None) -> dict[str, str]:
    """The date of each recording, YYYY-MM-DD or "": of a column `date` of the labels, else of its path."""
    dates = dict.fromkeys(names, "")
    if table is not None:
        with suppress(InputError):  # it has none
            dates = read_labels(table, "date", names, source, encoding).of
    return {name: _day(date) or _day(name) for name, date in dates.items()}


def _day(text: str) -> str:
    found = DAY.search(text)
    return "-".join(found.group(1, 3, 4)) if found else ""


def _shared_out(
    wanted: Sequence[tuple[Path, str]], dates: dict[str, str]
) -> Iterator[tuple[str, list[tuple[Path, str]]]]:
    """The date and the recordings of each part."""

    def date_of(one: tuple[Path, str]) -> str:
        return dates.get(one[1], "")

    for date, group in groupby(sorted(wanted, key=date_of), date_of):
        some, size = [], 0
        for one in group:
            size += one[0].stat().st_size
            if some and (len(some) == PART_FILES or size > PART_BYTES):
                yield date, some
                some, size = [], one[0].stat().st_size
            some.append(one)
        yield date, some


def _check_same(parts: Sequence[Part], settings: FeatureSettings, reading: dict[str, Any], lake: str) -> None:
    for part in parts[:1]:  # they agree
        has = {**part.settings.model_dump(), **part.reading}
        asked = {**settings.model_dump(), **reading}
        if asked["channel"] is None and has["channel"] in (1, "mean"):
            has["channel"] = None
        for name, value in asked.items():
            if has[name] != value:
                raise InputError(
                    f"{lake} was extracted with {name} {has[name]}, and now {value} is asked for; ask for the"
                    " same, or give another --output"
                )


def _carry_out(tasks: list[Task], workers: int, scheduler: str, progress: bool, device: str) -> None:
    given_up = 0
    files = sum(len(task.files) for task in tasks)
    with tqdm(desc=device, total=files, unit="recording", disable=not progress) as bar:
        for index, result in as_they_end(make, tasks, min(workers, len(tasks)), scheduler):
            if isinstance(result, InputError):
                raise result
            given_up += isinstance(result, BaseException)
            bar.update(len(tasks[index].files))
    if given_up:
        raise InputError(
            f"{count(given_up, 'part')} of {len(tasks)} could not be made, because their processes ended"
            " again and again; the same command tries them once more, with less memory for fewer --workers"
        )


def _report(parts: Sequence[Part], settings: FeatureSettings, reading: dict[str, Any]) -> ExtractionReport:
    """What became of all recordings of the lake; copies are named that lie in different parts, too."""
    files = [file for part in parts for file in part.files]
    first: dict[str, str] = {}
    for file in files:
        if file.status == USED and file.digest and not (file.copy_of or file.faults):
            original = first.setdefault(file.digest, file.recording)
            file.copy_of = "" if original == file.recording else original
    return ExtractionReport(settings, files, Counter(), reading["quality_checks"] != "off")
