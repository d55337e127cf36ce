"""A handful of recordings made by both devices at once: optional help for training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.archive import DAMAGED, PICKLED, as_text, check_archive
from cyclegan_lib.features.feature_set import FeatureSet, check_same_settings
from cyclegan_lib.files import existing_file, replacing

REMEDY = "write it with `Pairs.of(a, b).save(path)` from two feature sets of the same recordings"


@dataclass(frozen=True)
class Pairs:
    """Sequences that both devices recorded at the same moments, row by row.

    Attributes
    ----------
    features_a, features_b : float32 arrays, (n, slices, 40), dB
    recording : str array, (n,)
    """

    features_a: np.ndarray
    features_b: np.ndarray
    recording: np.ndarray

    def __len__(self) -> int:
        return len(np.unique(self.recording))

    @classmethod
    def of(cls, a: FeatureSet, b: FeatureSet) -> "Pairs":
        """Pair the sequences of two sets that agree in recording and start.

        Raises
        ------
        InputError
            If no sequence is in both, or the sets were extracted with different settings.
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
        if Path(path).suffix != ".npz":
            raise InputError(f"{path} must end in .npz, the format that pairs are written in")
        with replacing(path) as part:
            np.savez(
                part,
                features_a=self.features_a.astype(np.float32),
                features_b=self.features_b.astype(np.float32),
                recording=np.asarray(self.recording, dtype=np.str_),
            )
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> "Pairs":
        """Read and validate what `save` wrote.

        Raises
        ------
        InputError
            If the file is missing, damaged, holds pickled objects, or the two arrays are not finite numbers
            of one shape (n, slices, 40).
        """
        path = existing_file(path, REMEDY)
        try:
            check_archive(path, REMEDY)
            with np.load(path, allow_pickle=False) as file:
                a, b, recording = (file[name] for name in ("features_a", "features_b", "recording"))
        except (ValueError, *DAMAGED) as error:
            if PICKLED in str(error):
                raise
            raise InputError(f"{path} is not a file of pairs, or is damaged; {REMEDY}") from error
        numbers = a.dtype.kind == b.dtype.kind == "f"
        if not numbers or a.shape != b.shape or a.ndim != 3 or a.shape[2] != N_FEATURES or not a.size:
            raise InputError(
                f"{path} has features of shape {a.shape} and {b.shape};"
                f" both must be numbers of one shape (n, slices, {N_FEATURES})"
            )
        if not all(np.abs(x).max() < np.finfo(np.float32).max for x in (a, b)):
            raise InputError(f"{path} has NaN or infinite features; extract the recordings again")
        if recording.shape != (len(a),):
            raise InputError(f"{path}: 'recording' must name each of the {len(a)} sequences")
        return cls(a.astype(np.float32), b.astype(np.float32), as_text(recording, path, "recording"))
