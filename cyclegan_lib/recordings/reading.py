"""Reading recordings: any rate, any channel count, through one door whatever the format of the file."""

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from cyclegan_lib.config import MEAN
from cyclegan_lib.documents import UNREADABLE
from cyclegan_lib.errors import InputError, listed
from cyclegan_lib.files import existing_file
from cyclegan_lib.recordings.facts import Facts, Meter
from cyclegan_lib.recordings.finding import find_recordings
from cyclegan_lib.recordings.formats import FORMATS, RECORDINGS_REMEDY, SUFFIXES, reader_of
from cyclegan_lib.recordings.recording import Recording
from cyclegan_lib.recordings.sound_file import SUFFIXES as SOUND

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Facts",
    "Reading",
    "RecordingStream",
    "check_rate",
    "find_recordings",
    "read_header",
    "read_recording",
]

BLOCK_FRAMES = 1 << 18  # long recordings pass through in blocks: memory does not grow with their length
BLOCK_VALUES = 1 << 20  # of all channels: a header may claim 1,024 of them
MAX_HZ = 10_000_000  # acoustic emission is recorded at a few MHz
# A file may hold this many times its bytes in samples of 16 bit, or this many such bytes: FLAC packs noise
# into half, but hours of zeros into a page.
MAX_SOUND_TIMES, MAX_SOUND_BYTES = 100, 64 << 20


@dataclass(frozen=True)
class Reading:
    """How the files of one device are read."""

    channel: int | str | None = None  # from 1, or a name, or a pattern of one; None, MEAN: the mean of all
    rate_of_files: int | None = None  # Hz, of files that do not state theirs: a stated rate wins
    scale: float = 1.0  # samples are multiplied by it


