"""Parquet: samples in columns, in rows with names, or in lists with names."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cyclegan_lib.errors import InputError, listed
from cyclegan_lib.recordings.arrays import says_rate
from cyclegan_lib.recordings.recording import Recording
from cyclegan_lib.recordings.table import TEXT, TIME, TIME_STAMPS, are_time_stamps

MAX_NAMES = 10_000
FIRST_ROWS = 256


class ParquetFile(Recording):
    """A table whose columns of numbers are channels, called by their names.

    If there is one such column beside a column of text, the text says which signal a row belongs to, and
    names the channels; the same for a column of lists of samples. Values are taken as they are. A column
    named as the sample rate says it.
    """

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise InputError(
                f"{path} is a Parquet file, which needs pyarrow; pip install 'cyclegan-lib[formats-in]', or"
                " write it as CSV"
            ) from error
        try:
            self.file = pyarrow.parquet.ParquetFile(path)
            self._describe(path)
        except InputError:
            raise
        except (pyarrow.ArrowException, OSError) as error:
            raise ValueError("no Parquet file, or damaged") from error

    def _describe(self, path: Path) -> None:
        import pyarrow

        kinds = pyarrow.types
        fields = list(self.file.schema_arrow)
        lists = [f.name for f in fields if kinds.is_list(f.type) or kinds.is_large_list(f.type)]
        texts = [f.name for f in fields if kinds.is_string(f.type) or kinds.is_large_string(f.type)]
        texts += [f.name for f in fields if kinds.is_dictionary(f.type)]
        numbers = [f.name for f in fields if kinds.is_integer(f.type) or kinds.is_floating(f.type)]
        first = next(self.file.iter_batches(FIRST_ROWS, columns=numbers), None)
        for name in list(numbers):
            if says_rate(name):
                numbers.remove(name)
                if first is not None and len(first):
                    self.sample_rate = round(float(first.column(name)[0].as_py()))
        times = {name for name in numbers if name and TIME.fullmatch(name)}
        if first is not None:
            times |= {
                name
                for name in numbers
                if are_time_stamps(first.column(name).to_numpy(zero_copy_only=False).astype(np.float64))
            }
        signals = lists[:1] or [name for name in numbers if name not in times]
        if not signals or len(lists) > 1:
            raise InputError(
                f"{path} holds no single column of samples, but {listed([f.name for f in fields])};"
                " write one recording a file, a column for each channel"
            )
        self.key = texts[0] if len(texts) == 1 and len(signals) == 1 else None
        self.value = signals[0] if self.key or lists else None
        if self.key:
            self.names = tuple(self._keys(path))
            self.apart = listed(self.names) if len(self.names) > 1 else ""
        elif lists:
            rows = self.file.metadata.num_rows
            self.names = ("",) * rows
            self.apart = f"{rows} rows of samples" if rows > 1 else ""
        else:
            self.names = tuple(field.name for field in fields)
            self.no_signal = {
                index: TIME_STAMPS if name in times or name not in texts else TEXT
                for index, name in enumerate(self.names)
                if name not in signals
            }
            self.frames = self.file.metadata.num_rows
        self.channels = len(self.names)

    def _keys(self, path: Path) -> Iterator[str]:
        seen: dict[str, None] = {}
        for batch in self.file.iter_batches(columns=[self.key]):
            seen |= dict.fromkeys(map(str, batch.column(0).unique().to_pylist()))
            if len(seen) > MAX_NAMES:
                raise InputError(f"{path} names more than {MAX_NAMES} signals; write fewer into one file")
        yield from seen

    def blocks(self, frames: int, column: int | None) -> Iterator[np.ndarray]:
        """The signals from their beginning, (frames or fewer, channels) at a time."""
        if self.value is None:
            wanted = (
                [n for n in range(self.channels) if n not in self.no_signal] if column is None else [column]
            )
            names = [self.names[n] for n in wanted]
            for batch in self.file.iter_batches(frames, columns=names):
                yield np.stack([_numbers(batch.column(name)) for name in names], axis=1)
            return
        row = 0
        for batch in self.file.iter_batches(frames, columns=[self.value] + [self.key] * bool(self.key)):
            values = batch.column(self.value)
            if self.key:
                chosen = np.array(batch.column(self.key).to_pylist()) == self.names[column or 0]
            else:
                chosen = np.arange(row, row + len(batch)) == (column or 0)
            row += len(batch)
            samples = _numbers(_flat(values.take(np.flatnonzero(chosen))))
            for start in range(0, len(samples), frames):
                yield samples[start : start + frames, None]

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()


def _flat(values):
    """The samples of lists one after another; others as they are."""
    return values.flatten() if hasattr(values, "flatten") else values


def _numbers(values) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False)
