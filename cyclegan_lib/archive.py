"""Numpy's files, looked at before they are read: what a header claims must be what is there.

A header of some bytes may claim terabytes, and a few packed kilobytes may unpack to them. Both are found here
in the headers alone, before anything of that size is allocated.
"""

import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from cyclegan_lib.errors import InputError

# what numpy, zipfile and zlib raise for an empty, truncated, encrypted or foreign file, whatever its name
DAMAGED = (OSError, EOFError, KeyError, RuntimeError, TypeError, AttributeError, IndexError, OverflowError)
DAMAGED += (ValueError, zipfile.BadZipFile, zlib.error, struct.error)
MAX_MEMBERS = 64  # a feature set has six
# Packed members may unpack to this many times the file's size, or to this many bytes.
MAX_UNPACKED_TIMES, MAX_UNPACKED_BYTES = 100, 64 << 20
READ_BYTES = 1 << 20  # read at a time
PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # as np.savez and np.savez_compressed write them
# by the version of numpy's format
READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Header(NamedTuple):
    """What a file says about one of its arrays."""

    shape: tuple[int, ...]
    columns_first: bool  # Fortran order: the rows lie scattered over the file
    dtype: np.dtype


class Wrong(ValueError):
    """What is wrong with a file, for its sentence."""


class Archive:
    """An .npz: its headers at once, its arrays whole or in parts of some rows.

    Raises InputError with `remedy`, when it is opened or later, if the file is damaged, holds Python objects,
    lacks one of the `required` arrays, or unpacks without end.
    """

    def __init__(self, path: Path, required: Sequence[str], remedy: str) -> None:
        self.path, self.remedy = path, remedy
        self.headers: dict[str, Header] = {}
        with self._opened():
            pass
        for name in required:
            if name not in self.headers:
                raise InputError(f"{path} lacks the array '{name}'; {remedy}")

    def arrays(self, *names: str) -> list[np.ndarray]:
        """The arrays called so, whole."""
        with self._opened() as archive:
            return [_whole(archive, name) for name in names]

    def parts(self, names: Sequence[str], size: int) -> Iterator[dict[str, np.ndarray]]:
        """The arrays called so, as far as there are any, `size` rows of each at a time.

        Of those in Fortran order the whole is in memory.
        """
        with self._opened() as archive:
            columns = {
                name: _rows(archive, name, self.headers[name], size) for name in names if name in self.headers
            }
            for parts in zip(*columns.values(), strict=True):
                yield dict(zip(columns, parts, strict=True))

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        """Look at the file before it is read, and name it and the remedy in whatever goes wrong then."""
        try:
            with self.path.open("rb") as file:
                array = file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX
            if array and self.path.suffix.lower() == ".npz":
                raise InputError(f"{self.path} is an array named .npz; rename it to .npy, or {self.remedy}")
            with zipfile.ZipFile(self.path) as archive:
                self.headers = _headers(archive, self.path.stat().st_size)
                yield archive
        except InputError:
            raise
        except Wrong as wrong:
            raise InputError(f"{self.path} {wrong}; {self.remedy}") from wrong
        except DAMAGED as error:
            raise InputError(f"{self.path} is damaged or not an .npz file; {self.remedy}") from error


def open_array(path: Path, remedy: str) -> np.ndarray:
    """The array of an .npy as a memory map, of which only what is looked at is read.

    Raises InputError with `remedy` if it is not what its header says, or holds Python objects.
    """
    try:
        with path.open("rb") as file:
            _checked_header(file, path.stat().st_size)
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except Wrong as wrong:
        raise InputError(f"{path} {wrong}; {remedy}") from wrong
    except DAMAGED as error:
        raise InputError(f"{path} is not a plain numpy array of numbers; {remedy}") from error


def as_text(column: np.ndarray, path: Path, name: str) -> np.ndarray:
    """An array of text as it is; raises InputError if it holds anything else, or what no text can hold."""
    if column.dtype.kind == "U":
        codes = np.ascontiguousarray(column.astype(column.dtype.newbyteorder("="), order="C"))
        codes = codes.reshape(-1).view(np.uint32) if column.dtype.itemsize else np.zeros(0, np.uint32)
        if not ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
            return column
    raise InputError(f"{path}: '{name}' must hold text; write the file again")


def _header(file: BinaryIO) -> Header:
    return Header(*READ_HEADER[np.lib.format.read_magic(file)](file))


def _whole(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _rows(archive: zipfile.ZipFile, name: str, header: Header, size: int) -> Iterator[np.ndarray]:
    """The array called so, `size` rows at a time."""
    if header.columns_first and len(header.shape) > 1:
        whole = _whole(archive, name)
        yield from (whole[start : start + size] for start in range(0, len(whole), size))
        return
    with archive.open(f"{name}.npy") as file:
        _header(file)
        for start in range(0, header.shape[0], size):
            part = np.empty((min(size, header.shape[0] - start), *header.shape[1:]), header.dtype)
            content = np.ndarray(part.nbytes, np.uint8, part)  # the same memory
            for begin in range(0, part.nbytes, READ_BYTES):
                chunk = content[begin : begin + READ_BYTES]
                if file.readinto(chunk) < len(chunk):
                    raise EOFError("the array ends before its header says")
            yield part
        file.read(1)  # at its end the checksum is compared


def _headers(archive: zipfile.ZipFile, size: int) -> dict[str, Header]:
    """The headers of an .npz of `size` bytes; raises Wrong if they do not fit what is there."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS or len({member.filename for member in members}) < len(members):
        raise Wrong("holds too many arrays, or one twice")
    if any(member.compress_type not in PACKED for member in members):
        raise Wrong("is packed in a way that numpy never writes")
    if sum(member.file_size for member in members) > max(MAX_UNPACKED_BYTES, MAX_UNPACKED_TIMES * size):
        raise Wrong(f"unpacks to more than {MAX_UNPACKED_TIMES} times its size")
    headers = {}
    for member in members:
        if member.filename.endswith(".npy"):
            with archive.open(member) as file:
                header = _checked_header(file, member.file_size, f" ({member.filename})")
            headers[member.filename.removesuffix(".npy")] = header
    return headers


def _checked_header(file: BinaryIO, size: int, where: str = "") -> Header:
    """The header of an array of `size` bytes in all; raises Wrong if it does not fit what is there."""
    damaged = Wrong(f"is damaged, or no plain numpy array of numbers{where}")
    try:
        header = _header(file)
    except Exception as error:  # numpy evaluates the header as Python literals, and they may be anything
        raise damaged from error
    if header.dtype.hasobject:
        raise Wrong(f"holds pickled Python objects, which can run code and are never loaded{where}")
    count = math.prod(header.shape)
    if any(n < 0 for n in header.shape) or file.tell() + count * header.dtype.itemsize != size:
        raise damaged
    return header
