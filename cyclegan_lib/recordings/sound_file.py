"""WAV and FLAC, and what else libsndfile reads."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from cyclegan_lib.recordings.recording import Recording

# what libsndfile notes of a WAV file whose sound is shorter than its header says, and would pass over
CUT = re.compile(r"^data : (\d+) \(should be ", re.MULTILINE)
UNKNOWN_BYTES = 0x7FFF0000  # programs that write into a pipe claim this much or more


class SoundFile(Recording):
    """Whatever libsndfile reads."""

    def __init__(self, path: Path) -> None:
        self.file = soundfile.SoundFile(os.fsencode(path))  # which encodes no name that is not UTF-8
        self.sample_rate, self.channels = self.file.samplerate, self.file.channels
        self.frames = self.file.frames
        cut = CUT.search(self.file.extra_info)
        if cut is not None and int(cut[1]) < UNKNOWN_BYTES:
            self.close()
            raise EOFError("the sound ends before its header says")

    def blocks(self, frames: int, column: int | None) -> Iterator[np.ndarray]:
        """The sound from its beginning, (frames or fewer, channels) float32 at a time."""
        chosen = slice(None) if column is None else slice(column, column + 1)
        while len(block := self.file.read(frames, dtype="float32", always_2d=True)):
            yield block[:, chosen]

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()
