"""A device's features, in memory or on disk, and what must be true of them."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.archive import as_text
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.features.lake import Lake, is_lake, is_url
from cyclegan_lib.features.stream import (
    FORMATS,
    SET_COLUMNS,
    SET_REMEDY,
    Source,
    as_float32,
    check_features,
    writing,
)
from cyclegan_lib.files import existing_file
from cyclegan_lib.glance import Shown

PART = 4096  # sequences in memory, where not all are kept
DIGITS = 12  # of a sequence's SHA-256: among a million no two are the same by chance


@dataclass(frozen=True, repr=False)
class FeatureSet(Shown):
    """Sequences of log mel energies heard by one device."""

    features: np.ndarray  # (sequences, slices, 40) float32, dB; what is longer than a sequence is 0
    recording: np.ndarray  # (sequences,) text; splits never separate sequences of one recording
    start_s: np.ndarray  # (sequences,) float64, seconds: where the sequence starts in its recording
    device: str
    settings: FeatureSettings | None = None  # how they were extracted; None where the file does not say
    label: np.ndarray | None = None  # (sequences,) text: the fault class, "" where it is not known
    slices: np.ndarray | None = None  # (sequences,) int: how many of its slices are real; None: all of them

    def __len__(self) -> int:
        return len(self.features)

    def glance(self) -> tuple[str, dict[str, object], dict[str, np.ndarray]]:
        """What it holds, and its mean spectrum in dB."""
        lengths = np.unique(self.lengths).tolist()
        facts = {
            "recordings": len(np.unique(self.recording)),
            "sequences": len(self),
            "slices of each": f"{lengths[0]}" + (f" to {lengths[-1]}" if len(lengths) > 1 else ""),
            "classes": ", ".join(self.classes) or "none",
            "sample rate": f"{self.settings.sample_rate} Hz" if self.settings else "unknown",
        }
        return f"features of {self.device}", facts, {"mean spectrum (dB)": self.mean_spectra().mean(axis=0)}

    def select(self, index: np.ndarray) -> "FeatureSet":
        """Return the sequences at `index` (boolean mask or integers) as a new set."""
        return replace(self, **{name: column[index] for name, column in self.columns().items()})

    @property
    def labelled(self) -> np.ndarray:
        """Which sequences have a label, bool (sequences,): an empty one is none."""
        return np.zeros(len(self), dtype=bool) if self.label is None else self.label != ""

    @property
    def classes(self) -> list[str]:
        """The labels that occur, sorted; none without labels."""
        return np.unique(self.label[self.labelled]).tolist() if self.labelled.any() else []

    @property
    def lengths(self) -> np.ndarray:
        """How many slices each sequence has, int (sequences,)."""
        return np.full(len(self), self.features.shape[1]) if self.slices is None else self.slices

    def real_slices(self) -> np.ndarray:
        """All slices of all sequences, one after the other: (slices in all, 40) dB, without padding."""
        if self.slices is None:
            return self.features.reshape(-1, self.features.shape[-1])
        return self.features[np.arange(self.features.shape[1]) < self.lengths[:, None]]

    def mean_spectra(self) -> np.ndarray:
        """The mean over each sequence's slices, float64 (sequences, 40) dB."""
        real = self.features
        if self.slices is not None:
            real = np.where((np.arange(real.shape[1]) < self.slices[:, None])[..., None], real, 0)
        ones = np.ones(real.shape[1], np.float32)  # a product: the sum over an inner axis is slower
        return np.matmul(ones, real).astype(np.float64) / self.lengths[:, None]

    @cached_property
    def fingerprints(self) -> np.ndarray:
        """`DIGITS` hexadecimal digits of each sequence, str (sequences,): the same where the features are."""
        rows = zip(self.features, self.lengths, strict=True)
        digests = (hashlib.sha256(np.ascontiguousarray(x[:length])).hexdigest() for x, length in rows)
        return np.array([digest[:DIGITS] for digest in digests])

    def sequence(self, row: int) -> np.ndarray:
        """The slices of one sequence, (its length, 40) dB."""
        return self.features[row, : self.lengths[row]]

    def by_length(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Sequences of one length at a time: which they are, int (k,), and their features (k, length, 40)."""
        if self.slices is None:
            yield np.arange(len(self)), self.features
            return
        for length in np.unique(self.lengths):
            index = np.flatnonzero(self.lengths == length)
            yield index, self.features[index, :length]

    def cut(self, length: int) -> "FeatureSet":
        """Sequences of `length` slices each: the longer ones in pieces that begin evenly spaced.

        Pieces overlap where a sequence is no multiple of `length`; shorter sequences are left out.
        """
        if self.slices is None and length == self.features.shape[1]:
            return self
        rows, starts = [], []
        for row, count in enumerate(self.lengths):
            pieces = -(-count // length) if count >= length else 0
            rows += [row] * pieces
            starts += list(np.round(np.linspace(0, count - length, pieces)).astype(int))
        rows, starts = np.array(rows, dtype=int), np.array(starts, dtype=int)
        chosen = replace(self, slices=None).select(rows)
        hop_s = (self.settings or FeatureSettings()).slice_hop_s
        return replace(
            chosen,
            features=chosen.features[np.arange(len(rows))[:, None], starts[:, None] + np.arange(length)],
            start_s=chosen.start_s + starts * hop_s,
        )

    def first(self, length: int) -> "FeatureSet":
        """The first `length` slices of each sequence; those that have fewer are left out."""
        if self.slices is None and length == self.features.shape[1]:
            return self
        long = self.select(self.lengths >= length)
        return replace(long, features=long.features[:, :length], slices=None)

    def with_features(self, features: np.ndarray, device: str) -> "FeatureSet":
        """Return the same recordings with other features, as `device` would hear them."""
        return replace(self, features=np.asarray(features, dtype=np.float32), device=device)

    def columns(self) -> dict[str, np.ndarray]:
        """The arrays with a row for each sequence."""
        columns = {name: getattr(self, name) for name in SET_COLUMNS}
        return {name: column for name, column in columns.items() if column is not None}

    def arrays(self) -> dict[str, Any]:
        """What an `.npz` of the set holds: no pickled objects."""
        arrays: dict[str, Any] = {
            "features": np.asarray(self.features, dtype=np.float32),
            "recording": np.asarray(self.recording, dtype=np.str_),
            "start_s": np.asarray(self.start_s, dtype=np.float64),
            "device": np.str_(self.device),
            "settings": np.str_(json.dumps(None if self.settings is None else self.settings.model_dump())),
        }
        if self.label is not None:
            arrays["label"] = np.asarray(self.label, dtype=np.str_)
        if self.slices is not None:
            arrays["slices"] = np.asarray(self.slices, dtype=np.int64)
        return arrays

    def save(self, path: str | Path) -> Path:
        """Write the set as `.npz`, beside and renamed, so that it is whole or absent."""
        with writing(path, len(self)) as write:
            write(self.arrays())
        return Path(path)

    @classmethod
    def load(cls, path: str | Path, least: int = 2, remedy: str = SET_REMEDY) -> "FeatureSet":
        """Read and validate a feature set of at least `least` sequences: its stream as one part.

        Besides `.npz` and lakes, the guide's JSON (a list of (slices, 40) lists, of any lengths) and `.npy`
        (n, slices, 40) are read; each of their sequences counts as a recording of its own, the device is the
        file's name.

        Raises InputError if the file is missing (then with `remedy`), not one of the three formats, holds
        pickled objects, or its features are not (n, slices, 40) finite numbers.
        """
        stream = FeatureStream(path, least, remedy)
        (whole,) = stream.parts(len(stream))
        return whole


def opened(path: str | Path, remedy: str) -> Source:
    """A feature set's file, or lake; raises InputError with `remedy` if there is none."""
    if is_lake(path):
        return Lake(path, remedy)
    path = existing_file(path, remedy)
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path} is not a feature set: its name must end in .npz, .npy or .json")
    return FORMATS[path.suffix.lower()](path)


