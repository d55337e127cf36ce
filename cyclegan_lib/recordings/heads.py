"""What FLAC, AU and CAF files claim to hold, and heads for them with which all that is there is read."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cyclegan_lib.recordings import riff

FLAC_SAMPLES = 21  # where FLAC says how many there are, in 36 bits
UNKNOWN = 0xFFFFFFFF  # of AU


class Head(NamedTuple):
    """The beginning of a file as it should be."""

    content: bytes
    samples: int | None = None  # that are claimed; whether there are more is known at their end
    remark: str | None = None


def mended(path: Path) -> Head | None:
    """The head of a file with which all of it is read; None where its own does that, or is another's."""
    with open(path, "rb") as file:
        start = file.read(FLAC_SAMPLES + 5)
        reads = {b"fLaC": _flac, b".snd": _au, b"caff": _caf}.get(start[:4])
        return None if reads is None or len(start) < FLAC_SAMPLES + 5 else reads(file, start)


def _flac(file: BinaryIO, start: bytes) -> Head:
    samples = int.from_bytes(start[FLAC_SAMPLES:]) & (1 << 36) - 1
    head = start[:FLAC_SAMPLES] + bytes([start[FLAC_SAMPLES] & 0xF0]) + bytes(4)  # as of a stream
    return Head(head, samples or None, None if samples else riff.CLAIMS_UNKNOWN)


def _au(file: BinaryIO, start: bytes) -> Head | None:
    begin, claimed = struct.unpack(">4xII", start[:12])
    there = os.fstat(file.fileno()).st_size - begin
    if claimed >= there or (claimed and not riff.is_sound(file, begin + claimed, begin + there)):
        return None
    remark = riff.CLAIMS_LESS if claimed else riff.CLAIMS_NOTHING
    return Head(start[:8] + struct.pack(">I", UNKNOWN), remark=remark)


def _caf(file: BinaryIO, start: bytes) -> Head | None:
    size = os.fstat(file.fileno()).st_size
    for name, claimed, begin in _caf_chunks(file, 8):
        if name == b"data":
            if claimed < 0:
                remark = riff.CLAIMS_UNKNOWN
            elif begin + claimed + riff.FILLED >= size or _fits(file, begin + claimed, size):
                return None
            else:
                remark = riff.CLAIMS_LESS if claimed > 4 else riff.CLAIMS_NOTHING  # a counter is before it
            file.seek(0)
            return Head(file.read(begin - 8) + struct.pack(">q", size - begin), remark=remark)
    return None


def _fits(file: BinaryIO, at: int, size: int) -> bool:
    """Whether chunks with printable names fill the file from `at` to its end."""
    for name, claimed, begin in _caf_chunks(file, at):
        if not name.isascii() or not name.decode().isprintable() or not 0 <= claimed <= size - begin:
            return False
    return True


def _caf_chunks(file: BinaryIO, at: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, bytes claimed, where its content begins) of each chunk from `at` on."""
    for _ in range(riff.MAX_CHUNKS):
        file.seek(at)
        head = file.read(12)
        if len(head) < 12:
            return
        name, claimed = struct.unpack(">4sq", head)
        yield name, claimed, at + 12
        at += 12 + max(0, claimed)
