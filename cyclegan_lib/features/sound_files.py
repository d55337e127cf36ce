"""A device's recordings, found and checked, then read and sliced one after another, in as many processes."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from cyclegan_lib import parallel
from cyclegan_lib.config import MEAN, FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import extraction_report as report
from cyclegan_lib.features.extraction_report import ExtractionReport, FileReport
from cyclegan_lib.features.feature_set import FeatureSet
from cyclegan_lib.features.log_mel import NEAR_FLOOR_DB, check_settings, in_sequences, least_s, slices_of
from cyclegan_lib.recordings.facts import Facts
from cyclegan_lib.recordings.finding import Found, find_recordings, recording_name
from cyclegan_lib.recordings.reading import Reading, RecordingStream, check_rate, read_header
from cyclegan_lib.system import processors

WORTH_A_PROCESS = 128 << 20  # bytes of recordings: starting a process takes as long as extracting some 50
TASK_FILES, TASK_BYTES = 32, 32 << 20  # of recordings that a process reads at a time
KEPT_BYTES = 16 << 20  # more than any array that a recording needs for a while
PIECE = "@{:04d}s"  # after the name of a recording that is split: where the piece starts

OnDamaged = Literal["error", "skip"]
QualityChecks = Literal["warn", "skip", "off"]


@dataclass
class Heard:
    """What one process hands back of a file."""

    slices: np.ndarray | None = None  # (slices, n_features) float32 dB
    samples: int = 0  # of mono sound, at the rate of the settings
    facts: Facts | None = None
    error: str = ""  # why it is damaged, a sentence


class SoundFiles:
    """The recordings of one device, found and checked, to be sliced one at a time.

    `source`, `recordings_list` and `table` are those of `find_recordings`; ``settings.channel`` and
    ``settings.scale`` say what is read of each file, and `rate_of_files` (Hz) the rate of those that do not
    state theirs. Files that cannot be used are refused, all together, or left out (`on_damaged` "error",
    "skip"). Recordings that are silent, constant, half silent, clipped or copies of others are named, left
    out or taken as they are (`quality_checks` "warn", "skip", "off"). `split_every` makes of each recording
    several of so many whole seconds, ``name@0000s``, ``name@0600s``, ...: one long recording is not one
    moment. The work is shared by `workers` processes, left out: one for each processor where that pays; what
    comes out does not depend on it. `low_rate` is the remedy for recordings made at a lower rate than the
    settings', where these are not to be changed. `found` are recordings in `source` that were found before,
    of which nothing is refused: all of what became of them is in the report.

    `paths` and `names` are in the order of reading; `report` says what became of the files. Raises InputError
    if there are none, or the settings do not fit them.
    """

    def __init__(
        self,
        source: Path,
        settings: FeatureSettings,
        recordings_list: Path | None = None,
        rate_of_files: int | None = None,
        on_damaged: OnDamaged = "error",
        quality_checks: QualityChecks = "warn",
        split_every: int | None = None,
        workers: int | None = None,
        low_rate: str = "",
        table: Path | None = None,
        found: Found | None = None,
    ) -> None:
        check_settings(settings)
        if split_every is not None and split_every < 1:
            raise InputError(
                f"recordings cannot be split every {split_every} s; give --split-every 1 or more"
            )
        self.source, self.settings, self.split_every = Path(source), settings, split_every
        self.low_rate = low_rate
        self.refuses = found is None
        self.skip_damaged, self.quality_checks = on_damaged == "skip", quality_checks
        self.reading = Reading(settings.channel, rate_of_files, settings.scale)
        self.paths = find_recordings(self.source, recordings_list, table) if found is None else found
        self.source = self.paths.folder
        self.names = [recording_name(path, self.source) for path in self.paths]
        files = [FileReport(str(path), name) for path, name in zip(self.paths, self.names, strict=True)]
        self.report = ExtractionReport(settings, files, self.paths.passed_over, quality_checks != "off")
        size = sum(path.stat().st_size for path in self.paths)
        self.workers = workers or max(1, min(processors(), size // WORTH_A_PROCESS))
        self._all_whole = split_every is None
        self._digests: dict[str, str] = {}  # names of recordings by their features
        self._check_headers()
        if settings.channel is None:  # what a set says, and a model that is trained on it
            mono = {file.channels for file in self.report.files} <= {1, None}
            self.settings = settings.model_copy(update={"channel": 1 if mono else MEAN})

    def _check_headers(self) -> None:
        """Look at every header before any sound is read."""
        for path, file in zip(self.paths, self.report.files, strict=True):
            try:
                header = read_header(path, self.reading)
            except InputError as error:
                file.status, file.reason = report.DAMAGED, str(error)
                continue
            file.rate, file.channels = header.sample_rate, header.channels
            # a sample may be lost in resampling
            whole_s = self.settings.needed_s + 2 / self.settings.sample_rate
            self._all_whole &= header.frames is not None and header.frames >= whole_s * header.sample_rate
        low = [file for file in self.report.files if file.rate and file.rate < self.settings.sample_rate]
        if not low:
            return
        lowest = min(low, key=lambda file: file.rate)
        try:
            self._check_rate(lowest)
        except InputError as error:
            all_low = len(low) == sum(file.rate is not None for file in self.report.files)
            if self.refuses and (not self.skip_damaged or all_low):
                raise
            for file in low:
                file.status, file.reason = report.LOW_RATE, str(error)

    def _check_rate(self, file: FileReport) -> None:
        """Say which rate to ask for: one that will do."""
        try:
            at_its_rate = {**self.settings.model_dump(), "sample_rate": file.rate}
            check_settings(FeatureSettings.checked(file.path, **at_its_rate))
        except InputError as error:
            raise InputError(
                f"{file.path} was recorded at {file.rate} Hz, too low for {self.settings.n_features} mel"
                f" bands above {self.settings.f_min:g} Hz; leave it out"
            ) from error
        check_rate(Path(file.path), file.rate, self.settings.sample_rate, self.low_rate)

    def sliced(self, device: str, progress: bool = True, title: str = "") -> Iterator[FeatureSet]:
        """Read and slice one file after another, with a progress bar called `title`, or as the device.

        Yields the sequences of one file each, in their order: features padded to ``settings.slices``, and how
        many of them are real, unless all are, of all files. Files too short for a sequence are left out, and
        named in the report. Raises InputError if files are damaged (all of them are named: the others are
        read on for that), or none gives a sequence.
        """
        self._refuse_damaged()
        waiting = [file for file in self.report.files if file.status == report.NOT_READ]
        width = max(map(len, self.names)) + (len(PIECE.format(0)) + 4 if self.split_every else 0)
        heard = tqdm(
            self._heard(waiting), title or device, len(waiting), unit="recording", disable=not progress
        )
        for file, sound in zip(waiting, heard, strict=True):
            pieces = self._sequences(file, sound)
            if not pieces:
                continue
            real = np.concatenate([np.full(len(features), features.shape[1]) for _, features, _ in pieces])
            yield FeatureSet(
                features=_joined([_padded(features, self.settings.slices) for _, features, _ in pieces]),
                recording=np.concatenate([np.full(len(f), name, f"<U{width}") for name, f, _ in pieces]),
                start_s=np.concatenate([start_s for _, _, start_s in pieces]),
                device=device,
                settings=self.settings,
                slices=None if self._all_whole else real,
            )
        self._refuse_damaged()
        if self.refuses and not self.report.sequences:
            self._refuse_all()

    def file_of(self, recording: str) -> str:
        """The name of the file that a recording, which may be a piece of it, was made of."""
        return recording.rpartition("@")[0] if self.split_every else recording

    def _heard(self, files: list[FileReport]) -> Iterator[Heard]:
        """What is heard in the files, in their order, by this process or several."""
        tasks: list[list[Path]] = []
        size = 0
        for path in (Path(file.path) for file in files):
            size += path.stat().st_size
            if not tasks or self.workers == 1 or len(tasks[-1]) == TASK_FILES or size > TASK_BYTES:
                tasks.append([])
                size = path.stat().st_size
            tasks[-1].append(path)
        hear_all = partial(_hear_all, self.settings, self.reading)
        for results in parallel.each(hear_all, tasks, min(self.workers, len(tasks)), _is_short):
            yield from results

    def _sequences(self, file: FileReport, heard: Heard) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """The recordings made of a file: name, (sequences, slices, 40) dB, starts (sequences,) in seconds.

        None where it is left out: its report says why.
        """
        if heard.error:
            file.status, file.reason = report.DAMAGED, heard.error
            return []
        facts, slices = heard.facts, heard.slices
        file.seconds, file.channels, file.averaged = facts.seconds, facts.channels, facts.averaged
        file.peak, file.dc_offset, file.clipped = facts.peak, facts.offset, facts.clipped
        file.rms_db = 20 * math.log10(facts.rms) if facts.rms else -math.inf
        file.floor = float((slices < NEAR_FLOOR_DB).mean()) if len(slices) else None
        file.remarks, file.faults = facts.remarks, facts.faults
        if len(slices) and not (facts.silent or facts.constant):
            file.digest = hashlib.sha256(slices).hexdigest()
            file.copy_of = self._digests.setdefault(file.digest, file.recording)
            file.copy_of = "" if file.copy_of == file.recording else file.copy_of
        pieces = list(self._pieces(file.recording, heard))
        whole = [(name, features, start_s) for name, features, start_s, _ in pieces if len(features)]
        if not whole:
            file.status = report.TOO_SHORT
            file.reason = f"{facts.seconds:.3g} s of sound; {least_s(self.settings):g} s are needed"
        elif self.quality_checks == "skip" and (file.faults or file.copy_of):
            file.status = file.faults[0].partition(":")[0] if file.faults else report.COPY
            file.reason = file.faults[0] if file.faults else f"a copy of {file.copy_of}"
        else:
            file.status, file.parts = report.USED, len(whole)
            file.sequences = sum(len(features) for _, features, _ in whole)
            file.short = sum(len(f) for _, f, _ in whole if f.shape[1] < self.settings.slices)
            file.left_over_s = sum(left_over_s for *_, left_over_s in pieces)
            return whole
        return []

    def _pieces(self, name: str, heard: Heard) -> Iterator[tuple[str, np.ndarray, np.ndarray, float]]:
        """The recordings that a file is split into, in sequences; and the seconds that each leaves over."""
        if self.split_every is None:
            yield name, *in_sequences(heard.slices, heard.samples, self.settings)
            return
        samples, slices = self.split_every * self.settings.sample_rate, heard.slices
        step = round(self.split_every / self.settings.slice_hop_s)  # slices
        for piece in range(-(-heard.samples // samples)):
            of_piece = slices[piece * step : (piece + 1) * step]
            rest = min(samples, heard.samples - piece * samples)
            named = name + PIECE.format(piece * self.split_every)
            yield named, *in_sequences(of_piece, rest, self.settings)

    def _refuse_damaged(self) -> None:
        """Raise InputError if files are damaged and none may be, or all are."""
        files = self.report.files
        damaged = [file.reason for file in files if file.status == report.DAMAGED]
        if not (damaged and self.refuses) or (self.skip_damaged and len(damaged) < len(files)):
            return
        if len(damaged) == 1:
            raise InputError(
                damaged[0] + ("" if len(files) == 1 else ", or leave it out with --on-damaged skip")
            )
        reasons = "; ".join(reason.partition("; ")[0] for reason in damaged[: report.NAMED])
        more = f"; and {len(damaged) - report.NAMED} more" if len(damaged) > report.NAMED else ""
        remedy = "mend them" if len(damaged) == len(files) else "leave them out with --on-damaged skip"
        raise InputError(
            f"{len(damaged)} of {len(files)} recordings in {self.source} cannot be used: {reasons}{more};"
            f" {remedy}"
        )

    def _refuse_all(self) -> None:
        """Raise InputError: no recording gives a sequence."""
        statuses = Counter(file.status for file in self.report.files)
        if set(statuses) == {report.TOO_SHORT}:
            raise InputError(
                f"{self.source} holds no recording of at least {least_s(self.settings):g} s, which one"
                " sequence needs; give longer recordings"
            )
        why = ", ".join(f"{number} {status}" for status, number in statuses.items())
        raise InputError(f"{self.source} holds no recording that can be used ({why}); give others")


def _padded(features: np.ndarray, slices: int) -> np.ndarray:
    """Sequences (n, k, 40) as (n, slices, 40), zeros behind."""
    missing = slices - features.shape[1]
    return np.pad(features, ((0, 0), (0, missing), (0, 0))) if missing else features


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)  # those of a day are not copied


def _is_short(paths: list[Path]) -> bool:
    return sum(path.stat().st_size for path in paths) <= TASK_BYTES


def _hear_all(settings: FeatureSettings, reading: Reading, paths: list[Path]) -> list[Heard]:
    return [hear(path, settings, reading) for path in paths]


def hear(path: Path, settings: FeatureSettings, reading: Reading) -> Heard:
    """Read a recording and slice it, block by block."""
    # glibc gives memory back, to take it again page by page for the next recording (a third of all time),
    # from twice the largest block on that was ever freed: here is one, which no page is taken for
    np.empty(KEPT_BYTES, np.uint8)
    samples = 0

    def counted(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        nonlocal samples
        for block in blocks:
            samples += len(block)
            yield block

    try:
        stream = RecordingStream(path, settings.sample_rate, reading)
        slices = [np.empty((0, settings.n_features), np.float32)]
        with np.errstate(over="ignore", invalid="ignore"):
            slices = np.concatenate([*slices, *slices_of(counted(stream.blocks()), settings)])
        if not np.isfinite(slices).all():
            raise InputError(f"{path} is too loud for --scale {settings.scale:g}; give a smaller one")
        return Heard(slices, samples, stream.facts)
    except InputError as error:
        return Heard(error=str(error))
