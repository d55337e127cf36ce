"""A lake: one device's features in many Parquet files, in a folder or an object store.

``LAKE/device=NAME/date=2026-01-31/part-HASH.parquet``, as Hive lays out its tables: pandas, DuckDB and Spark
read it as one. A part holds the sequences of some recordings, and in its metadata the settings and what
became of each recording: it is its own record. Names that begin with . or _ are passed over, as by Hive.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import numpy as np
from pydantic import Field, TypeAdapter

from cyclegan_lib.archive import Header
from cyclegan_lib.config import MEAN, N_FEATURES, FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.extraction_report import FileReport
from cyclegan_lib.features.stream import SET_COLUMNS
from cyclegan_lib.files import replacing, sha256

if TYPE_CHECKING:
    import pyarrow as pa

KEY = b"cyclegan"  # in the metadata of a part's schema
DEVICE = "device="
MAX_LETTERS = 4096  # no path is longer
RETRY_S = 60  # how long to ask a store of Google's that does not answer; pyarrow alone goes on for minutes
REMEDY = "give a lake written by `cyclegan extract FOLDER --output LAKE/`"
URL = re.compile(r"[a-z][a-z0-9+.-]+://.+", re.IGNORECASE)


def is_url(path: object) -> bool:
    """Whether it names something in an object store, as in s3://bucket/lake."""
    return URL.match(str(path)) is not None


def below(lake: str | Path, name: str) -> str:
    """What is called `name` in a lake; what follows a URL's ? stays behind it."""
    path, mark, query = str(lake).partition("?") if is_url(lake) else (str(lake), "", "")
    return f"{path.rstrip('/' + os.sep)}/{name}{mark}{query}"


def is_lake(path: str | Path) -> bool:
    """Whether it is a URL, or a folder of a lake: the whole, of one device, or of one date."""
    if is_url(path):
        return True
    path = Path(path)
    return path.is_dir() and (
        any(part.startswith(DEVICE) for part in path.absolute().parts[-2:]) or any(path.glob(f"{DEVICE}*"))
    )


def digest(path: str | Path) -> str:
    """SHA-256 of a feature set's file, of a lake that of its parts' names; empty where there is nothing."""
    if is_lake(path):
        return hashlib.sha256("\n".join(Place(path).parts()).encode()).hexdigest()
    return sha256(Path(path)) if Path(path).exists() else ""


