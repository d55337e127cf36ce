"""MATLAB's .mat files.

Versions 4 and 5 (`save -v4`, `-v6` and `-v7`) are read here, after MathWorks, "MAT-File Format": at one
damaged file in a hundred, scipy ends the process. Version 7.3 is HDF5.
"""

import math
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings.arrays import Arrays

HDF5 = b"\x89HDF\r\n\x1a\n"  # of version 7.3, behind 512 bytes of MATLAB's own
MAX_DEPTH = 8  # of structures in structures
MAX_UNPACKED_TIMES, MAX_UNPACKED_BYTES = 100, 64 << 20  # what a file may unpack to
HEADER, MATRIX, PACKED = 128, 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
NUMBERS_4 = ("f8", "f4", "i4", "i2", "u2", "u1")
LETTERS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16"}
CELL, STRUCTURE, OBJECT, TEXT, FIRST_NUMBERS, LAST_NUMBERS = 1, 2, 3, 4, 6, 15  # classes of matrices
COMPLEX, LOGICAL = 0x800, 0x200


class MatFile(Arrays):
    """The arrays of numbers of a .mat file, those in structures too: "name.field.element.field".

    Elements of an array of structures are called by their field Name, or else by their number. Complex and
    logical arrays, objects and functions are passed over.
    """

    def __init__(self, path: Path) -> None:
        with open(path, "rb") as file:
            start = file.read(520)
        self.file = None
        found: dict[str, Any] = {}
        if HDF5 in (start[:8], start[512:]):
            try:
                import h5py
            except ImportError as error:
                raise InputError(
                    f"{path} is a .mat file of version 7.3, which needs h5py; pip install"
                    " 'cyclegan-lib[formats-in]', or save it with -v7"
                ) from error
            self.file = h5py.File(os.fsencode(path), "r")
            self.file.visititems(lambda name, item: _note(found, name, item))
        else:
            variables = _version4 if 0 in start[:4] else _Version5  # whose text begins there
            try:
                found = {name: value for variable in variables(path) for name, value in _leaves(*variable)}
            except (struct.error, zlib.error) as error:
                raise ValueError("damaged") from error
        super().__init__(path, found)

    def close(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            self.file.close()


def _note(found: dict[str, Any], name: str, item: Any) -> None:
    """Take a data set of numbers into `found`; text is numbers, too, in this format."""
    is_text = item.attrs.get("MATLAB_class") == b"char"
    if hasattr(item, "dtype") and item.dtype.kind in "iuf" and not is_text and not name.startswith("#"):
        found[name.replace("/", ".")] = item


def _version4(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of numbers that are neither complex nor sparse, by their names."""
    content = np.memmap(path, np.uint8, "r")
    order = "<" if content[0] or not content[3] else ">"  # of a number below 5,000
    at = 0
    while at < len(content):
        kind, rows, columns, is_complex, letters = struct.unpack_from(f"{order}5i", content, at)
        stored, holds = kind % 100 // 10, kind % 10
        if kind // 100 not in (0, 10) or stored >= len(NUMBERS_4) or min(rows, columns, letters) < 0:
            raise ValueError("no .mat file of version 4")
        dtype = np.dtype(order + NUMBERS_4[stored])
        begin = at + 20 + letters
        at = begin + rows * columns * dtype.itemsize * (2 if is_complex else 1)
        if at > len(content):
            raise EOFError("an array ends before its header says")
        if holds == 0 and not is_complex:
            name = bytes(content[begin - letters : begin]).split(b"\0")[0].decode("latin-1")
            values = content[begin:at].view(dtype).reshape((rows, columns), order="F")
            yield name, values.squeeze()


class _Version5:
    """The variables of a file: (name, value), which is an array, text, or lists and dictionaries of these."""

    def __init__(self, path: Path) -> None:
        content = np.memmap(path, np.uint8, "r")  # of which only what is looked at is read
        mark = bytes(content[126:HEADER])
        if mark not in (b"IM", b"MI"):
            raise ValueError("no .mat file of version 5")
        self.content, self.order = content, "<" if mark == b"IM" else ">"
        self.room = max(MAX_UNPACKED_BYTES, MAX_UNPACKED_TIMES * len(content))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        at = HEADER
        while at < len(self.content):
            kind, data, behind = self._element(self.content, at)
            at = behind
            if kind == PACKED:
                at -= -len(data) % 8  # these alone are not filled up
                kind, data, _ = self._element(self._unpacked(data), 0)
            if kind == MATRIX:
                yield self._matrix(data, 0)

    def _unpacked(self, data: np.ndarray) -> np.ndarray:
        """The content of a packed element."""
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(data, self.room)
        self.room -= len(content)
        if not unpacking.eof or self.room <= 0:
            raise ValueError("damaged, or it unpacks without end")
        return np.frombuffer(content, np.uint8)

    def _element(self, content: np.ndarray, at: int) -> tuple[int, np.ndarray, int]:
        """The kind and the bytes of the element at `at`, and where the next one begins."""
        kind, size = struct.unpack_from(f"{self.order}II", content, at)
        begin, behind = at + 8, at + 8 + size + -size % 8
        if kind >> 16:  # up to four bytes lie within
            kind, size, begin, behind = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        if begin + size > min(behind, len(content)):
            raise EOFError("an element ends before its header says")
        return kind, content[begin : begin + size], behind

    def _matrix(self, data: np.ndarray, depth: int) -> tuple[str, Any]:
        if not len(data):
            return "", None
        if depth > MAX_DEPTH:
            raise ValueError("structures in structures without end")
        _, flags, at = self._element(data, 0)
        (flags,) = struct.unpack_from(f"{self.order}I", flags)
        _, shape, at = self._element(data, at)
        shape = np.frombuffer(shape, f"{self.order}i4").tolist()
        _, name, at = self._element(data, at)
        kind, count = flags & 0xFF, math.prod(shape)
        if min(shape, default=0) < 0:
            raise ValueError("a negative length")
        value = None
        if kind in (STRUCTURE, OBJECT):
            value = self._structures(data, at, count, depth, kind == OBJECT)
        elif kind == CELL:
            value, _ = self._matrices(data, at, count, depth)
        elif kind == TEXT:
            stored, text, _ = self._element(data, at)
            value = bytes(text).decode(LETTERS.get(stored, "latin-1"), "replace").strip("\ufeff\0 ")
        elif FIRST_NUMBERS <= kind <= LAST_NUMBERS and not flags & (COMPLEX | LOGICAL):
            stored, numbers, _ = self._element(data, at)
            value = np.frombuffer(numbers, self.order + NUMBERS[stored])
            value = value[:count].reshape(shape, order="F").squeeze()
        return bytes(name).decode("latin-1"), value

    def _matrices(self, data: np.ndarray, at: int, count: int, depth: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        for _ in range(count):
            _, inside, at = self._element(data, at)
            values.append(self._matrix(inside, depth + 1)[1])
        return values, at

    def _structures(self, data: np.ndarray, at: int, count: int, depth: int, is_object: bool) -> list[dict]:
        if is_object:
            _, _, at = self._element(data, at)  # its class
        _, width, at = self._element(data, at)
        _, names, at = self._element(data, at)
        (width,) = struct.unpack_from(f"{self.order}i", width)
        if width < 1:
            raise ValueError("names without letters")
        names = [
            bytes(names[i : i + width]).split(b"\0")[0].decode("latin-1") for i in range(0, len(names), width)
        ]
        found = []
        for _ in range(count if names else 0):
            values, at = self._matrices(data, at, len(names), depth)
            found.append(dict(zip(names, values, strict=True)))
        return found


def _leaves(name: str, value: Any) -> Iterator[tuple[str, np.ndarray]]:
    """All arrays of numbers in a value, by their dotted names."""
    if isinstance(value, np.ndarray):
        yield name, value
    elif isinstance(value, dict):
        for field, inside in value.items():
            yield from _leaves(f"{name}.{field}", inside)
    elif isinstance(value, list):
        for number, inside in enumerate(value, start=1):
            called = inside.get("Name") if isinstance(inside, dict) else None
            called = called if isinstance(called, str) and called else number
            yield from _leaves(f"{name}.{called}" if len(value) > 1 else name, inside)
