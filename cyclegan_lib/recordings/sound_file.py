"""WAV and FLAC, and what else libsndfile reads."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import name_for_c
from cyclegan_lib.recordings import heads, riff
from cyclegan_lib.recordings.recording import Recording

SUFFIXES = (".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".oga")
SUFFIXES += (".opus", ".mp3", ".caf", ".au", ".snd", ".voc")
# what libsndfile notes of W64, AIFF and AU whose sound is shorter than the header says, and would pass over
CUT = re.compile(r"^\s*(?:riff|SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
LAST_PAGE, PAGE_BYTES = 4, 1 << 16  # of OGG: the mark of the last page, and more than a page holds
OGG_STREAM = slice(14, 18)  # of a page: to which sound it belongs
BEYOND = 1 << 14  # frames that are read at a time where there may be none
MP3_SAMPLES = 3 * 1152  # that encoders may count wrong


class SoundFile(Recording):
    """Whatever libsndfile reads; integer samples are divided by their full scale."""

    def __init__(self, path: Path) -> None:
        wave = riff.look(path)
        remark = wave and wave.remark()
        self.source, head = None, heads.mended(path)
        if wave and wave.unclaimed:
            self.source = riff.Mended(path, wave.head(), wave.begin)
        elif head is not None:
            self.source, remark = riff.Mended(path, head.content, len(head.content)), head.remark
        self.file = soundfile.SoundFile(self.source or name_for_c(path))
        self.sample_rate, self.channels = self.file.samplerate, self.file.channels
        self.frames = self.least = self.file.frames
        self.beyond = head is not None and head.samples is not None
        if self.file.format == "FLAC" and head is not None:
            self.file.seekable = lambda: False  # soundfile would seek to an end that is not known
            self.frames, self.least = head.samples, head.samples or 0
        elif self.file.format == "MPEG":
            self.frames, self.least = None, self.frames - MP3_SAMPLES
        elif self.file.format == "OGG":
            remark = _about_pages(path)
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


def _about_pages(path: Path) -> str | None:
    """What is odd about an OGG file: its last page is missing, or that of another sound."""
    with open(path, "rb") as file:
        first = file.read(OGG_STREAM.stop)
        file.seek(max(0, path.stat().st_size - PAGE_BYTES))
        tail = file.read()
    last = tail[max(0, tail.rfind(b"OggS")) :]
    if not last.startswith(b"OggS") or len(last) < OGG_STREAM.stop or not last[5] & LAST_PAGE:
        return "its end is missing: it was read as far as it goes"
    if last[OGG_STREAM] != first[OGG_STREAM]:
        return "it holds several sounds, of which the first was read: save it as one"
    return None