class FeatureStream:
    """A feature set on disk of which one part at a time is in memory.

    Its headers are looked at here; parameters and errors are those of `FeatureSet.load`. Read whole are the
    guide's JSON, and an `.npz` whose features lie column by column (Fortran order), which no program here
    writes.
    """

    def __init__(self, path: str | Path, least: int = 2, remedy: str = SET_REMEDY) -> None:
        self.source = source = opened(path, remedy)
        self.path = path = path if is_url(path) else Path(path)
        check_features(source.headers["features"], path)
        self.sequences, self.slices, _ = source.headers["features"].shape
        if len(self) < least:
            raise InputError(f"{path} has {len(self)} sequence; at least {least} are needed")
        for name in SET_COLUMNS[1:]:
            if name in source.headers and (shape := source.headers[name].shape) != (len(self),):
                raise InputError(
                    f"{path}: '{name}' has shape {shape}; it must be ({len(self)},), one a sequence"
                )
        if printable(source.device) != source.device:
            raise InputError(f"{path} has control characters in its device's name; extract it again")
        if not source.device.strip():
            raise InputError(f"{path} names no device; extract it again with --device")

    def __len__(self) -> int:
        return self.sequences

    def parts(self, size: int) -> Iterator[FeatureSet]:
        """The set in parts of `size` sequences, the last one of what is left.

        Raises InputError as `FeatureSet.load` does. NaN and infinite features show only when their part is
        read: the parts before were given out by then.
        """
        bad = start = 0
        for columns in self.source.parts(size):
            if "slices" in columns:
                columns = self._unpadded(columns)
            features, more = as_float32(columns["features"])
            bad += more
            if not bad:  # otherwise they are only counted
                yield self._checked({**columns, "features": features}, start)
            start += len(features)
        if bad:
            raise InputError(
                f"{self.path} has NaN or infinite features in {bad} of {len(self)} sequences;"
                " extract it again from recordings without gaps"
            )

    def drawn(self, most: int, seed: int) -> tuple[FeatureSet, int]:
        """The set, or of more recordings than `most` so many, drawn at random; and how many there are.

        The others are never all in memory.
        """
        names = np.empty(0)
        if "recording" in self.source.headers:
            columns = self.source.parts(PART, ("recording",))
            names = np.unique(np.concatenate([column["recording"] for column in columns]))
        if len(names) <= most:
            (whole,) = self.parts(len(self))
            return whole, len(names)
        chosen = np.random.default_rng(seed).choice(names, most, replace=False)
        return joined([p.select(np.isin(p.recording, chosen)) for p in self.parts(PART)]), len(names)

    def _unpadded(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """With nothing but zeros where no slices are."""
        slices, features = columns["slices"], columns["features"]
        if slices.dtype.kind not in "iu" or not ((slices >= 1) & (slices <= features.shape[1])).all():
            raise InputError(f"{self.path}: 'slices' must be 1 to {features.shape[1]} for each sequence")
        real = np.arange(features.shape[1]) < slices[:, None]
        return {**columns, "features": np.where(real[..., None], features, 0), "slices": slices.astype(int)}

    def _checked(self, columns: dict[str, np.ndarray], start: int) -> FeatureSet:
        """A part that starts at sequence `start`: what the file lacks is added, what cannot be is refused."""
        n = len(columns["features"])
        if "recording" not in columns:  # all names as wide as the last one needs
            names = [f"{self.path.stem}-{i:05d}" for i in range(start, start + n)]
            width = len(self.path.stem) + 1 + max(5, len(str(len(self) - 1)))
            columns |= {"recording": np.array(names, dtype=f"<U{width}")}
        columns = {"start_s": np.zeros(n), **columns}
        if columns["start_s"].dtype.kind not in "fiu" or not np.isfinite(columns["start_s"]).all():
            raise InputError(f"{self.path}: 'start_s' must hold a finite number of seconds for each sequence")
        for name in {"recording", "label"} & columns.keys():
            as_text(columns[name], self.path, name)
        return FeatureSet(**columns, device=self.source.device, settings=self.source.settings)


def regrouped(parts: Iterable[FeatureSet], size: int) -> Iterator[FeatureSet]:
    """The same sequences in parts of `size`, the last one of what is left."""
    waiting: list[FeatureSet] = []
    for part in parts:
        waiting.append(part)
        if sum(map(len, waiting)) >= size:
            together = joined(waiting)
            whole = len(together) // size * size
            for start in range(0, whole, size):
                yield together.select(np.s_[start : start + size])
            waiting = [together.select(np.s_[whole:])]
    if sum(map(len, waiting)):
        yield joined(waiting)


def joined(parts: list[FeatureSet]) -> FeatureSet:
    """One set of parts that have the same columns; device and settings are those of the first."""
    if len(parts) == 1:
        return parts[0]
    columns = [part.columns() for part in parts]
    return replace(parts[0], **{n: np.concatenate([column[n] for column in columns]) for n in columns[0]})


def check_same_settings(a: FeatureSet, b: FeatureSet, path_a: str | Path, path_b: str | Path) -> None:
    """Raise InputError if two domains cannot be compared: extracted with different settings."""
    if a.settings is not None and b.settings is not None and a.settings.common() != b.settings.common():
        of_a, of_b = a.settings.common().model_dump(), b.settings.common().model_dump()
        name = next(key for key in of_a if of_a[key] != of_b[key])
        raise InputError(
            f"{path_a} and {path_b} were extracted with different settings ({name} {of_a[name]} and"
            f" {of_b[name]}); extract both again with the same {name}"
        )
