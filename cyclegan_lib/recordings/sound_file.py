"""WAV and FLAC, and what else libsndfile reads."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

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
MP3_SAMPLES = 3 * 1152  # that encoders may count wrong


class SoundFile(Recording):
    """Whatever libsndfile reads; integer samples are divided by their full scale."""

    def __init__(self, path: Path) -> None:
        wave = riff.look(path)
        remark = wave and wave.remark()
        source = riff.Mended(path, wave) if wave and wave.unclaimed else None
        self.source = source
        # as bytes: soundfile encodes no name that is not UTF-8
        self.file = soundfile.SoundFile(os.fsencode(path) if source is None else source)
        self.sample_rate, self.channels = self.file.samplerate, self.file.channels
        self.frames = self.least = self.file.frames
        if self.frames == np.iinfo(np.int64).max:  # FLAC from a pipe
            remark, self.frames, self.least = (
                f"its header does not say how long it is: {riff.TO_ITS_END}",
                None,
                0,
            )
            self.file.seekable = lambda: False  # soundfile would seek to an end that is not known
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
        while len(block := self.file.read(frames, dtype="float32", always_2d=True)):
            count += len(block)
            yield block[:, chosen]
        if count < self.least:
            raise EOFError("the sound ends before its header says")

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()
        if self.source is not None:
            self.source.close()


def _ends(path: Path) -> bool:
    """Whether the last page of an OGG file is there."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - PAGE_BYTES))
        tail = file.read()
    at = tail.rfind(b"OggS")
    return at >= 0 and len(tail) > at + 5 and bool(tail[at + 5] & LAST_PAGE)
