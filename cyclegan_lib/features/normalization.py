"""Normalisation: z-scores for the networks, raw units for everyone else."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib import documents
from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.errors import InputError
from cyclegan_lib.glance import Shown

NORMALIZATION = "normalization_params.json"
# A feature whose deviation is below this (dB) is constant: dividing by it would blow rounding up to signal.
CONSTANT_DB = 1e-4
PART = 50_000  # slices: 16 MB
MAX_DB = 1e30  # z-scores of anything smaller are finite in float32
FIELDS = ("mean_a", "std_a", "mean_b", "std_b")


@dataclass(frozen=True, repr=False)
class Normalizer(Shown):
    """Mean and standard deviation of each feature, for each domain.

    Fitted on training recordings only. By default both domains share one mean and one deviation: after it,
    a difference between the devices is still there to be seen, measured and learned, and a distance means
    the same in both directions. Per domain, most of the difference in level and spectrum is divided out
    before the networks see it; what remains is then measured in other units on each side.
    """

    mean_a: np.ndarray  # (40,) float64, dB, as all four
    std_a: np.ndarray
    mean_b: np.ndarray
    std_b: np.ndarray

    def glance(self) -> tuple[str, dict[str, object], dict[str, np.ndarray]]:
        """Means and deviations in short, and the mean of each feature of both domains in dB."""
        shared = np.array_equal(self.mean_a, self.mean_b) and np.array_equal(self.std_a, self.std_b)
        facts: dict[str, object] = {"mode": "shared" if shared else "per-domain"}
        for domain, mean, std in (("A", self.mean_a, self.std_a), ("B", self.mean_b, self.std_b)):
            facts[f"domain {domain}"] = f"{mean.mean():.1f} ± {std.mean():.1f} dB"
        return "normalisation", facts, {"mean of A (dB)": self.mean_a, "mean of B (dB)": self.mean_b}

    @classmethod
    def fit(cls, a: np.ndarray, b: np.ndarray, mode: str = "shared") -> "Normalizer":
        """Fit on the training features of both domains, (sequences, slices, 40) in dB each.

        `mode` is "per-domain" or "shared": both domains weigh the same, however many sequences each has.
        Raises InputError for another one.
        """
        (mean_a, var_a), (mean_b, var_b) = _moments(a), _moments(b)
        if mode == "shared":
            # variance of the mixture of both domains, half and half
            var_a = var_b = (var_a + var_b) / 2 + ((mean_a - mean_b) / 2) ** 2
            mean_a = mean_b = (mean_a + mean_b) / 2
        elif mode != "per-domain":
            raise InputError(f"the normalisation '{mode}' is unknown; give shared or per-domain")
        return cls(mean_a, safe_std(var_a), mean_b, safe_std(var_b))

    def normalize(self, x: np.ndarray, domain: str) -> np.ndarray:
        """Raw units (dB) to z-scores; `domain` is "A" or "B". Any shape (..., 40); float32 out."""
        mean, std = self.moments(domain)
        return ((x - mean) / std).astype(np.float32)

    def denormalize(self, z: np.ndarray, domain: str) -> np.ndarray:
        """Z-scores to raw units (dB); the inverse of `normalize`."""
        mean, std = self.moments(domain)
        return (z * std + mean).astype(np.float32)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists of 40 floats, as in normalization_params.json and in every checkpoint."""
        return {name: [float(v) for v in getattr(self, name)] for name in FIELDS}

    @classmethod
    def from_dict(cls, values: dict, where: str = "the normalisation") -> "Normalizer":
        """Build from `to_dict`'s output; raises InputError that names `where` if it is anything else."""
        arrays = {}
        for name in FIELDS:
            try:
                array = np.asarray(values[name])
                if array.dtype.kind not in "fi":
                    raise TypeError("no numbers")
                array = array.astype(np.float64)
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                raise InputError(f"{where} lacks a list of {N_FEATURES} numbers '{name}'") from error
            if array.shape != (N_FEATURES,) or not (np.abs(array) < MAX_DB).all():
                raise InputError(f"{where}: '{name}' must be {N_FEATURES} finite numbers")
            if name.startswith("std") and (array < CONSTANT_DB).any():
                raise InputError(f"{where}: '{name}' must be above 0 everywhere, by {CONSTANT_DB:g} at least")
            arrays[name] = array
        return cls(**arrays)

    def save(self, path: str | Path) -> Path:
        """Write normalization_params.json; `load` gives back exactly the same numbers."""
        return documents.write(path, self.to_dict())

    def text(self) -> str:
        """What normalization_params.json holds."""
        return documents.text(self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> "Normalizer":
        """Read normalization_params.json; raises InputError if it is not one."""
        values = documents.read(path, Any, "is not JSON", "train again or export again to write it")
        return cls.from_dict(values, str(path))

    def moments(self, domain: str) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of domain "A" or "B", (40,) dB each."""
        return {"A": (self.mean_a, self.std_a), "B": (self.mean_b, self.std_b)}[domain]


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each feature over all slices, float64 (40,) each, in memory for some of them.

    Slice is added to slice in their order: the same bits as all at once.
    """
    slices = x.reshape(-1, x.shape[-1])
    parts = [slices[start : start + PART] for start in range(0, len(slices), PART)]

    def mean_of(function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        total = np.zeros(x.shape[-1])
        for part in parts:
            values = function(np.array(part, dtype=np.float64))
            values[0] += total
            total = values.sum(axis=0)
        return total / len(slices)

    mean = mean_of(lambda part: part)
    return mean, mean_of(lambda part: np.square(part - mean))


def safe_std(variance: np.ndarray) -> np.ndarray:
    """The deviations, but 1 where a feature is constant."""
    std = np.sqrt(variance)
    return np.where(std < CONSTANT_DB, 1.0, std)
