"""Feature sets larger than memory: read and written in parts."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from cyclegan_lib.errors import printable
from cyclegan_lib.features.feature_set import (
    REMEDY,
    FeatureSet,
    as_float32,
    check_columns_shape,
    check_enough,
    check_finite,
    check_shape,
    check_suffix,
    checked_columns,
    map_npy,
    numbered,
    read_npz,
    reading_npz,
)
from cyclegan_lib.files import existing_file, replacing, writable_npz

COLUMNS = ("features", "recording", "start_s", "label")  # arrays with a row for each sequence


@dataclass(frozen=True)
class FeatureStream:
    """A feature set on disk of which one part at a time is in memory.

    `.npz` is read from its beginning to its end, `.npy` through a memory map. Read whole are the guide's
    JSON, and an `.npz` whose features lie column by column (Fortran order), which no program here writes.

    Attributes
    ----------
    path : Path
    sequences, slices : int
    """

    path: Path
    sequences: int
    slices: int

    @classmethod
    def open(cls, path: str | Path, least: int = 2, remedy: str = REMEDY) -> "FeatureStream":
        """Look at a feature set's headers; parameters and errors are those of `FeatureSet.load`."""
        path = existing_file(path, remedy)
        check_suffix(path)
        if path.suffix == ".npz":
            read_npz(path, ("device", "settings"))
            with _members(path) as members:
                check_shape(members["features"].shape, members["features"].dtype, path)
                shapes = {name: member.shape for name, member in members.items()}
            check_columns_shape(shapes, shapes["features"][0], path)
            shape = shapes["features"]
        elif path.suffix == ".npy":
            features = map_npy(path)
            check_shape(features.shape, features.dtype, path)
            shape = features.shape
        else:
            shape = FeatureSet.load(path, least, remedy).features.shape
        check_enough(shape[0], least, path)
        return cls(path, *shape[:2])

    def __len__(self) -> int:
        return self.sequences

    def parts(self, size: int) -> Iterator[FeatureSet]:
        """The set in parts of `size` sequences, the last one of what is left.

        Raises
        ------
        InputError
            As `FeatureSet.load`. NaN and infinite features show only when their part is read: the parts
            before were given out by then.
        """
        bad = 0
        for found in _READERS[self.path.suffix](self, size):
            features, more = as_float32(found.pop("features"))
            bad += more
            if not bad:  # otherwise they are only counted
                yield FeatureSet(features=features, **checked_columns(found, len(features), self.path))
        check_finite(bad, len(self), self.path)

    def _parts_of_npz(self, size: int) -> Iterator[dict[str, Any]]:
        whole = read_npz(self.path, ("device", "settings"))
        with _members(self.path) as members:
            for start in range(0, len(self), size):
                count = min(size, len(self) - start)
                yield {**whole, **{name: member.read(count) for name, member in members.items()}}
            for member in members.values():
                member.finish()

    def _parts_of_npy(self, size: int) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self), size):
            stop = min(start + size, len(self))
            # mapped anew for each part: pages of a map stay in memory once they were looked at
            yield {
                "features": map_npy(self.path)[start:stop],
                "recording": numbered(self.path, start, stop, len(self)),
                "device": printable(self.path.stem),
            }

    def _parts_of_json(self, size: int) -> Iterator[dict[str, Any]]:
        found = FeatureSet.load(self.path, least=1)
        for start in range(0, len(self), size):
            part = found.select(np.s_[start : start + size])
            yield {
                "features": part.features,
                "recording": part.recording,
                "start_s": part.start_s,
                "device": part.device,
            }


_READERS = {
    ".npz": FeatureStream._parts_of_npz,
    ".npy": FeatureStream._parts_of_npy,
    ".json": FeatureStream._parts_of_json,
}


def regrouped(parts: Iterable[FeatureSet], size: int) -> Iterator[FeatureSet]:
    """The same sequences in parts of `size`, the last one of what is left."""
    waiting: list[FeatureSet] = []
    for part in parts:
        waiting.append(part)
        if sum(map(len, waiting)) >= size:
            joined = _joined(waiting)
            whole = len(joined) // size * size
            for start in range(0, whole, size):
                yield joined.select(np.s_[start : start + size])
            waiting = [joined.select(np.s_[whole:])]
    if waiting and sum(map(len, waiting)):
        yield _joined(waiting)


