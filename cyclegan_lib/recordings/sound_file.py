"""WAV and FLAC, and what else libsndfile reads."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings import riff
from cyclegan_lib.recordings.recording import Recording

SUFFIXES = (".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".oga")
SUFFIXES += (".opus", ".mp3", ".caf", ".au", ".snd", ".voc")
# what libsndfile notes of W64, AIFF and AU whose sound is shorter than the header says, and would pass over
CUT = re.compile(r"^\s*(?:riff|SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
LAST_PAGE, PAGE_BYTES = 4, 1 << 16  # of OGG: the mark of the last page, and more than a page holds
FLAC_SAMPLES = 21  # where the header of FLAC says how many there are
BEYOND = 1 << 14  # frames that are read at a time where there may be none
MP3_SAMPLES = 3 * 1152  # that encoders may count wrong


class SoundFile(Recording):
    """Whatever libsndfile reads; integer samples are divided by their full scale."""

    def __init__(self, path: Path) -> None:
        wave = riff.look(path)
        remark = wave and wave.remark()
        self.source, flac = None, _flac(path)
        if flac is not None:
            self.source = riff.Mended(path, flac.head, len(flac.head))
        elif wave and wave.unclaimed:
            self.source = riff.Mended(path, wave.head(), wave.begin)
        # as bytes: soundfile encodes no name that is not UTF-8
        self.file = soundfile.SoundFile(self.source or os.fsencode(path))
        self.sample_rate, self.channels = self.file.samplerate, self.file.channels
        self.frames = self.least = self.file.frames
        self.beyond = flac is not None and flac.claimed is not None
        if flac is not None:
            self.file.seekable = lambda: False  # soundfile would seek to an end that is not known
            self.frames, self.least = flac.claimed, flac.claimed or 0
            remark = None if flac.claimed else f"its header does not say how long it is: {riff.TO_ITS_END}"
        elif self.file.format == "MPEG":
            self.frames, self.least = None, self.frames - MP3_SAMPLES
        elif self.file.format == "OGG" and not _ends(path):
            remark = "its end is missing: it was read as far as it goes"
        cut = None if wave else CUT.search(self.file.extra_info)
        if cut is not None and int(cut[2]) < int(cut[1]) and not riff.is_placeholder(int(cut[1])):
            self.close()
            raise EOFError("the sound ends before its header says")
        if self.frames == 0 and not wave and path.stat().st_size > riff.SECTOR:
            self.close()
            raise InputError(
                f"{path} claims to hold no sound, but has {path.stat().st_size} bytes; copy it again from the"
                " recorder, or repair its header"
            )
        self.remarks = (remark,) if remark else ()

    def blocks(self, frames: int, column: int | None) -> Iterator[np.ndarray]:
        """The sound from its beginning, (frames or fewer, channels) at a time."""
        chosen = slice(None) if column is None else slice(column, column + 1)
        count = 0
        while len(block := self._read(frames, count)):
            count += len(block)
            yield block[:, chosen]
        if count < self.least:
            raise EOFError("the sound ends before its header says")
        if self.beyond and count > self.least:
            self.remarks = (riff.CLAIMS_LESS,)

    def _read(self, frames: int, count: int) -> np.ndarray:
        """What follows so many frames; behind those that FLAC claims may be more sound, or tags."""
        if self.beyond:
            frames = min(frames, self.least - count) if count < self.least else BEYOND
        try:
            return self.file.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            if self.beyond and count >= self.least:
                return np.empty((0, self.channels), np.float32)
            raise

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()
        if self.source is not None:
            self.source.close()


class _Flac(NamedTuple):
    head: bytes  # as a stream's, which is read to its end
    claimed: int | None  # samples


def _flac(path: Path) -> _Flac | None:
    """The beginning of a FLAC file without its number of samples (36 bits), and what that was."""
    with open(path, "rb") as file:
        head = bytearray(file.read(FLAC_SAMPLES + 5))
    if not head.startswith(b"fLaC") or len(head) < FLAC_SAMPLES + 5:
        return None
    claimed = int.from_bytes(head[FLAC_SAMPLES:]) & (1 << 36) - 1
    head[FLAC_SAMPLES] &= 0xF0
    head[FLAC_SAMPLES + 1 :] = bytes(4)
    return _Flac(bytes(head), claimed or None)


def _ends(path: Path) -> bool:
    """Whether the last page of an OGG file is there."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - PAGE_BYTES))
        tail = file.read()
    at = tail.rfind(b"OggS")
    return at >= 0 and len(tail) > at + 5 and bool(tail[at + 5] & LAST_PAGE)
