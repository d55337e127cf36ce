"""Finding recordings and reading them: any rate, any channel count, WAV or FLAC."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.files import existing_file

SUFFIXES = (".wav", ".flac")
BLOCK_FRAMES = 1 << 18  # long recordings pass through in blocks: only their mono sound is held
BLOCK_VALUES = 1 << 20  # of all channels: a header may claim 1,024 of them
MOST_HZ = 10_000_000  # acoustic emission is recorded at a few MHz
# A file may hold this many times its bytes in samples of 16 bit, or this many such bytes: FLAC packs noise
# into half, but hours of zeros into a page.
MOST_TIMES, MOST_BYTES = 100, 64 << 20
# what libsndfile notes of a WAV file whose sound is shorter than its header says, and would pass over
CUT = re.compile(r"^data : (\d+) \(should be ", re.MULTILINE)
UNKNOWN_BYTES = 0x7FFF0000  # programs that write into a pipe claim this much or more
LONGEST_NAMED = 300  # letters of a name in a sentence
REMEDY = "give a folder of WAV or FLAC recordings"


@dataclass(frozen=True)
class SoundHeader:
    """What a sound file says about itself.

    Attributes
    ----------
    sample_rate : int, Hz
    channels, frames : int
    """

    sample_rate: int
    channels: int
    frames: int


def find_recordings(source: Path, recordings_list: Path | None = None) -> list[Path]:
    """Return the sound files to read, in the order of their names (or of the list).

    Parameters
    ----------
    source : Path
        A folder, searched with its subfolders for .wav and .flac files (hidden ones are left out), or one
        sound file.
    recordings_list : Path, optional
        A text file with one recording on each line: its path from `source`, with or without suffix. Empty
        lines and lines that start with # are passed over.

    Raises
    ------
    InputError
        If something named does not exist, nothing is found, or two files have the same recording name.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(f"{source} does not exist; {REMEDY}")
    if recordings_list is not None:
        if not source.is_dir():
            raise InputError(
                f"{source} is not a folder; with a list, give the folder that holds its recordings"
            )
        found = _listed(source, Path(recordings_list))
    elif source.is_dir():
        found = sorted(path for path in _walk(source) if path.suffix.lower() in SUFFIXES)
        if not found:
            raise InputError(f"{source} holds no .wav or .flac file; {REMEDY}")
    else:
        found = [source]
    _refuse_duplicates(found, source)
    return found


def recording_name(path: Path, source: Path) -> str:
    """A recording's name: its path from the folder `source`, without suffix, with forward slashes.

    It goes into feature sets as text: control characters and bytes that are not UTF-8 are written as escapes.
    """
    path = Path(path).with_suffix("")
    return printable(path.relative_to(source).as_posix() if Path(source).is_dir() else path.name)


def read_header(path: Path, channel: int | None = None) -> SoundHeader:
    """Read a sound file's rate, channels and length without its sound.

    Raises
    ------
    InputError
        If the file is missing, unreadable or not a sound file, or has no channel `channel`.
    """
    with _opened(path) as file:
        _check_channel(path, file.channels, channel)
        return SoundHeader(file.samplerate, file.channels, file.frames)


def check_rate(path: Path, rate: int, wanted: int) -> None:
    """Raise InputError if a recording's own `rate` is below the rate `wanted`, both in Hz."""
    if rate < wanted:
        raise InputError(
            f"{path} was recorded at {rate} Hz, so its bands above {rate / 2:g} Hz would be empty;"
            f" ask for --sample-rate {rate} instead of {wanted}, for both devices"
        )


