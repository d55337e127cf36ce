"""What a device's training recordings were like, in some numbers, to see whether others are like them."""

from typing import Annotated

import numpy as np
from pydantic import Field

from cyclegan_lib.config import N_FEATURES, Settings
from cyclegan_lib.features.feature_set import FeatureSet
from cyclegan_lib.features.splits import fold_of_recordings

QUANTILE = 0.99  # of the training recordings is below a limit
FOLDS = 5
MIN_DB = 0.5  # recordings that differ by less count as equal: a steady machine must not make all others new
PER_FEATURE = Field(min_length=N_FEATURES, max_length=N_FEATURES)
Positive = Annotated[float, Field(gt=0)]


class Seen(Settings):
    """The training recordings of one device: levels and spectra of their sequences, and how far both spread.

    A sequence's level is the mean of its mean spectrum, the shape what is left of the spectrum. The two are
    looked at by themselves, because machines differ in level and devices in shape.
    """

    level: float  # dB, the mean over sequences
    level_std: Positive
    shape: Annotated[list[float], PER_FEATURE]  # dB
    shape_std: Annotated[list[Positive], PER_FEATURE]
    novelty: Positive  # limit: 99 % of the sequences are nearer than this to those of the other recordings
    disagreement: float = Field(0.0, ge=0)  # the same of the restarts' disagreement on them, z-scores

    @classmethod
    def of(cls, training: FeatureSet) -> "Seen":
        """Describe a device's training set of at least two recordings."""
        spectra = training.mean_spectra()
        fold = fold_of_recordings(training.recording, FOLDS, seed=0)
        novelty = [cls._of(spectra[fold != k]).novelties(spectra[fold == k]) for k in np.unique(fold)]
        return cls._of(spectra).model_copy(update={"novelty": _limit(np.concatenate(novelty))})

    @classmethod
    def _of(cls, spectra: np.ndarray) -> "Seen":
        level, shape = _parted(spectra)
        moments = {"level": level, "shape": shape}
        values = {name: np.round(x.mean(axis=0), 4).tolist() for name, x in moments.items()}
        spread = {f"{name}_std": np.maximum(x.std(axis=0), MIN_DB) for name, x in moments.items()}
        return cls(**values, **{name: np.round(x, 4).tolist() for name, x in spread.items()}, novelty=1)

    def with_disagreement(self, apart: np.ndarray) -> "Seen":
        """With the limit of what the restarts' disagreement is on training recordings, (n,) z-scores."""
        return self.model_copy(update={"disagreement": _limit(apart)})

    def novelties(self, spectra: np.ndarray) -> np.ndarray:
        """How far mean spectra, (n, 40) dB, are from the training recordings', in their deviations, (n,).

        The larger one of two distances: of the level; and of the shape, root mean square over features. Each
        is about 1 for recordings that are like those of the training.
        """
        return np.maximum(*self.distances(spectra))

    def distances(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those two distances, (n,) each."""
        level, shape = _parted(spectra)
        away = (shape - self.shape) / self.shape_std
        return np.abs(level - self.level) / self.level_std, np.sqrt(np.square(away).mean(axis=1))

    def log_likelihoods(self, distances: np.ndarray) -> np.ndarray:
        """How likely shapes at these distances, (n,), are of this device, if all are normally distributed.

        The mean over features, up to a constant that is the same for all devices.
        """
        return -np.square(distances) / 2 - np.log(self.shape_std).mean()


def _parted(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels (n,) and shapes (n, 40) of mean spectra."""
    level = spectra.mean(axis=1)
    return level, spectra - level[:, None]


def _limit(values: np.ndarray) -> float:
    # rounded up: the recording that sets it is within
    return float(np.ceil(1e4 * np.quantile(values.astype(np.float64), QUANTILE)) / 1e4)
