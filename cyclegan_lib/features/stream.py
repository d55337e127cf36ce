"""The files of feature sets, of which one part at a time is in memory: the one reader and the one writer.

Formats differ in how headers and rows are read, in nothing else: what must be true of features, whatever file
they come from, is asked below, and of a whole set in `cyclegan_lib.features.feature_set`.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from cyclegan_lib.archive import Archive, Header, as_text, open_array
from cyclegan_lib.config import N_FEATURES, OF_BEFORE, FeatureSettings
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.files import replacing, writable_npz

SET_COLUMNS = ("features", "recording", "start_s", "slices", "label")  # arrays with a row for each sequence
REQUIRED = ("features", "recording", "start_s", "device", "settings")
SET_REMEDY = "give a feature set written by `cyclegan extract`"


class Source(Protocol):
    """A file of a feature set; what is wrong with it is said by an InputError where it is opened or read."""

    device: str
    settings: FeatureSettings | None  # None where the file does not say
    headers: dict[str, Header]  # of the columns that the file has, the features among them

    def parts(self, size: int, names: Sequence[str] = SET_COLUMNS) -> Iterator[dict[str, np.ndarray]]:
        """Those columns, or those of them that are called so, `size` rows at a time."""


class Npz:
    """As `FeatureSet.save` writes it, read from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        self.archive = Archive(path, REQUIRED, SET_REMEDY)
        self.headers = self.archive.headers
        for name in ("device", "settings"):
            shape = self.headers[name].shape
            if shape != ():
                raise InputError(f"{path}: '{name}' must be one text, not {shape}; {SET_REMEDY}")
        device, settings = self.archive.arrays("device", "settings")
        self.device = str(as_text(device, path, "device"))
        text = str(as_text(settings, path, "settings"))
        try:
            values = json.loads(text)
            if not isinstance(values, dict | None):
                raise TypeError("no object")
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(
                f"{path} has feature settings that are not a JSON object; {SET_REMEDY}"
            ) from error
        self.settings = None
        if values is not None:
            self.settings = FeatureSettings.checked(f"{path} (settings)", **{**OF_BEFORE, **values})

    def parts(self, size: int, names: Sequence[str] = SET_COLUMNS) -> Iterator[dict[str, np.ndarray]]:
        """Read through the archive."""
        return self.archive.parts(names, size)


class Npy:
    """An array of numpy's alone, read through a memory map; the device is called as the file."""

    settings = None

    def __init__(self, path: Path) -> None:
        self.path, self.device = path, printable(path.stem)
        features = self.features()
        self.headers = {"features": Header(features.shape, False, features.dtype)}

    def features(self) -> np.ndarray:
        """The map, anew: pages of a map stay in memory once they were looked at."""
        return open_array(self.path, SET_REMEDY)

    def parts(self, size: int, _: Sequence[str] = ()) -> Iterator[dict[str, np.ndarray]]:
        """Read what is asked for."""
        for start in range(0, self.headers["features"].shape[0], size):
            yield {"features": np.array(self.features()[start : start + size])}


class Json:
    """The guide's list of (slices, 40) lists of any lengths, read whole; the device is called as the file."""

    settings = None

    def __init__(self, path: Path) -> None:
        self.device = printable(path.stem)
        try:
            sequences = [np.array(sequence) for sequence in json.loads(path.read_text(encoding="utf-8"))]
            lengths = {sequence.shape[0] for sequence in sequences}
            features, slices = padded(sequences)
        except (OSError, ValueError, TypeError, IndexError, RecursionError) as error:
            raise InputError(f"{path} is not a JSON list of (slices, 40) lists of numbers") from error
        self.columns = {"features": features} | ({"slices": slices} if len(lengths) > 1 else {})
        self.headers = {n: Header(column.shape, False, column.dtype) for n, column in self.columns.items()}

    def parts(self, size: int, _: Sequence[str] = ()) -> Iterator[dict[str, np.ndarray]]:
        """What was read, part by part."""
        for start in range(0, len(self.columns["features"]), size):
            yield {name: column[start : start + size] for name, column in self.columns.items()}