@contextmanager
def writing(path: str | Path, sequences: int | None = None) -> Iterator[Callable[[FeatureSet], None]]:
    """Write a feature set in parts, beside and renamed: the very file that `FeatureSet.save` would write.

    Gives a function that takes the parts. Device and settings are those of the first; all must have the
    same slices, columns and widths of strings.

    Parameters
    ----------
    path : path, ending in .npz
    sequences : int, optional
        How many there will be. Where that is not known, features wait in a temporary file, because a header
        with their number comes before them: twice the room on the disk is needed.

    Raises
    ------
    InputError
        If the file cannot be written. What was there before is kept then, as on every other error.
    """
    path = writable_npz(path)
    with replacing(path) as beside, zipfile.ZipFile(beside, "w") as archive, ExitStack() as files:
        writer = _Writer(archive, files, path.parent, sequences)
        yield writer.append
        writer.finish()


class _Writer:
    """An .npz in the making: features go to the archive, short columns to nameless files until the end."""

    def __init__(
        self, archive: zipfile.ZipFile, files: ExitStack, folder: Path, sequences: int | None
    ) -> None:
        self.archive, self.files, self.folder, self.sequences = archive, files, folder, sequences
        self.arrays: dict[str, Any] = {}  # of the first part
        self.streams: dict[str, IO[bytes]] = {}
        self.written = 0
        self.features: IO[bytes] | None = None  # the member of the archive, where it can be written at once

    def append(self, part: FeatureSet) -> None:
        arrays = part.arrays()
        if not self.arrays:
            self._begin(arrays)
        for name, stream in self.streams.items():
            first, ours = self.arrays[name], arrays[name]
            if (first.dtype, first.shape[1:]) != (ours.dtype, ours.shape[1:]):
                raise ValueError(f"parts differ in '{name}': {first.dtype}, then {ours.dtype} {ours.shape}")
            stream.write(ours.tobytes())
        self.written += len(part)

    def _begin(self, arrays: dict[str, Any]) -> None:
        self.arrays = {name: array[:0] if name in COLUMNS else array for name, array in arrays.items()}
        for name in arrays:
            if name == "features" and self.sequences is not None:
                self.features = self.streams[name] = self._member(name, self.sequences)
            elif name in COLUMNS:
                self.streams[name] = self.files.enter_context(tempfile.TemporaryFile(dir=self.folder))

    def finish(self) -> None:
        if not self.arrays or self.sequences not in (None, self.written):
            raise ValueError(f"{self.written} sequences came, {self.sequences} were announced")
        if self.features is not None:
            self.features.close()
        for name, array in self.arrays.items():
            if name not in COLUMNS:
                with self.archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
            elif self.streams[name] is not self.features:
                self.streams[name].seek(0)
                with self._member(name, self.written) as member:
                    shutil.copyfileobj(self.streams[name], member, 1 << 20)

    def _member(self, name: str, sequences: int) -> IO[bytes]:
        array = self.arrays[name]
        member = self.files.enter_context(self.archive.open(f"{name}.npy", "w", force_zip64=True))
        header = {
            "descr": np.lib.format.dtype_to_descr(array.dtype),
            "fortran_order": False,
            "shape": (sequences, *array.shape[1:]),
        }
        np.lib.format.write_array_header_1_0(member, header)
        return member


class _Member:
    """An array of an .npz, read from its first row to its last."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.file = archive.open(f"{name}.npy")
        version = np.lib.format.read_magic(self.file)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(self.file)
        else:
            header = np.lib.format.read_array_header_2_0(self.file)
        self.shape, columns_first, self.dtype = header
        self.rest = None
        if columns_first and len(self.shape) > 1:  # its rows lie scattered over the file: read whole
            with archive.open(f"{name}.npy") as again:
                self.rest = np.lib.format.read_array(again, allow_pickle=False)

    def read(self, rows: int) -> np.ndarray:
        if self.rest is not None:
            found, self.rest = self.rest[:rows], self.rest[rows:]
            return found
        shape = (rows, *self.shape[1:])
        wanted = int(np.prod(shape)) * self.dtype.itemsize
        found = self.file.read(wanted)
        if len(found) < wanted:
            raise EOFError("the array ends before its header says")
        return np.ndarray(shape, self.dtype, found)

    def finish(self) -> None:
        self.file.read(1)  # at its end the checksum is compared
        self.file.close()


@contextmanager
def _members(path: Path) -> Iterator[dict[str, _Member]]:
    with reading_npz(path), zipfile.ZipFile(path) as archive, ExitStack() as files:
        names = set(archive.namelist())
        members = {name: _Member(archive, name) for name in COLUMNS if f"{name}.npy" in names}
        for member in members.values():
            files.enter_context(member.file)
        yield members


def _joined(parts: list[FeatureSet]) -> FeatureSet:
    first = parts[0]
    if len(parts) == 1:
        return first
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS[:3]}
    label = None if first.label is None else np.concatenate([part.label for part in parts])
    return FeatureSet(**columns, device=first.device, settings=first.settings, label=label)
