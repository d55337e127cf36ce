"""The two domains of a training run: read, checked against each other, split, normalised."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, Normalizer, check_same_settings, split_by_recording


@dataclass(frozen=True)
class Domains:
    """Both domains, split by recording into a training and a held-out part.

    Attributes
    ----------
    train_a, train_b, held_out_a, held_out_b : FeatureSet
        Raw units (dB).
    normalizer : Normalizer
        Fitted on the training parts alone.
    facts : dict
        What a checkpoint remembers of its data: for each domain the device, counts and a fingerprint.
    """

    train_a: FeatureSet
    train_b: FeatureSet
    held_out_a: FeatureSet
    held_out_b: FeatureSet
    normalizer: Normalizer
    facts: dict[str, Any]

    def normalized(self) -> dict[str, np.ndarray]:
        """Z-scores of the four parts, float32 (sequences, slices, 40), by their attribute's name."""
        return {
            name: self.normalizer.normalize(getattr(self, name).features, name[-1].upper())
            for name in ("train_a", "train_b", "held_out_a", "held_out_b")
        }


def load_domains(path_a: str | Path, path_b: str | Path, settings: TrainingSettings) -> Domains:
    """Read both domains' training recordings and prepare them.

    Raises
    ------
    InputError
        If a file cannot be used, the two were extracted with different settings, come from one device, or
        one has fewer than two recordings.
    """
    sets = []
    for path in (path_a, path_b):
        remedy = "write it with `cyclegan run` (simulated devices) or `cyclegan extract` (your recordings)"
        domain = FeatureSet.load(path, remedy=remedy)
        if len(np.unique(domain.recording)) < 2:
            raise InputError(f"{path} holds one recording only; at least 2 are needed, to hold one out")
        if domain.features.shape[1] < settings.discriminator.window:
            raise InputError(
                f"{path} has {domain.features.shape[1]} slices a sequence;"
                f" at least {settings.discriminator.window} are needed"
            )
        sets.append(domain)
    a, b = sets
    check_same_settings(a, b, path_a, path_b)
    if a.device == b.device:
        raise InputError(
            f"{path_a} and {path_b} both come from the device '{a.device}'; give one file of each device"
        )
    parts = {}
    for name, domain in (("a", a), ("b", b)):
        train, held_out = split_by_recording(domain.recording, settings.validation_fraction, settings.seed)
        parts[f"train_{name}"], parts[f"held_out_{name}"] = domain.select(train), domain.select(held_out)
    normalizer = Normalizer.fit(parts["train_a"].features, parts["train_b"].features, settings.normalization)
    facts = {"a": _facts(a), "b": _facts(b)}
    return Domains(**parts, normalizer=normalizer, facts=facts)


def _facts(domain: FeatureSet) -> dict[str, Any]:
    return {
        "device": domain.device,
        "sequences": len(domain),
        "recordings": len(np.unique(domain.recording)),
        "fingerprint": hashlib.sha256(np.ascontiguousarray(domain.features).tobytes()).hexdigest()[:16],
    }
