"""A handful of recordings made by both devices at once: optional help for training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan_lib.archive import Archive, as_text
from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.feature_set import FeatureSet, as_float32, check_features, check_same_settings
from cyclegan_lib.features.stream import writing
from cyclegan_lib.files import existing_file

ARRAYS = ("features_a", "features_b", "recording")
PAIRS_REMEDY = "write it with `Pairs.of(a, b).save(path)` from two feature sets of the same recordings"


@dataclass(frozen=True)
class Pairs:
    """Sequences that both devices recorded at the same moments, row by row."""

    features_a: np.ndarray  # (n, slices, 40) float32, dB
    features_b: np.ndarray  # the same
    recording: np.ndarray  # (n,) text

    def __len__(self) -> int:
        return len(np.unique(self.recording))

    @classmethod
    def of(cls, a: FeatureSet, b: FeatureSet) -> "Pairs":
        """Pair the sequences of two sets that agree in recording and start.

        Raises InputError if no sequence is in both, or they were extracted with different settings.
        """
        check_same_settings(a, b, f"the set of {a.device}", f"the set of {b.device}")
        rows_b = {key: i for i, key in enumerate(zip(b.recording, np.round(b.start_s, 3), strict=True))}
        keys = list(zip(a.recording, np.round(a.start_s, 3), strict=True))
        both = [(i, rows_b[key]) for i, key in enumerate(keys) if key in rows_b]
        if not both:
            raise InputError(
                f"no recording of {a.device} has the name and start of one of {b.device};"
                " name the two recordings of one moment the same"
            )
        in_a, in_b = (np.array(rows) for rows in zip(*both, strict=True))
        return cls(a.features[in_a], b.features[in_b], a.recording[in_a])

    def save(self, path: str | Path) -> Path:
        """Write `features_a`, `features_b` and `recording` as .npz, without pickled objects."""
        with writing(path, len(self.recording)) as write:
            write(
                {
                    "features_a": np.asarray(self.features_a, dtype=np.float32),
                    "features_b": np.asarray(self.features_b, dtype=np.float32),
                    "recording": np.asarray(self.recording, dtype=np.str_),
                }
            )
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> "Pairs":
        """Read and validate what `save` wrote.

        Raises InputError if the file is missing, damaged, holds pickled objects, or the two arrays are not
        finite numbers of one shape (n, slices, 40).
        """
        path = existing_file(path, PAIRS_REMEDY)
        archive = Archive(path, ARRAYS, PAIRS_REMEDY)
        shape_a, shape_b, shape = (archive.headers[name].shape for name in ARRAYS)
        if shape_a != shape_b:
            raise InputError(
                f"{path} has features of shape {shape_a} and {shape_b};"
                f" both must be numbers of one shape (n, slices, {N_FEATURES})"
            )
        for name in ("features_a", "features_b"):
            check_features(archive.headers[name], path)
        if shape != shape_a[:1]:
            raise InputError(f"{path}: 'recording' must name each of the {shape_a[0]} sequences")
        *features, recording = archive.arrays(*ARRAYS)
        (a, bad_a), (b, bad_b) = map(as_float32, features)
        if bad_a or bad_b:
            raise InputError(f"{path} has NaN or infinite features; extract the recordings again")
        return cls(a, b, as_text(recording, path, "recording"))
