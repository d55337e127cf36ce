"""What a reader of a format is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np


class Recording(ABC):
    """A file that is open, as the reader of its format gives it; all that is asked of it is asked here.

    Opening and reading may raise whatever decoding raises: EOFError where sound ends before the header says,
    InputError where a sentence of its own says more.
    """

    sample_rate: int | None = None  # Hz; None: the file does not state it
    channels: int
    frames: int | None = None  # None: known at the end only
    names: tuple[str, ...] = ()  # of the channels, if they have any
    apart: str = ""  # channels that cannot be averaged, as a list for a sentence: one must be chosen
    # why a channel, by its index, is no sound: "time stamps"; none is averaged
    no_signal: Mapping[int, str] = {}
    remarks: tuple[str, ...] = ()  # what is odd about the file, as in `Facts`

    @abstractmethod
    def __init__(self, path: Path) -> None:
        """Open the file."""

    @abstractmethod
    def blocks(self, frames: int, column: int | None) -> Iterator[np.ndarray]:
        """The sound from its beginning, (frames or fewer, channels) numbers at a time.

        Sound files' full scale is 1; others' values are as they stand. Channels that are no signal are left
        out. `column` is the one channel that is wanted, from 0: (frames or fewer, 1); None: all of them.
        """

    def close(self) -> None:  # noqa: B027 (some have nothing to let go of)
        """Let go of the file."""
