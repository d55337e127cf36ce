"""A handful of recordings made by both devices at once: optional help for training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan_lib.archive import Archive, as_text
from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.features.feature_set import FeatureSet, check_same_settings
from cyclegan_lib.features.lengths import common_length
from cyclegan_lib.features.normalization import CONSTANT_DB
from cyclegan_lib.features.stream import as_float32, check_features, writing
from cyclegan_lib.files import existing_file

ARRAYS = ("features_a", "features_b", "recording")
# Of one moment, levels over time correlated by 0.29 to 0.85 on average (microphones in loud surroundings, two
# sensors, phone and hi-fi, the simulated devices); by chance a sequence's scatter by about 0.2 around 0.
CHANCE_DEVIATIONS, SURE_CORRELATION, LOW_CORRELATION = 3.0, 0.5, 0.2
STEADY_DB = 0.3  # levels of noise that does not change deviate by 0.2 dB from slice to slice
SHUFFLES = 20  # pairings that are none, to see what chance gives
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
        """Pair the sequences of two sets that agree in recording and start, all cut to one length.

        Raises InputError if no sequence is in both, they were extracted with different settings, or their
        levels over time say that they are not of the same moments; where these cannot tell, prints so.
        """
        check_same_settings(a, b, f"the set of {a.device}", f"the set of {b.device}")
        length = common_length(a, b)
        a, b = a.cut(length), b.cut(length)
        rows_b = {key: i for i, key in enumerate(zip(b.recording, np.round(b.start_s, 3), strict=True))}
        keys = list(zip(a.recording, np.round(a.start_s, 3), strict=True))
        both = [(i, rows_b[key]) for i, key in enumerate(keys) if key in rows_b]
        if not both:
            raise InputError(
                f"no recording of {a.device} has the name and start of one of {b.device};"
                " name the two recordings of one moment the same"
            )
        in_a, in_b = (np.array(rows) for rows in zip(*both, strict=True))
        a, b = a.select(in_a), b.select(in_b)
        for remark in check_moments(a, b):
            print(printable(remark))
        return cls(a.features, b.features, a.recording)

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


def same_moment(source: FeatureSet, target: FeatureSet, row: int) -> int | None:
    """The row of `target` with the name and start of the source's `row`; None if there is none."""
    same = (target.recording == source.recording[row]) & np.isclose(target.start_s, source.start_s[row])
    return int(np.flatnonzero(same)[0]) if same.any() else None


def check_moments(a: FeatureSet, b: FeatureSet) -> list[str]:
    """Raise InputError if sequences of one name, row by row, are clearly not the same moments.

    What two devices hear of one moment grows louder and quieter together: the mean level of the bands is
    correlated over the slices of each sequence, and the mean of these correlations compared with that of
    sequences that do not belong together. Returns a sentence where this tells nothing, as with steady sounds
    and few pairs; none where the moments are the same. All sequences have one length.
    """
    x, y = (_levels(part) for part in (a, b))  # (n, slices) dB, mean 0
    varied = np.minimum(x.std(axis=1), y.std(axis=1)) >= CONSTANT_DB
    x, y = (level[varied] / np.linalg.norm(level[varied], axis=1, keepdims=True) for level in (x, y))
    n, slices = x.shape
    found, chance, deviation = 0.0, 0.0, 1.0
    if n:
        others = [np.roll(y, shift, axis=0) for shift in range(1, min(n, SHUFFLES))]
        early = max(1, slices // 4)
        others += [np.roll(y, shift, axis=1) for shift in range(early, slices - early + 1)]
        by_chance = [(x * other).sum(axis=1) for other in others]
        found, chance = float((x * y).sum(axis=1).mean()), float(np.mean(by_chance))
        deviation = float(np.std(by_chance)) / np.sqrt(n)
    if found > min(chance + CHANCE_DEVIATIONS * deviation, SURE_CORRELATION):
        return []
    figure = f"their levels over time correlate by {found:.2f}, as those of other moments do"
    varies = min(np.median(_levels(part).std(axis=1)) for part in (a, b)) >= STEADY_DB
    if varies and found - chance + CHANCE_DEVIATIONS * deviation < LOW_CORRELATION:
        raise InputError(
            f"the {len(a)} sequences of {a.device} and {b.device} that agree in recording and start are not"
            f" of the same moments ({figure}); pair only recordings that both devices made at once"
        )
    return [
        f"The {len(a)} pairs of {a.device} and {b.device} may not be of the same moments: {figure};"
        " with steady sounds, or few, that says little."
    ]


def _levels(feature_set: FeatureSet) -> np.ndarray:
    levels = feature_set.features.mean(axis=2, dtype=np.float64)  # (sequences, slices)
    return levels - levels.mean(axis=1, keepdims=True)
