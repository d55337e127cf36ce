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

# Programs that write into a pipe claim about a power of two, or a round number, of at least a billion bytes.
PLACEHOLDERS_FROM, ROUND_TO, NEAR = 1_000_000_000, 100_000_000, 1 << 17
SECTOR, FILLED = 4096, 8  # zeros up to a sector, and a few bytes of any kind, behind a sound are none
TAGS = (b"TAG", b"ID3", b"APETAGEX")
MAX_CHUNKS, MAX_FORM = 1000, 1 << 16
LEFT_TO_DS64 = 0xFFFFFFFF  # of RF64, whose first chunk holds the sizes in 64 bits
TO_ITS_END = "it was read to its end"
CLAIMS_LESS = f"its header claims less sound than there is: {TO_ITS_END}"
CLAIMS_NOTHING = f"its header claims no sound: {TO_ITS_END}"
CLAIMS_UNKNOWN = f"its header does not say how long it is: {TO_ITS_END}"


@dataclass(frozen=True)
class Wave:
    """Where the sound of a WAV file begins, and how much of it there is."""

    begin: int
    claimed: int  # bytes
    size: int  # of the file
    form: bytes  # the chunk that says rate, channels and kind of samples
    unclaimed: bool  # whether there is more sound than is claimed

    @property
    def there(self) -> int:
        """Bytes from the sound's beginning to the end of the file."""
        return self.size - self.begin

    def remark(self) -> str | None:
        """What is odd about the claim and harmless; raises EOFError if sound is missing."""
        if self.claimed > self.there:
            if not is_placeholder(self.claimed):
                raise EOFError("the sound ends before its header says")
            return CLAIMS_UNKNOWN
        if self.unclaimed:
            return CLAIMS_LESS if self.claimed else CLAIMS_NOTHING
        return None

    def head(self) -> bytes:
        """What a header would be that claims all the sound that is there: as RF64, for any size."""
        sizes = struct.pack("<4sIQQQI", b"ds64", 28, self.size, self.there, 0, 0)
        form = b"fmt " + struct.pack("<I", len(self.form)) + self.form
        unknown = struct.pack("<I", LEFT_TO_DS64)
        return b"RF64" + unknown + b"WAVE" + sizes + form + b"data" + unknown


def look(path: Path) -> Wave | None:
    """Find the sound of a RIFF or RF64 file; None for any other, or one that is too damaged to tell."""
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
            return None
        long_size, form = 0, b""
        for name, claimed, begin in _chunks(file, 12, size):
            if name == b"ds64":
                file.seek(begin)
                (long_size,) = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))
            if name == b"fmt ":
                file.seek(begin)
                form = file.read(min(claimed, MAX_FORM))
            if name == b"data":
                claimed = long_size if head[:4] != b"RIFF" and claimed == LEFT_TO_DS64 else claimed
                return Wave(begin, claimed, size, form, is_sound(file, begin + claimed, size))
    return None


def is_placeholder(claimed: int) -> bool:
    """Whether these bytes are what a program claims that does not know how long the sound will be."""
    power = 1 << max(0, claimed.bit_length() - 1)  # of two
    near_power = min(claimed - power, 2 * power - claimed) < NEAR
    return claimed >= PLACEHOLDERS_FROM and (near_power or claimed % ROUND_TO == 0)


class Mended(io.RawIOBase):
    """The file as it would be with another `head`, behind which it goes on at the byte `begin`."""

    def __init__(self, path: Path, head: bytes, begin: int) -> None:
        self.file = open(path, "rb", buffering=0)
        self.head, self.begin, self.at = head, begin, 0
        self.size = len(head) + os.stat(path).st_size - begin

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte of the mended file."""
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def tell(self) -> int:
        """The byte of the mended file."""
        return self.at

    def readinto(self, buffer) -> int:
        """Read the new header, then the old sound."""
        view = memoryview(buffer).cast("B")
        part = self.head[self.at : self.at + len(view)]
        view[: len(part)] = part
        self.file.seek(self.begin + max(0, self.at - len(self.head)))
        count = len(part) + self.file.readinto(view[len(part) :])
        self.at += count
        return count

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()
        super().close()


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


def is_sound(file: BinaryIO, at: int, size: int) -> bool:
    """Whether what follows the claimed sound is more of it: no chunks, no tags, no sector filled up."""
    if size - at <= FILLED or _fits(file, at, size) or _fits(file, at + at % 2, size):
        return False
    file.seek(at)
    start = file.read(SECTOR)
    return not start.startswith(TAGS) and (size - at > SECTOR or any(start))


def _fits(file: BinaryIO, at: int, size: int) -> bool:
    """Whether whole chunks with printable names fill the file from `at` to its end."""
    end = at
    for name, claimed, begin in _chunks(file, at, size):
        if not name.isascii() or not name.decode().isprintable() or begin + claimed > size:
            return end > at and size - end < SECTOR
        end = begin + claimed
    return end > at and size - end < SECTOR
