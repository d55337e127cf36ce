"""NumPy's files, and what all files of named arrays have in common."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.archive import Archive, open_array
from cyclegan_lib.errors import InputError, listed
from cyclegan_lib.recordings.recording import Recording

MIN_SAMPLES = 100  # what is shorter is a setting, no sound
MAX_CHANNELS = 1024
# names of variables that hold the sample rate, without spaces and underscores
RATES = {"fs", "sr", "samplerate", "samplingrate", "samplingfrequency", "samplefrequency"}
REMEDY = "give recordings as arrays of numbers"


class Arrays(Recording):
    """Named arrays of numbers, of which one is sound: samples, or samples × channels either way round.

    The longer axis is time. Values are taken as they are, integers too. One number whose name says so is the
    sample rate.
    """

    def __init__(self, path: Path, arrays: Mapping[str, Any]) -> None:
        """`arrays` have shapes and dtypes and can be sliced: numpy's, memory maps, HDF5 data sets."""
        numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "iuf"}
        self.arrays = {name: array for name, array in numbers.items() if _is_sound(array.shape)}
        if not self.arrays:
            holds = listed([f"{name or 'one array'} ({_size(array)})" for name, array in arrays.items()])
            raise InputError(
                f"{path} holds no sound of at least {MIN_SAMPLES} samples, but {holds or 'nothing'}; {REMEDY}"
            )
        rates = {
            float(np.asarray(array[...]).reshape(-1)[0])
            for name, array in numbers.items()
            if math.prod(array.shape) == 1 and says_rate(name.rsplit(".", 1)[-1])
        }
        if len(rates) == 1 and math.isfinite(rate := rates.pop()) and rate >= 1:
            self.sample_rate = round(rate)
        self.columns = [
            (name, column)
            for name, array in self.arrays.items()
            for column in range(math.prod(array.shape) // max(array.shape))
        ]
        self.channels = len(self.columns)
        self.names = tuple(
            f"{name}.{column + 1}" if (name, 1) in self.columns else name for name, column in self.columns
        )
        if len(self.arrays) > 1:
            self.apart = listed([f"{name} ({_size(array)})" for name, array in self.arrays.items()])
        else:
            (array,) = self.arrays.values()
            self.frames = max(array.shape)
            if sorted(array.shape)[-2:-1] == [self.frames]:
                raise InputError(
                    f"{path} holds {_size(array)} samples, and which axis is time cannot be told; {REMEDY},"
                    " with more samples than channels"
                )
            if self.channels > 1:
                self.remarks = (f"the longer axis is taken as time: {self.frames} samples",)

    def blocks(self, frames: int, column: int | None) -> Iterator[np.ndarray]:
        """The sound from its beginning, (frames or fewer, channels) at a time."""
        name, number = self.columns[column or 0]
        chosen = slice(None) if column is None else slice(number, number + 1)
        axis = int(np.argmax(self.arrays[name].shape))
        for part in self.parts(name, axis, frames):
            yield np.moveaxis(part, axis, 0).reshape(part.shape[axis], -1)[:, chosen]

    def parts(self, name: str, axis: int, size: int) -> Iterator[np.ndarray]:
        """An array, cut along an axis."""
        array = self.arrays[name]
        for start in range(0, array.shape[axis], size):
            yield np.asarray(array[(slice(None),) * axis + (slice(start, start + size),)])


class NpyFile(Arrays):
    """One array; its name is none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, {"": open_array(path, REMEDY)})
        self.names = ()


class _Member:
    """An array of an archive, of which only the header was read."""

    def __init__(self, archive: Archive, name: str) -> None:
        self.archive, self.name = archive, name
        self.shape, _, self.dtype = archive.headers[name]

    def __getitem__(self, part: Any) -> np.ndarray:
        (whole,) = self.archive.arrays(self.name)
        return whole[part]


class NpzFile(Arrays):
    """Arrays as `numpy.savez` writes them. A feature set is refused: it is no sound."""

    def __init__(self, path: Path) -> None:
        archive = Archive(path, (), REMEDY)
        if "features" in archive.headers:
            raise InputError(f"{path} is a feature set, no recording; give recordings, or use it as it is")
        super().__init__(path, {name: _Member(archive, name) for name in archive.headers})
        self.archive = archive

    def parts(self, name: str, axis: int, size: int) -> Iterator[np.ndarray]:
        """An array, cut along an axis: as it lies in the file, where that is possible."""
        if axis == 0:
            yield from (part[name] for part in self.archive.parts([name], size))
        else:
            (whole,) = self.archive.arrays(name)
            yield whole


def says_rate(name: str) -> bool:
    """Whether a number of this name is a sample rate."""
    return name.casefold().replace("_", "").replace(" ", "") in RATES


def _is_sound(shape: tuple[int, ...]) -> bool:
    return (
        bool(shape)
        and max(shape) >= MIN_SAMPLES
        and sum(n > 1 for n in shape) <= 2
        and 1 <= math.prod(shape) // max(shape) <= MAX_CHANNELS
    )


def _size(array: Any) -> str:
    return " × ".join(map(str, array.shape)) + (" samples" if _is_sound(array.shape) else "")