class Place:
    """A folder, here or in an object store: what it holds, and how a file in it is read and written."""

    def __init__(self, path: str | Path) -> None:
        try:
            import pyarrow.fs
            import pyarrow.parquet  # noqa: F401  (here, where the sentence is)
        except ImportError as error:
            raise InputError(
                f"{path} is a lake of Parquet files, which needs pyarrow;"
                " pip install 'cyclegan-lib[formats-in]', or write an .npz"
            ) from error
        self.path, self.local = str(path), not is_url(path)
        with self._said("read"):
            if self.local:
                self.system, self.folder = pyarrow.fs.LocalFileSystem(), str(Path(path).absolute())
            else:
                url = self.path.replace(" ", "%20")
                if url.startswith(("gs:", "gcs:")) and "retry_limit_seconds=" not in url:
                    url += f"{'&' if '?' in url else '?'}retry_limit_seconds={RETRY_S}"
                self.system, self.folder = pyarrow.fs.FileSystem.from_uri(url)
        self.folder = self.folder.rstrip("/")

    @contextmanager
    def _said(self, done: str) -> Iterator[None]:
        """What a file system says, in a sentence."""
        try:
            yield
        except (OSError, ValueError) as error:  # pyarrow's own errors are among these
            why = str(error).splitlines()[0][:300]
            raise InputError(
                f"{self.path} cannot be {done} ({why}); give a folder, or a URL as s3://bucket/lake,"
                " that you may read and write"
            ) from error

    def parts(self) -> list[str]:
        """The Parquet files, by their paths from here; none where there is nothing."""
        from pyarrow.fs import FileSelector

        with self._said("read"):
            found = self.system.get_file_info(FileSelector(self.folder, allow_not_found=True, recursive=True))
        below = [file.path[len(self.folder) + 1 :].replace("\\", "/") for file in found if file.is_file]
        return sorted(
            path
            for path in below
            if path.endswith(".parquet") and not any(part[0] in "._" for part in path.split("/"))
        )

    def open(self, part: str) -> Any:
        """A part as pyarrow's ParquetFile."""
        import pyarrow.parquet

        with self._said("read"):
            file = self.system.open_input_file(f"{self.folder}/{part}")
        return pyarrow.parquet.ParquetFile(file, page_checksum_verification=True)

    def foreign(self, part: str) -> InputError:
        """The error that says that a file does not belong here."""
        return InputError(
            f"{below(self.path, part)} is damaged, or no part of a lake that this version of `cyclegan"
            " extract` wrote; take it away"
        )

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all: beside and renamed; an object store shows only what is whole."""
        if self.local:
            with replacing(Path(self.folder, name)) as beside:
                beside.write_bytes(content)
            return
        with self._said("written"):
            with self.system.open_output_stream(f"{self.folder}/{name}") as stream:
                stream.write(content)


@dataclass(frozen=True)
class Part:
    """What the metadata of a part say."""

    path: str  # from the lake
    rows: int
    device: str
    settings: FeatureSettings
    reading: dict[str, Any]  # the options with which its recordings were read
    whole: bool  # whether all its sequences have all their slices
    letters: Annotated[int, Field(ge=1, le=MAX_LETTERS)]  # of the longest recording's name
    label_letters: Annotated[int, Field(ge=0, le=MAX_LETTERS)]  # of the longest label; 0: there is none
    files: list[FileReport]  # what became of its recordings, at least one
    format: Literal[1] = 1

    def metadata(self) -> dict[bytes, str]:
        """What `of` reads."""
        said = {**vars(self), "settings": self.settings.model_dump(), "files": list(map(asdict, self.files))}
        return {KEY: json.dumps({name: said[name] for name in said if name not in ("path", "rows")})}

    @classmethod
    def of(cls, place: Place, path: str) -> "Part":
        """Read it; raises InputError if it is no part of a lake."""
        try:
            with place.open(path) as file:
                said = json.loads(file.schema_arrow.metadata[KEY])
                said |= {"path": path, "rows": file.metadata.num_rows}
                part = CHECKED.validate_python(said)
                if part.files and file.schema_arrow.equals(schema(part.settings)):
                    return part
        except (OSError, ValueError, TypeError, KeyError) as error:  # pyarrow's own errors are among these
            raise place.foreign(path) from error
        raise place.foreign(path)


CHECKED = TypeAdapter(Part)


def schema(settings: FeatureSettings) -> "pa.Schema":
    """The columns of a part: a row for each sequence, its features one list after another."""
    import pyarrow as pa

    text, number, whole = pa.string(), pa.float64(), pa.int32()
    return pa.schema(
        {
            "recording": text,
            "start_s": number,
            "slices": whole,  # that are real; what is behind them is 0
            "features": pa.list_(pa.float32(), settings.slices * N_FEATURES),  # dB, slice after slice
            "label": text,  # null: not known
            # of the recording, as in the report
            "seconds": number,
            "rate": whole,
            "channels": whole,
            "averaged": whole,
            "peak": number,
            "rms_db": number,
            "dc_offset": number,
            "clipped": number,
            "floor": number,
            "remarks": text,
        }
    )


def parts_of(place: Place) -> list[Part]:
    """All parts of one device, in the order of their recordings; raises InputError if they do not agree."""
    paths = place.parts()
    devices = sorted({match[1] for path in paths if (match := re.search(f"{DEVICE}([^/]*)", path))})
    if len(devices) > 1:
        one = below(place.path, DEVICE + devices[0])
        raise InputError(f"{place.path} holds {len(devices)} devices; give one of them, as {one}")
    parts = [Part.of(place, path) for path in paths]
    for part in parts:
        for what in ("device", "settings", "reading"):
            own, first = (_comparable(getattr(one, what)) for one in (part, parts[0]))
            if own != first:
                raise InputError(
                    f"{place.path}: {parts[0].path} and {part.path} differ in their {what} ({first} and"
                    f" {own}); keep one kind, and write the other to a lake of its own"
                )
    return sorted(parts, key=lambda part: (part.files[0].recording, part.path))


def _comparable(value: Any) -> Any:
    """Settings without the channel where it is the only one, or the mean of all: parts differ in that."""
    if isinstance(value, FeatureSettings) and value.channel in (1, MEAN):
        return value.model_copy(update={"channel": None})
    return value


def device_folder(device: str) -> str:
    """The folder of a device in a lake."""
    return DEVICE + quote(device, safe=" ")


class Lake:
    """As a feature set: the sequences of all parts, in the order of their recordings' names."""

    def __init__(self, path: str | Path, remedy: str = REMEDY) -> None:
        self.place = Place(path)
        self.found = parts_of(self.place)
        if not sum(part.rows for part in self.found):
            raise InputError(f"{path} holds no sequences of a lake; {remedy}")
        first, rows = self.found[0], sum(part.rows for part in self.found)
        self.device = first.device
        channels = {part.settings.channel for part in self.found if part.rows}
        channel = channels.pop() if len(channels) == 1 else MEAN
        self.settings = first.settings.model_copy(update={"channel": channel})
        features = Header((rows, first.settings.slices, N_FEATURES), False, np.dtype(np.float32))
        self.headers = {
            "features": features,
            "recording": Header((rows,), False, np.dtype(f"<U{max(part.letters for part in self.found)}")),
            "start_s": Header((rows,), False, np.dtype(np.float64)),
        }
        if not all(part.whole for part in self.found):
            self.headers["slices"] = Header((rows,), False, np.dtype(np.int64))
        if letters := max(part.label_letters for part in self.found):
            self.headers["label"] = Header((rows,), False, np.dtype(f"<U{letters}"))

    def parts(self, size: int, names: Sequence[str] = SET_COLUMNS) -> Iterator[dict[str, np.ndarray]]:
        """The columns, `size` rows at a time, over the ends of files."""
        import pyarrow as pa

        columns = [name for name in names if name in self.headers]
        waiting, rows = [], 0
        for batch in self._batches(size, columns):
            waiting.append(batch)
            rows += len(batch)
            if rows >= size:  # no batch is larger
                table, rows = pa.Table.from_batches(waiting), rows - size
                yield self._arrays(table[:size])
                waiting = table[size:].to_batches()
        if rows:
            yield self._arrays(pa.Table.from_batches(waiting))

    def _batches(self, size: int, columns: list[str]) -> "Iterator[pa.RecordBatch]":
        for part in self.found:
            try:
                with self.place.open(part.path) as file:
                    yield from file.iter_batches(size, columns=columns)
            except (OSError, ValueError) as error:  # pyarrow's own errors are among these
                raise error if isinstance(error, InputError) else self.place.foreign(part.path) from error

    def _arrays(self, table: "pa.Table") -> dict[str, np.ndarray]:
        arrays = {}
        for name in table.column_names:
            column, header = table[name].combine_chunks(), self.headers[name]
            if name == "features":
                flat = column.flatten().to_numpy(zero_copy_only=False)
                arrays[name] = flat.reshape(-1, *header.shape[1:])
            elif header.dtype.kind == "U":
                arrays[name] = np.array(column.fill_null("").to_pylist(), header.dtype)
            else:
                arrays[name] = column.to_numpy(zero_copy_only=False).astype(header.dtype)
        return arrays
