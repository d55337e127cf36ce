"""MATLAB's .mat files."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings.arrays import Arrays

HDF5 = b"\x89HDF\r\n\x1a\n"  # of version 7.3, behind 512 bytes of MATLAB's own
MAX_DEPTH, MAX_LEAVES = 8, 1000  # of structures
MAX_UNPACKED_TIMES, MAX_UNPACKED_BYTES = 100, 256 << 20  # what a file may unpack to


class MatFile(Arrays):
    """The arrays of numbers of a .mat file, those in structures too: "name.field.element.field".

    Elements of an array of structures are called by their field Name, or else by their number. Objects and
    functions are passed over.
    """

    def __init__(self, path: Path) -> None:
        with open(path, "rb") as file:
            start = file.read(520)
        self.file = None
        if HDF5 in (start[:8], start[512:]):
            try:
                import h5py
            except ImportError as error:
                raise InputError(
                    f"{path} is a .mat file of version 7.3, which needs h5py; pip install"
                    " 'cyclegan-lib[formats-in]', or save it with -v7"
                ) from error
            self.file = h5py.File(os.fsencode(path), "r")
            found: dict[str, Any] = {}
            self.file.visititems(lambda name, item: _note(found, name, item))
        else:
            found = dict(_loaded(path))
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


def _loaded(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    from scipy.io import loadmat, whosmat

    try:
        claimed = sum(8 * int(np.prod(shape, dtype=float)) for _, shape, _ in whosmat(path, appendmat=False))
        if claimed > max(MAX_UNPACKED_BYTES, MAX_UNPACKED_TIMES * path.stat().st_size):
            raise ValueError("it claims more than it can hold")
        variables = loadmat(path, appendmat=False, squeeze_me=True)
    except Exception as error:  # scipy raises anything at all for damaged files
        raise ValueError("no .mat file, or damaged") from error
    for name, value in variables.items():
        if not name.startswith("__"):
            yield from _leaves(name, value, 0)


def _leaves(name: str, value: Any, depth: int) -> Iterator[tuple[str, np.ndarray]]:
    """All arrays of numbers in a value, by their dotted names."""
    if isinstance(value, np.void) and value.dtype.names:
        for field in value.dtype.names:
            yield from _leaves(f"{name}.{field}", value[field], depth + 1)
    elif isinstance(value, np.ndarray) and (value.dtype.names or value.dtype.kind == "O"):
        if depth < MAX_DEPTH:
            for index, element in enumerate(value.ravel()[:MAX_LEAVES]):
                inside = f"{name}.{_name(element) or index + 1}" if value.size > 1 else name
                yield from _leaves(inside, element, depth + 1)
    elif isinstance(value, np.ndarray | np.number | int | float):
        yield name, np.asarray(value)


def _name(element: Any) -> str:
    """The text in the field Name of a structure, or ""."""
    names = getattr(getattr(element, "dtype", None), "names", None) or ()
    name = element["Name"] if isinstance(element, np.void) and "Name" in names else ""
    name = name.item() if isinstance(name, np.ndarray) and name.size == 1 else name
    return name if isinstance(name, str) else ""