def read_recording(path: Path, sample_rate: int, channel: int | None = None) -> np.ndarray:
    """Read a recording as mono sound at `sample_rate`.

    Parameters
    ----------
    path : Path
    sample_rate : int, Hz
        At most the recording's own rate.
    channel : int, optional
        Which channel, counted from 1; without it the mean of all channels.

    Returns
    -------
    float32 array, (samples,), full scale is 1

    Raises
    ------
    InputError
        As `read_header` and `check_rate`; also if the sound is damaged, or holds NaN or infinite samples.
    """
    with _opened(path) as file:
        _check_channel(path, file.channels, channel)
        check_rate(path, file.samplerate, sample_rate)
        stream = None
        if file.samplerate != sample_rate:
            stream = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="HQ")
        parts = []
        frames = 0
        try:
            most = min(BLOCK_FRAMES, BLOCK_VALUES // file.channels)
            while len(block := file.read(most, dtype="float32", always_2d=True)):  # (frames, channels)
                mono = block.mean(axis=1) if channel is None else np.ascontiguousarray(block[:, channel - 1])
                if not np.isfinite(mono).all():
                    raise InputError(f"{path} holds NaN or infinite samples; export it again without gaps")
                frames += len(mono)
                parts.append(mono if stream is None else stream.resample_chunk(mono))
        except soundfile.LibsndfileError as error:
            raise _damaged(path) from error
        if frames < file.frames:
            raise _damaged(path)
    if stream is not None:
        parts.append(stream.resample_chunk(np.empty(0, dtype=np.float32), last=True))
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


def _opened(path: Path) -> soundfile.SoundFile:
    path = existing_file(path, REMEDY)
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give a file that you may read"
        ) from error
    try:
        sound = soundfile.SoundFile(os.fsencode(path))  # soundfile itself encodes no name that is not UTF-8
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a suffix such as .raw has no header
        raise InputError(f"{path} is not a sound file, or is damaged; give a WAV or FLAC file") from error
    cut = CUT.search(sound.extra_info)
    if cut is not None and int(cut[1]) < UNKNOWN_BYTES:
        sound.close()
        raise _damaged(path)
    samples, size = 2 * sound.frames * sound.channels, path.stat().st_size
    if sound.samplerate > MOST_HZ or sound.frames < 0 or samples > max(MOST_BYTES, MOST_TIMES * size):
        sound.close()
        raise InputError(
            f"{path} claims {sound.frames} samples in {sound.channels} channels at {sound.samplerate} Hz,"
            f" which {size} bytes cannot hold; copy it again from the recorder"
        )
    return sound


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} ends before its header says, or is damaged; copy it again from the recorder")


def _check_channel(path: Path, channels: int, channel: int | None) -> None:
    if channel is not None and not 1 <= channel <= channels:
        has = "1 channel" if channels == 1 else f"{channels} channels"
        raise InputError(
            f"{path} has {has} and no channel {channel}; give --channel 1 to {channels}, or leave it out"
        )


def _walk(folder: Path) -> list[Path]:
    """All files under `folder` of which no part is hidden (macOS leaves ._name.wav beside name.wav)."""
    files = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return [path for path in files if not any(p.startswith(".") for p in path.relative_to(folder).parts)]


def _listed(source: Path, recordings_list: Path) -> list[Path]:
    existing_file(recordings_list, "give a text file with one recording on each line")
    try:
        lines = recordings_list.read_text(encoding="utf-8-sig").split("\n")  # other line ends may be in names
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{recordings_list} is not a readable UTF-8 text file; give one name on each line"
        ) from error
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.strip().startswith("#"):
            found.append(_listed_file(source, line, f"{recordings_list}, line {number}"))
    if not found:
        raise InputError(f"{recordings_list} names no recording; give one name on each line")
    return found


def _listed_file(source: Path, line: str, where: str) -> Path:
    name = line.strip()
    try:
        # spaces around a name are no part of it, unless a recording is called so
        name = line if line != name and _called(source / line) else name
        path = source / name
        inside = os.path.relpath(os.path.realpath(path), os.path.realpath(source))
        outside = inside.split(os.sep)[0] == ".."
        if Path(name).is_absolute() or ".." in Path(name).parts:  # however it is listed, it has one name
            path = source / inside
        found = [] if outside else _called(path)
    except (OSError, ValueError) as error:  # too long, links in a circle, a zero in it
        raise InputError(f"{where}: '{name[:100]}' is no name of a file; correct the name") from error
    name = name[:LONGEST_NAMED]
    if outside:
        raise InputError(
            f"{where}: '{name}' lies outside {source}; give the folder that holds all recordings"
        )
    if not found:
        raise InputError(
            f"{where}: there is no recording '{name}' in {source}; correct the name or remove the line"
        )
    if len(found) > 1:
        raise InputError(
            f"{where}: '{name}' may be {found[0].name} or {found[1].name}; give it with its suffix"
        )
    return found[0]


def _called(path: Path) -> list[Path]:
    """The sound file at `path`, or those at `path` with a suffix."""
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return [path]
    # the suffix is joined, not replaced: a name may itself hold a full stop
    return sorted(
        other
        for other in path.parent.glob("*")
        if other.stem == path.name and other.suffix.lower() in SUFFIXES and other.is_file()
    )


def _refuse_duplicates(found: list[Path], source: Path) -> None:
    seen: dict[str, Path] = {}
    for path in found:
        name = recording_name(path, source)
        if name in seen:
            twice = (
                f"{path} is listed twice" if seen[name] == path else f"{seen[name]} and {path} have one name"
            )
            raise InputError(f"{twice}, '{name}', but a recording's name must be its own; keep one of them")
        seen[name] = path
