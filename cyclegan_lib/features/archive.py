"""Numpy's files, looked at before they are read: what a header claims must be what is there.

A header of some bytes may claim terabytes, and a few packed kilobytes may unpack to them. Both are found here
in the headers alone, before anything of that size is allocated.
"""

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cyclegan_lib.errors import InputError

# what numpy, zipfile and zlib raise for an empty, truncated, encrypted or foreign file, whatever its name
DAMAGED = (OSError, EOFError, KeyError, RuntimeError, TypeError, AttributeError, IndexError, OverflowError)
DAMAGED += (zipfile.BadZipFile, zlib.error, struct.error)
MOST_MEMBERS = 64  # a feature set has six
# Packed members may unpack to this many times the file's size, or to this many bytes.
MOST_TIMES, MOST_BYTES = 100, 64 << 20
PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # as np.savez and np.savez_compressed write them
PICKLED = "holds pickled Python objects, which can run code and are never loaded"


def check_archive(path: Path, remedy: str) -> None:
    """Raise InputError if an .npz is not what its headers say, holds Python objects or unpacks without end.

    Raises
    ------
    InputError
        With `remedy`, naming the member that is wrong.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
                raise InputError(f"{path} is an array named .npz; rename it to .npy, or {remedy}")
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if len(members) > MOST_MEMBERS or len(names) < len(members):
                raise InputError(f"{path} holds too many arrays, or one twice; {remedy}")
            if any(member.compress_type not in PACKED for member in members):
                raise InputError(f"{path} is packed in a way that numpy never writes; {remedy}")
            size = path.stat().st_size
            if sum(member.file_size for member in members) > max(MOST_BYTES, MOST_TIMES * size):
                raise InputError(f"{path} unpacks to more than {MOST_TIMES} times its size; {remedy}")
            for member in members:
                if member.filename.endswith(".npy"):
                    with archive.open(member) as file:
                        wrong = _wrong_header(file, member.file_size)
                    if wrong:
                        raise InputError(f"{path} {wrong} ({member.filename}); {remedy}")
    except InputError:
        raise
    except (ValueError, *DAMAGED) as error:
        raise InputError(f"{path} is damaged or not an .npz file; {remedy}") from error


def check_array(path: Path, remedy: str) -> None:
    """Raise InputError if an .npy is not what its header says, or holds Python objects."""
    try:
        with path.open("rb") as file:
            wrong = _wrong_header(file, path.stat().st_size)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
    if wrong:
        raise InputError(f"{path} {wrong}; {remedy}")


def _wrong_header(file: BinaryIO, size: int) -> str | None:
    """What is wrong with an array of `size` bytes in all; nothing, if its header fits what is there."""
    damaged = "is damaged, or no plain numpy array of numbers"
    try:
        version = np.lib.format.read_magic(file)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, _, dtype = readers[version](file)
        header = file.tell()
    except Exception:  # numpy evaluates the header as Python literals, and they may be anything
        return damaged
    if dtype.hasobject:
        return PICKLED
    if any(n < 0 for n in shape) or header + math.prod(shape) * dtype.itemsize != size:
        return damaged
    return None


def as_text(column: np.ndarray, path: Path, name: str) -> np.ndarray:
    """An array of text as it is; InputError if it holds anything else, or what no text can hold."""
    if column.dtype.kind == "U":
        codes = np.ascontiguousarray(column.astype(column.dtype.newbyteorder("="), order="C"))
        codes = codes.reshape(-1).view(np.uint32) if column.dtype.itemsize else np.zeros(0, np.uint32)
        if not ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
            return column
    raise InputError(f"{path}: '{name}' must hold text; write the file again")
