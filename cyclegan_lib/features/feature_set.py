"""A device's features: what is in the file, and what must be true of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.config import N_FEATURES, FeatureSettings
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.features.archive import DAMAGED, as_text, check_archive, check_array
from cyclegan_lib.files import existing_file, replacing

REQUIRED = ("features", "recording", "start_s", "device", "settings")
REMEDY = "give a feature set written by `cyclegan extract`"


@dataclass(frozen=True)
class FeatureSet:
    """Sequences of log mel energies heard by one device.

    Attributes
    ----------
    features : float32 array, (sequences, slices, 40), dB
    recording : str array, (sequences,)
        The recording each sequence comes from. Splits never separate sequences of one recording.
    start_s : float array, (sequences,), seconds
        Where the sequence starts in its recording.
    device : str
    settings : FeatureSettings or None
        How the features were extracted; None where the file does not say (JSON, `.npy`).
    label : str array, (sequences,), or None
        The fault class, where it is known.
    """

    features: np.ndarray
    recording: np.ndarray
    start_s: np.ndarray
    device: str
    settings: FeatureSettings | None = None
    label: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.features)

    def select(self, index: np.ndarray) -> "FeatureSet":
        """Return the sequences at `index` (boolean mask or integers) as a new set."""
        return replace(
            self,
            features=self.features[index],
            recording=self.recording[index],
            start_s=self.start_s[index],
            label=None if self.label is None else self.label[index],
        )

    def with_features(self, features: np.ndarray, device: str) -> "FeatureSet":
        """Return the same recordings with other features, as `device` would hear them."""
        return replace(self, features=np.asarray(features, dtype=np.float32), device=device)

    def arrays(self) -> dict[str, Any]:
        """What an `.npz` of the set holds: no pickled objects."""
        arrays: dict[str, Any] = {
            "features": self.features.astype(np.float32),
            "recording": np.asarray(self.recording, dtype=np.str_),
            "start_s": np.asarray(self.start_s, dtype=np.float64),
            "device": np.str_(self.device),
            "settings": np.str_(json.dumps(None if self.settings is None else self.settings.model_dump())),
        }
        if self.label is not None:
            arrays["label"] = np.asarray(self.label, dtype=np.str_)
        return arrays

    def save(self, path: str | Path) -> Path:
        """Write the set as `.npz`, beside and renamed, so that it is whole or absent."""
        if Path(path).suffix != ".npz":
            raise InputError(f"{path} must end in .npz, the only format that feature sets are written in")
        with replacing(path) as part:
            np.savez(part, **self.arrays())
        return Path(path)

    @classmethod
    def load(cls, path: str | Path, least: int = 2, remedy: str = REMEDY) -> "FeatureSet":
        """Read and validate a feature set.

        Besides `.npz`, the guide's JSON (a list of (slices, 40) lists) and `.npy` (n, slices, 40) are read;
        each of their sequences counts as a recording of its own and the device is the file's name.

        Parameters
        ----------
        path : str or Path
        least : int
            The fewest sequences that the caller can work with.
        remedy : str
            What to do when the file is missing.

        Raises
        ------
        InputError
            If the file is missing, not one of the three formats, holds pickled objects, or its features are
            not (n, slices, 40) finite numbers of at least `least` sequences.
        """
        path = existing_file(path, remedy)
        check_suffix(path)
        readers = {".npz": read_npz, ".npy": _read_npy, ".json": _read_json}
        found = readers[path.suffix](path)
        features = _checked_features(found.pop("features"), path, least)
        return cls(features=features, **checked_columns(found, len(features), path))


def check_same_settings(a: FeatureSet, b: FeatureSet, path_a: str | Path, path_b: str | Path) -> None:
    """Raise InputError if two domains cannot be compared: extracted with different settings or slices."""
    if a.settings is not None and b.settings is not None and a.settings != b.settings:
        ours, theirs = a.settings.model_dump(), b.settings.model_dump()
        name = next(key for key in ours if ours[key] != theirs[key])
        raise InputError(
            f"{path_a} and {path_b} were extracted with different settings ({name} {ours[name]} and"
            f" {theirs[name]}); extract both again with the same {name}"
        )
    if a.features.shape[1] != b.features.shape[1]:
        raise InputError(
            f"{path_a} has {a.features.shape[1]} slices a sequence and {path_b} has {b.features.shape[1]};"
            " extract both with the same settings"
        )


def check_suffix(path: Path) -> None:
    """Raise InputError if the file's name is not that of a feature set."""
    if path.suffix not in (".npz", ".npy", ".json"):
        raise InputError(f"{path} is not a feature set: its name must end in .npz, .npy or .json")


@contextmanager
def reading_npz(path: Path) -> Iterator[None]:
    """Look at an .npz before it is read, and name it and the remedy in whatever goes wrong then."""
    check_archive(path, REMEDY)
    try:
        yield
    except InputError:
        raise
    except ValueError as error:
        if "pickle" in str(error).lower():
            raise InputError(
                f"{path} holds pickled Python objects, which can run code and are never loaded; {REMEDY}"
            ) from error
        raise InputError(f"{path} is damaged ({error}); {REMEDY}") from error
    except DAMAGED as error:
        raise InputError(f"{path} is damaged or not an .npz file; {REMEDY}") from error


