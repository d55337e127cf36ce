"""A device's features: what is in the file, and what must be true of it."""

import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.config import N_FEATURES, FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file, replacing

REQUIRED = ("features", "recording", "start_s", "device", "settings")
# what numpy raises for an empty, truncated or foreign file, whatever its name
DAMAGED = (OSError, EOFError, KeyError, zipfile.BadZipFile)
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

    def save(self, path: str | Path) -> Path:
        """Write the set as `.npz` (no pickled objects), beside and renamed, so that it is whole or absent."""
        arrays: dict[str, Any] = {
            "features": self.features.astype(np.float32),
            "recording": np.asarray(self.recording, dtype=np.str_),
            "start_s": np.asarray(self.start_s, dtype=np.float64),
            "device": np.str_(self.device),
            "settings": np.str_(json.dumps(None if self.settings is None else self.settings.model_dump())),
        }
        if self.label is not None:
            arrays["label"] = np.asarray(self.label, dtype=np.str_)
        if Path(path).suffix != ".npz":
            raise InputError(f"{path} must end in .npz, the only format that feature sets are written in")
        with replacing(path) as part:
            np.savez(part, **arrays)
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
        readers = {".npz": _read_npz, ".npy": _read_npy, ".json": _read_json}
        if path.suffix not in readers:
            raise InputError(f"{path} is not a feature set: its name must end in .npz, .npy or .json")
        found = readers[path.suffix](path)
        features = _checked_features(found.pop("features"), path, least)
        return cls(features=features, **_checked_columns(found, len(features), path))


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


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{path} is an array named .npz; rename it to .npy, or {REMEDY}")
            found = {name: archive[name] for name in archive.files}
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
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise InputError(f"{path} lacks the array '{missing[0]}'; {REMEDY}")
    found = {name: found[name] for name in (*REQUIRED, "label") if name in found}
    try:
        values = json.loads(str(found["settings"]))
    except json.JSONDecodeError as error:
        raise InputError(f"{path} has feature settings that are not JSON; {REMEDY}") from error
    if values is not None and not isinstance(values, dict):
        raise InputError(f"{path} has feature settings that are not a JSON object; {REMEDY}")
    found["settings"] = None if values is None else FeatureSettings.checked(f"{path} (settings)", **values)
    found["device"] = str(found["device"])
    return found


def _read_npy(path: Path) -> dict[str, Any]:
    try:
        features = np.load(path, allow_pickle=False)
    except (ValueError, *DAMAGED) as error:
        raise InputError(f"{path} is not a plain numpy array of numbers; {REMEDY}") from error
    if not isinstance(features, np.ndarray):
        raise InputError(f"{path} is an .npz archive named .npy; rename it, or {REMEDY}")
    return {"features": features, "device": path.stem}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        features = np.array(json.loads(path.read_text(encoding="utf-8")), dtype=np.float64)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path} is not a JSON list of equally long (slices, 40) lists of numbers"
        ) from error
    return {"features": features, "device": path.stem}


def _checked_features(features: np.ndarray, path: Path, least: int) -> np.ndarray:
    if features.ndim != 3 or not features.size or features.dtype.kind not in "fiu":
        raise InputError(
            f"{path} holds {features.dtype} features of shape {features.shape};"
            f" they must be numbers of shape (sequences, slices, {N_FEATURES})"
        )
    if features.shape[2] != N_FEATURES:
        raise InputError(f"{path} has {features.shape[2]} features a slice; there must be {N_FEATURES}")
    with np.errstate(over="ignore"):
        features = features.astype(np.float32)
    if not np.isfinite(features).all():
        bad = int((~np.isfinite(features)).any(axis=(1, 2)).sum())
        raise InputError(
            f"{path} has NaN or infinite features in {bad} of {len(features)} sequences;"
            " extract it again from recordings without gaps"
        )
    if len(features) < least:
        raise InputError(f"{path} has {len(features)} sequence; at least {least} are needed")
    return features


def _checked_columns(found: dict[str, Any], n: int, path: Path) -> dict[str, Any]:
    found.setdefault("recording", np.array([f"{path.stem}-{i:05d}" for i in range(n)]))
    found.setdefault("start_s", np.zeros(n))
    for name in ("recording", "start_s", "label"):
        if name in found and found[name].shape != (n,):
            raise InputError(
                f"{path}: '{name}' has shape {found[name].shape}; it must be ({n},), one a sequence"
            )
    if found["start_s"].dtype.kind not in "fiu" or not np.isfinite(found["start_s"]).all():
        raise InputError(f"{path}: 'start_s' must hold a finite number of seconds for each sequence")
    if not found["device"].strip():
        raise InputError(f"{path} names no device; extract it again with --device")
    return found