def padded(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (slices, 40) of any lengths as one array (n, most slices, 40), zeros behind; slices (n,)."""
    slices = np.array([len(sequence) for sequence in sequences])
    real = np.concatenate(sequences)  # (slices in all, 40), of the type that holds all
    features = np.zeros((len(slices), slices.max(), *real.shape[1:]), real.dtype)
    features[np.arange(slices.max()) < slices[:, None]] = real
    return features, slices


FORMATS: dict[str, Callable[[Path], Source]] = {".npz": Npz, ".npy": Npy, ".json": Json}


@contextmanager
def writing(path: str | Path, rows: int | None = None) -> Iterator[Callable[[dict[str, np.ndarray]], None]]:
    """Write an `.npz` in parts, beside and renamed: the very file that one part of all rows would be.

    Gives a function that takes the arrays of a part, by name. Those without rows are those of the first
    part; the others must have the same names, widths of strings and shapes but for the number of rows.

    How many `rows` there will be may not be known: the first array then waits in a temporary file as the
    others do, because a header with the number comes before it, and takes twice its room on the disk.
    Raises InputError if the file cannot be written. What was there before is kept then, as on every other
    error.
    """
    path = writable_npz(path)
    with replacing(path) as beside, zipfile.ZipFile(beside, "w") as archive, ExitStack() as files:
        writer = _Writer(archive, files, path.parent, rows)
        yield writer.append
        writer.finish()


@contextmanager
def writing_lists(
    path: str | Path, rows: int | None = None
) -> Iterator[Callable[[dict[str, np.ndarray]], None]]:
    """The same for the guide's JSON: the real slices of each sequence's `features`, and nothing else."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        before = "["

        def append(part: dict[str, np.ndarray]) -> None:
            nonlocal before
            features = part["features"]
            for sequence, length in zip(
                features, part.get("slices", [features.shape[1]] * len(features)), strict=True
            ):
                file.write(before + json.dumps(sequence[:length].tolist()))
                before = ",\n"

        yield append
        file.write("]\n")


WRITERS = {".npz": writing, ".json": writing_lists}


class _Writer:
    """An .npz in the making: its first array goes to the archive, others to nameless files until the end."""

    def __init__(self, archive: zipfile.ZipFile, files: ExitStack, folder: Path, rows: int | None) -> None:
        self.archive, self.files, self.folder, self.rows = archive, files, folder, rows
        self.arrays: dict[str, np.ndarray] = {}  # of the first part, those with rows without any
        self.streams: dict[str, IO[bytes]] = {}
        self.written = 0

    def append(self, part: dict[str, np.ndarray]) -> None:
        if not self.arrays:
            self._begin(part)
        for name, stream in self.streams.items():
            first, array = self.arrays[name], part[name]
            if (first.dtype, first.shape[1:]) != (array.dtype, array.shape[1:]):
                raise ValueError(f"parts differ in '{name}': {first.dtype}, then {array.dtype} {array.shape}")
            stream.write(array.tobytes())
        self.written += len(array)

    def _begin(self, part: dict[str, np.ndarray]) -> None:
        self.arrays = {
            name: array[:0] if np.ndim(array) else np.asarray(array) for name, array in part.items()
        }
        for name, array in self.arrays.items():
            if array.ndim and not self.streams and self.rows is not None:
                self.streams[name] = self._member(name, self.rows)
            elif array.ndim:
                self.streams[name] = self.files.enter_context(tempfile.TemporaryFile(dir=self.folder))

    def finish(self) -> None:
        if not self.arrays or self.rows not in (None, self.written):
            raise ValueError(f"{self.written} sequences came, {self.rows} were announced")
        if self.rows is not None:
            first = next(iter(self.streams))
            self.streams.pop(first).close()
            del self.arrays[first]  # it is written
        for name, array in self.arrays.items():
            with self._member(name, self.written) as member:
                if name in self.streams:
                    self.streams[name].seek(0)
                    shutil.copyfileobj(self.streams[name], member, 1 << 20)
                else:
                    member.write(array.tobytes())

    def _member(self, name: str, rows: int) -> IO[bytes]:
        member = self.files.enter_context(self.archive.open(f"{name}.npy", "w", force_zip64=True))
        header = np.lib.format.header_data_from_array_1_0(self.arrays[name])
        header["shape"] = (rows, *header["shape"][1:]) if header["shape"] else ()
        np.lib.format.write_array_header_1_0(member, header)
        return member


def check_features(header: Header, path: Path) -> None:
    """Raise InputError if these cannot be features, (sequences, slices, 40) numbers."""
    if len(header.shape) != 3 or 0 in header.shape or header.dtype.kind not in "fiu":
        raise InputError(
            f"{path} holds {header.dtype} features of shape {header.shape};"
            f" they must be numbers of shape (sequences, slices, {N_FEATURES})"
        )
    if header.shape[2] != N_FEATURES:
        raise InputError(f"{path} has {header.shape[2]} features a slice; there must be {N_FEATURES}")


def as_float32(features: np.ndarray) -> tuple[np.ndarray, int]:
    """The features as float32, and in how many of the sequences one is then NaN or infinite."""
    with np.errstate(over="ignore"):
        features = features.astype(np.float32, order="C", copy=False)
    ends = [f(features.reshape(len(features), -1), axis=1) for f in (np.min, np.max)]  # NaN if one is
    return features, int((~np.isfinite(ends)).any(axis=0).sum())