def read_npz(path: Path, only: tuple[str, ...] = (*REQUIRED, "label")) -> dict[str, Any]:
    """The arrays named `only`, among them settings and device, of an .npz that has all that are required."""
    with reading_npz(path), np.load(path, allow_pickle=False) as archive:
        missing = [name for name in REQUIRED if name not in archive.files]
        found = {name: archive[name] for name in archive.files if name in only}
    if missing:
        raise InputError(f"{path} lacks the array '{missing[0]}'; {REMEDY}")
    for name in ("settings", "device"):
        if found[name].shape != ():
            raise InputError(f"{path}: '{name}' must be one text, not {found[name].shape}; {REMEDY}")
        found[name] = str(as_text(found[name], path, name))
    try:
        values = json.loads(found["settings"])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} has feature settings that are not JSON; {REMEDY}") from error
    if values is not None and not isinstance(values, dict):
        raise InputError(f"{path} has feature settings that are not a JSON object; {REMEDY}")
    found["settings"] = None if values is None else FeatureSettings.checked(f"{path} (settings)", **values)
    return found


def map_npy(path: Path) -> np.ndarray:
    """The array of an .npy file as a memory map, of which only what is looked at is read."""
    check_array(path, REMEDY)
    try:
        features = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, *DAMAGED) as error:
        raise InputError(f"{path} is not a plain numpy array of numbers; {REMEDY}") from error
    return np.asarray(features)


def _read_npy(path: Path) -> dict[str, Any]:
    return {"features": map_npy(path), "device": printable(path.stem)}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        features = np.array(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path} is not a JSON list of equally long (slices, 40) lists of numbers"
        ) from error
    return {"features": features, "device": printable(path.stem)}


def check_shape(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> None:
    """Raise InputError if these cannot be features, (sequences, slices, 40) numbers."""
    if len(shape) != 3 or 0 in shape or dtype.kind not in "fiu":
        raise InputError(
            f"{path} holds {dtype} features of shape {shape};"
            f" they must be numbers of shape (sequences, slices, {N_FEATURES})"
        )
    if shape[2] != N_FEATURES:
        raise InputError(f"{path} has {shape[2]} features a slice; there must be {N_FEATURES}")


def as_float32(features: np.ndarray) -> tuple[np.ndarray, int]:
    """The features as float32, and in how many of the sequences one is then NaN or infinite."""
    with np.errstate(over="ignore"):
        features = features.astype(np.float32, order="C")
    return features, int((~np.isfinite(features)).any(axis=(1, 2)).sum())


def check_finite(bad: int, n: int, path: Path) -> None:
    """Raise InputError if features are NaN or infinite in any, `bad` of the `n` sequences."""
    if bad:
        raise InputError(
            f"{path} has NaN or infinite features in {bad} of {n} sequences;"
            " extract it again from recordings without gaps"
        )


def check_enough(n: int, least: int, path: Path) -> None:
    """Raise InputError if there are fewer sequences than the caller can work with."""
    if n < least:
        raise InputError(f"{path} has {n} sequence; at least {least} are needed")


def _checked_features(features: np.ndarray, path: Path, least: int) -> np.ndarray:
    check_shape(features.shape, features.dtype, path)
    features, bad = as_float32(features)
    check_finite(bad, len(features), path)
    check_enough(len(features), least, path)
    return features


def check_columns_shape(shapes: dict[str, tuple[int, ...]], n: int, path: Path) -> None:
    """Raise InputError if a column has not one value for each of `n` sequences."""
    for name in ("recording", "start_s", "label"):
        if name in shapes and shapes[name] != (n,):
            raise InputError(f"{path}: '{name}' has shape {shapes[name]}; it must be ({n},), one a sequence")


def numbered(path: Path, first: int, stop: int, n: int) -> np.ndarray:
    """Names of the recordings `first` to `stop` - 1 of `n`, for files that name none."""
    stem = path.stem
    width = len(stem) + 1 + max(5, len(str(n - 1)))
    return np.array([f"{stem}-{i:05d}" for i in range(first, stop)], dtype=f"<U{width}")


def checked_columns(found: dict[str, Any], n: int, path: Path) -> dict[str, Any]:
    """All but the features, of `n` sequences: what a file lacks is added, what cannot be is refused."""
    if "recording" not in found:
        found["recording"] = numbered(path, 0, n, n)
    found.setdefault("start_s", np.zeros(n))
    check_columns_shape({name: np.shape(value) for name, value in found.items()}, n, path)
    if found["start_s"].dtype.kind not in "fiu" or not np.isfinite(found["start_s"]).all():
        raise InputError(f"{path}: 'start_s' must hold a finite number of seconds for each sequence")
    for name in {"recording", "label"} & found.keys():
        found[name] = as_text(found[name], path, name)
    if printable(found["device"]) != found["device"]:
        raise InputError(f"{path} has control characters in its device's name; extract it again")
    if not found["device"].strip():
        raise InputError(f"{path} names no device; extract it again with --device")
    return found