class RecordingStream:
    """A recording that is open, to be read once, block by block.

    `header` says what its file says; `facts` what is known of its sound, complete after the last block.
    `sample_rate` in Hz is at most the recording's own. Raises InputError as `read_header` and `check_rate`.
    """

    def __init__(self, path: Path, sample_rate: int, reading: Reading = Reading()) -> None:
        self.path, self.sample_rate, self.reading = Path(path), sample_rate, reading
        self.header, self._column = _opened(self.path, reading)
        try:
            check_rate(path, self.header.sample_rate, sample_rate)
        except InputError:
            self.header.close()
            raise
        used = [
            _called(self.header, n) for n in range(self.header.channels) if n not in self.header.no_signal
        ]
        self._meter = Meter(self.header.sample_rate, self.header.channels, reading.scale, used)

    @property
    def facts(self) -> Facts:
        """What is known of the recording so far."""
        facts = self._meter.facts()
        left_out = self._column is None and self.header.no_signal
        out = [f"columns that are no signal, left out: {_no_signals(self.header)}"] if left_out else []
        facts.remarks = [*self.header.remarks, *out, *facts.remarks]
        return facts

    def blocks(self) -> Iterator[np.ndarray]:
        """The mono sound at `sample_rate`: float32 (k,) at a time, scaled; the file is closed at the end.

        Raises InputError if the sound is damaged, or holds NaN or infinite samples.
        """
        header, own, scale = self.header, self.header.sample_rate, np.float32(self.reading.scale)
        stream = None
        if own != self.sample_rate:
            stream = soxr.ResampleStream(own, self.sample_rate, 1, dtype="float32", quality="HQ")
        with closing(header):
            for block in self._read(min(BLOCK_FRAMES, max(1, BLOCK_VALUES // header.channels))):
                with np.errstate(all="ignore"):  # what is beyond float32 becomes infinite, and is refused
                    columns = np.ascontiguousarray(block.T, dtype=np.float32)  # (channels, k)
                    mono = columns[0] if len(columns) == 1 else columns.mean(axis=0)
                if not np.isfinite(mono).all():
                    raise InputError(
                        f"{self.path} holds NaN or infinite samples; export it again without gaps"
                    )
                self._meter.hear(columns, mono)
                if scale != 1:
                    mono = mono * scale
                yield mono if stream is None else stream.resample_chunk(mono)
        if stream is not None:
            yield stream.resample_chunk(np.empty(0, dtype=np.float32), last=True)

    def _read(self, size: int) -> Iterator[np.ndarray]:
        frames = 0
        try:
            for block in self.header.blocks(size, self._column):
                frames += len(block)
                yield block
        except InputError:
            raise
        except (EOFError, RuntimeError, *UNREADABLE) as error:
            raise _damaged(self.path) from error
        if self.header.frames is not None and frames < self.header.frames:
            raise _damaged(self.path)


def read_header(path: Path, reading: Reading = Reading()) -> Recording:
    """Look at a recording's rate, channels and length without its sound; it is closed again.

    Raises InputError if it is missing, unreadable or no recording, has no such channel, or does not state
    its rate, which is not given either.
    """
    recording, _ = _opened(Path(path), reading)
    recording.close()
    return recording


def check_rate(path: Path, rate: int, wanted: int, remedy: str = "") -> None:
    """Raise InputError, with the `remedy`, if a recording's own `rate` is below `wanted`, both in Hz."""
    if rate < wanted:
        raise InputError(
            f"{path} was recorded at {rate} Hz, so its bands above {rate / 2:g} Hz would be empty; "
            + (remedy or f"ask for --sample-rate {rate} instead of {wanted}, for both devices")
        )


def read_recording(path: Path, sample_rate: int, reading: Reading = Reading()) -> np.ndarray:
    """Read a recording whole, as mono sound at `sample_rate`: float32 (samples,), full scale is 1.

    Raises InputError as `RecordingStream` does.
    """
    parts = list(RecordingStream(path, sample_rate, reading).blocks())
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


def _opened(path: Path, reading: Reading) -> tuple[Recording, int | None]:
    """The recording, and which of its columns is read: None for the mean of all."""
    path = existing_file(path, RECORDINGS_REMEDY)
    try:
        with open(path, "rb") as file:
            file.read(1)
        recording = reader_of(path)(path)
    except InputError:
        raise
    except EOFError as error:
        raise _damaged(path) from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be read ({reason}); give a file that you may read") from error
    except (RuntimeError, *UNREADABLE) as error:
        named = path.suffix.lower()
        kind = f"{named} file" if named in FORMATS and named not in SOUND else "sound file"
        raise InputError(
            f"{path} is not a {kind}, or is damaged; give it as WAV, CSV or another known format"
        ) from error
    try:
        recording.sample_rate = recording.sample_rate or _given_rate(path, reading)
        _check_size(path, recording)
        return recording, _column(path, recording, reading.channel)
    except InputError:
        recording.close()
        raise


def _given_rate(path: Path, reading: Reading) -> int:
    if reading.rate_of_files is None:
        raise InputError(f"{path} does not say its sample rate; give it with --sample-rate-of-files HZ")
    return reading.rate_of_files


def _check_size(path: Path, recording: Recording) -> None:
    rate, channels, frames = recording.sample_rate, recording.channels, recording.frames
    size = path.stat().st_size
    possible = 0 < rate <= MAX_HZ and channels > 0 and (frames is None or frames >= 0)
    if not possible or 2 * (frames or 0) * channels > max(MAX_SOUND_BYTES, MAX_SOUND_TIMES * size):
        raise InputError(
            f"{path} claims {frames or 0} samples in {channels} channels at {rate} Hz, which {size} bytes"
            " cannot hold; copy it again from the recorder"
        )


def _column(path: Path, recording: Recording, channel: int | str | None) -> int | None:
    """The index of the channel; None for the mean of all."""
    names, count = recording.names, recording.channels
    if channel in (None, MEAN):
        if len(recording.no_signal) == count:
            raise InputError(f"{path} holds no signal; its columns: {_no_signals(recording)}")
        if recording.apart and count > 1:
            raise InputError(f"{path} holds {count} signals: {recording.apart}; choose one with --channel")
        return None if count > 1 else 0
    if isinstance(channel, str) and channel not in names and channel.isdecimal():
        channel = int(channel)
    if isinstance(channel, int) and recording.apart and any(names):
        raise InputError(
            f"{path} holds several signals, whose order may differ from file to file: {recording.apart}; give"
            " the name of one, or what is common to its names, as --channel"
        )
    index = _named(path, names, channel) if isinstance(channel, str) else _numbered(path, count, channel)
    if index in recording.no_signal:
        raise InputError(
            f"{path}: the column '{_called(recording, index)}' holds {recording.no_signal[index]}, which is"
            " no signal; choose another with --channel"
        )
    return index


def _called(recording: Recording, index: int) -> str:
    """A channel's name, or else its number, as --channel takes it."""
    return (recording.names[index] if recording.names else "") or str(index + 1)


def _no_signals(recording: Recording) -> str:
    """The columns that are no signal, and why, for a sentence."""
    return listed([f"{_called(recording, index)} ({why})" for index, why in recording.no_signal.items()])


def _numbered(path: Path, count: int, channel: int) -> int:
    if not 1 <= channel <= count:
        has = "1 channel" if count == 1 else f"{count} channels"
        raise InputError(
            f"{path} has {has} and no channel {channel}; give --channel 1 to {count}, or leave it out"
        )
    return channel - 1


def _named(path: Path, names: Sequence[str], pattern: str) -> int:
    """The index of the one name that is `pattern`, or else fits it, or else holds it."""
    wanted = pattern.strip().casefold()
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: name == pattern,
        lambda name: name.strip().casefold() == wanted,
        lambda name: fnmatch.fnmatchcase(name.casefold(), wanted),
        lambda name: wanted in name.casefold(),
    )
    for fits in tests:
        found = [index for index, name in enumerate(names) if fits(name)]
        if len(found) > 1:
            both = " and ".join(f"'{names[index]}'" for index in found[:2])
            raise InputError(f"{path}: the channel '{pattern}' may be {both}; give more of its name")
        if found:
            return found[0]
    has = f"its channels: {listed(names)}" if any(names) else "its channels have no names"
    raise InputError(
        f"{path} has no channel '{pattern}' ({has}); give one of them, or its number, as --channel"
    )


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} ends before its header says, or is damaged; copy it again from the recorder")
