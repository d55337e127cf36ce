"""The headers of WAV files, which many recorders leave unfinished.

A recorder that lost power, and a program that writes into a pipe, never go back to say how long the sound is.
What follows the sound (tags, a list of cues) must not be heard, though.
"""

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Claimed by programs that write into a pipe: this much or more, or from a billion bytes on a number that is
# round, and then more than the file holds.
UNKNOWN_BYTES, ROUND_FROM, ROUND_TO = 0x7FFF0000, 1_000_000_000, 100_000_000
SECTOR = 4096  # bytes that a file system may leave behind a sound: no sound
MAX_CHUNKS = 1000
LEFT_TO_DS64 = 0xFFFFFFFF  # of RF64, whose first chunk holds the sizes in 64 bits
TO_ITS_END = "it was read to its end"


@dataclass(frozen=True)
class Wave:
    """Where the sound of a WAV file begins, and how much of it there is."""

    begin: int
    claimed: int  # bytes
    size_at: int  # where the header claims them
    size_bytes: int  # 4, or 8
    size: int  # of the file
    tagged: bool  # whether whole chunks follow what is claimed

    @property
    def there(self) -> int:
        """Bytes from the sound's beginning to the end of the file."""
        return self.size - self.begin

    def remark(self) -> str | None:
        """What is odd about the claim and harmless; raises EOFError if sound is missing."""
        if self.claimed > self.there:
            power = 1 << (self.claimed.bit_length() - 1)  # of two
            near_power = min(self.claimed - power, 2 * power - self.claimed) < SECTOR
            is_round = self.claimed >= ROUND_FROM and (self.claimed % ROUND_TO == 0 or near_power)
            if self.claimed < UNKNOWN_BYTES and not is_round:
                raise EOFError("the sound ends before its header says")
            return f"its header does not say how long it is: {TO_ITS_END}"
        if self.claimed == 0 and self.there and not self.tagged:
            return f"its header claims no sound: {TO_ITS_END}"
        if self.unclaimed:
            return f"its header claims less sound than there is: {TO_ITS_END}"
        return None

    @property
    def unclaimed(self) -> bool:
        """Whether there is sound behind what is claimed."""
        rest = self.there - self.claimed
        return not self.tagged and rest > (0 if self.claimed == 0 else SECTOR)


def look(path: Path) -> Wave | None:
    """Find the sound of a RIFF or RF64 file; None for any other, or one that is too damaged to tell."""
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
            return None
        long_size = None
        for name, claimed, begin in _chunks(file, 12, size):
            if name == b"ds64":
                file.seek(begin)
                long_size = (begin + 8, *struct.unpack_from("<8xQ", file.read(16).ljust(16, b"\0")))
            if name == b"data":
                size_at, size_bytes = begin - 4, 4
                if long_size is not None and claimed == LEFT_TO_DS64:
                    (size_at, claimed), size_bytes = long_size, 8
                after = begin + claimed
                tagged = after < size and any(_fits(file, at, size) for at in {after, after + after % 2})
                return Wave(begin, claimed, size_at, size_bytes, size, tagged)
    return None


class Mended(io.FileIO):
    """The file as it would be if its header claimed all the sound that is there."""

    def __init__(self, path: Path, wave: Wave) -> None:
        super().__init__(path)
        riff = min(wave.size - 8, LEFT_TO_DS64)
        self.patches = {
            4: riff.to_bytes(4, "little"),
            wave.size_at: wave.there.to_bytes(wave.size_bytes, "little"),
        }

    def readinto(self, buffer) -> int:
        """Read, and put the right sizes where the wrong ones are."""
        at = self.tell()
        count = super().readinto(buffer)
        view = memoryview(buffer).cast("B")
        for where, right in self.patches.items():
            for i, byte in enumerate(right, where - at):
                if 0 <= i < count:
                    view[i] = byte
        return count


def _chunks(file: BinaryIO, at: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, bytes claimed, where its content begins) of each chunk from `at` on."""
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, claimed = struct.unpack("<4sI", head)
        yield name, claimed, at + 8
        at += 8 + claimed + claimed % 2


def _fits(file: BinaryIO, at: int, size: int) -> bool:
    """Whether whole chunks with printable names fill the file from `at` to its end."""
    end = at
    for name, claimed, begin in _chunks(file, at, size):
        if not name.isascii() or not name.decode().isprintable() or begin + claimed > size:
            return end > at and size - end < SECTOR
        end = begin + claimed
    return end > at and size - end < SECTOR
