"""Reading recordings: any rate, any channel count, through one door whatever the format of the file."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr

from cyclegan_lib.documents import UNREADABLE
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file
from cyclegan_lib.recordings.sound_file import SoundFile

BLOCK_FRAMES = 1 << 18  # long recordings pass through in blocks: only their mono sound is held
BLOCK_VALUES = 1 << 20  # of all channels: a header may claim 1,024 of them
MAX_HZ = 10_000_000  # acoustic emission is recorded at a few MHz
# A file may hold this many times its bytes in samples of 16 bit, or this many such bytes: FLAC packs noise
# into half, but hours of zeros into a page.
MAX_SOUND_TIMES, MAX_SOUND_BYTES = 100, 64 << 20
RECORDINGS_REMEDY = "give a folder of WAV or FLAC recordings"


class Recording(Protocol):
    """A file that is open, as the reader of its format gives it; all that is asked of it is asked here.

    Opening and reading may raise whatever decoding raises: EOFError where sound ends before the header says.
    """

    sample_rate: int  # Hz
    channels: int
    frames: int

    def blocks(self, frames: int) -> Iterator[np.ndarray]:
        """The sound from its beginning, (frames or fewer, channels) float32 at a time, full scale is 1."""

    def close(self) -> None:
        """Let go of the file."""


# To add a format, write its reader into a file beside sound_file.py, and name it here.
FORMATS: dict[str, Callable[[Path], Recording]] = {".wav": SoundFile, ".flac": SoundFile}
SUFFIXES = tuple(FORMATS)


def read_header(path: Path, channel: int | None = None) -> Recording:
    """Look at a recording's rate, channels and length without its sound; it is closed again.

    Raises InputError if it is missing, unreadable or not a sound file, or has no channel `channel`.
    """
    with _opened(path, channel) as recording:
        return recording


def check_rate(path: Path, rate: int, wanted: int) -> None:
    """Raise InputError if a recording's own `rate` is below the rate `wanted`, both in Hz."""
    if rate < wanted:
        raise InputError(
            f"{path} was recorded at {rate} Hz, so its bands above {rate / 2:g} Hz would be empty;"
            f" ask for --sample-rate {rate} instead of {wanted}, for both devices"
        )


def read_recording(path: Path, sample_rate: int, channel: int | None = None) -> np.ndarray:
    """Read a recording as mono sound at `sample_rate`: float32 (samples,), full scale is 1.

    `sample_rate` in Hz is at most the recording's own. `channel` counts from 1; without it, the mean of all
    channels is read. Raises InputError as `read_header` and `check_rate` do, and if the sound is damaged or
    holds NaN or infinite samples.
    """
    with _opened(path, channel) as recording:
        check_rate(path, recording.sample_rate, sample_rate)
        stream = None
        if recording.sample_rate != sample_rate:
            stream = soxr.ResampleStream(recording.sample_rate, sample_rate, 1, dtype="float32", quality="HQ")
        parts = []
        for block in _blocks(path, recording):
            mono = block.mean(axis=1) if channel is None else np.ascontiguousarray(block[:, channel - 1])
            if not np.isfinite(mono).all():
                raise InputError(f"{path} holds NaN or infinite samples; export it again without gaps")
            parts.append(mono if stream is None else stream.resample_chunk(mono))
    if stream is not None:
        parts.append(stream.resample_chunk(np.empty(0, dtype=np.float32), last=True))
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


@contextmanager
def _opened(path: Path, channel: int | None) -> Iterator[Recording]:
    path = existing_file(path, RECORDINGS_REMEDY)
    try:
        with open(path, "rb") as file:
            file.read(1)
        recording = FORMATS.get(path.suffix.lower(), SoundFile)(path)
    except EOFError as error:
        raise _damaged(path) from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be read ({reason}); give a file that you may read") from error
    except (RuntimeError, *UNREADABLE) as error:
        raise InputError(f"{path} is not a sound file, or is damaged; give a WAV or FLAC file") from error
    with closing(recording):
        rate, channels, frames = recording.sample_rate, recording.channels, recording.frames
        size = path.stat().st_size
        possible = 0 < rate <= MAX_HZ and channels > 0 and frames >= 0
        if not possible or 2 * frames * channels > max(MAX_SOUND_BYTES, MAX_SOUND_TIMES * size):
            raise InputError(
                f"{path} claims {frames} samples in {channels} channels at {rate} Hz, which {size} bytes"
                " cannot hold; copy it again from the recorder"
            )
        if channel is not None and not 1 <= channel <= channels:
            has = "1 channel" if channels == 1 else f"{channels} channels"
            raise InputError(
                f"{path} has {has} and no channel {channel}; give --channel 1 to {channels}, or leave it out"
            )
        yield recording


def _blocks(path: Path, recording: Recording) -> Iterator[np.ndarray]:
    frames = 0
    try:
        for block in recording.blocks(min(BLOCK_FRAMES, BLOCK_VALUES // recording.channels)):
            frames += len(block)
            yield block
    except (EOFError, RuntimeError, *UNREADABLE) as error:
        raise _damaged(path) from error
    if frames < recording.frames:
        raise _damaged(path)


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} ends before its header says, or is damaged; copy it again from the recorder")
