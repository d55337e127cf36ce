"""The two domains of a training run: read, checked against each other, dealt into folds, normalised."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, Normalizer, Pairs, check_same_settings
from cyclegan_lib.features.check import MIN_RECORDINGS, copies, warnings
from cyclegan_lib.features.feature_set import FeatureStream
from cyclegan_lib.features.fingerprints import fingerprint, remembered
from cyclegan_lib.features.lengths import common_length, left_out
from cyclegan_lib.features.normalization import CONSTANT_DB
from cyclegan_lib.features.splits import fold_of_recordings


@dataclass(frozen=True)
class Domains:
    """Both domains, with the folds that decide which restart is trained on which recordings.

    All sequences have one length: longer ones were cut, shorter ones left out. Restart r is trained on all
    recordings but those of fold r modulo the number of folds; on those it is judged.
    """

    a: FeatureSet  # raw units (dB)
    b: FeatureSet
    fold_a: np.ndarray  # int, (sequences,)
    fold_b: np.ndarray
    normalizer: Normalizer  # fitted on all training recordings
    # what a checkpoint remembers of each domain as it was given: device, counts, fingerprints
    facts: dict[str, Any]
    pairs: Pairs | None = None  # recordings that both devices made
    warnings: tuple[str, ...] = ()  # what of the recordings may make it worse than it looks, a sentence each

    def normalized(self) -> dict[str, np.ndarray]:
        """Z-scores of both domains, "a" and "b", float32 (sequences, slices, 40)."""
        return {
            "a": self.normalizer.normalize(self.a.features, "A"),
            "b": self.normalizer.normalize(self.b.features, "B"),
        }

    def same_as(self, facts: dict[str, Any]) -> bool:
        """Whether a checkpoint with such `facts` was trained on these; those of before remember less."""
        known = ("device", "sequences", "recordings", "fingerprint")
        return all(facts[domain][name] == self.facts[domain][name] for domain in facts for name in known)


def load_domains(
    path_a: str | Path, path_b: str | Path, settings: TrainingSettings, pairs: str | Path | None = None
) -> Domains:
    """Read both domains' training recordings and prepare them.

    Both are cut to one length, the smaller of their usual ones, so that everything behind compares equal
    numbers of slices; of recordings with equal features one is kept. Of more than
    `settings.max_recordings` so many are drawn.

    Raises InputError if a file cannot be used, the two were extracted with different settings, come from one
    device, or one has fewer than eight recordings or nothing but equal features.
    """
    remedy = "write it with `cyclegan run` (simulated devices) or `cyclegan extract` (your recordings)"
    streams = [FeatureStream(path, remedy=remedy) for path in (path_a, path_b)]
    given, numbers = zip(*(s.drawn(settings.max_recordings, settings.seed) for s in streams), strict=True)
    drawn = [
        f"{domain.device}: {settings.max_recordings} of {number} recordings were drawn;"
        " --max-recordings takes more"
        for domain, number in zip(given, numbers, strict=True)
        if number > settings.max_recordings
    ]
    check_same_settings(*given, path_a, path_b)
    if given[0].device == given[1].device:
        raise InputError(
            f"{path_a} and {path_b} both come from the device '{given[0].device}'; give one file of each"
            " device"
        )
    length = max(common_length(*given), settings.discriminator.window)
    a, b = (
        _usable(domain, length, path, settings) for domain, path in zip(given, (path_a, path_b), strict=True)
    )
    return Domains(
        a,
        b,
        fold_of_recordings(a.recording, settings.folds, settings.seed),
        fold_of_recordings(b.recording, settings.folds, settings.seed),
        Normalizer.fit(a.features, b.features, settings.normalization),
        {name: _facts(domain) for name, domain in zip("ab", given, strict=True)},
        None if pairs is None else Pairs.load(pairs),
        (
            *drawn,
            *warnings(*given),
            *(line for domain in given for line in left_out(domain, length, domain.device)),
        ),
    )


def _usable(domain: FeatureSet, length: int, path: str | Path, settings: TrainingSettings) -> FeatureSet:
    """What is trained on: sequences of `length` slices, each recording once."""
    if domain.lengths.max() < settings.discriminator.window:
        raise InputError(
            f"{path} has {domain.lengths.max()} slices a sequence;"
            f" at least {settings.discriminator.window} are needed"
        )
    again = [name for _, *others in copies(domain) for name in others]
    domain = domain.select(~np.isin(domain.recording, again)).cut(length)
    recordings = len(np.unique(domain.recording))
    # each restart holds out a fold, which must not be empty
    least = max(MIN_RECORDINGS, min(settings.restarts, settings.folds))
    if recordings < least:
        raise InputError(
            f"{path} holds {recordings} recording{'s' * (recordings != 1)}; at least {least} are"
            " needed to train and to hold some out; `cyclegan extract --split-every SECONDS` makes several of"
            " a long one"
        )
    if (np.ptp(domain.features.reshape(-1, domain.features.shape[-1]), axis=0) < CONSTANT_DB).all():
        raise InputError(
            f"every feature in {path} has the same value everywhere; give recordings that are not silent"
        )
    return domain


def _facts(domain: FeatureSet) -> dict[str, Any]:
    return {
        "device": domain.device,
        "sequences": len(domain),
        "recordings": len(np.unique(domain.recording)),
        "settings": None if domain.settings is None else domain.settings.model_dump(),
        "fingerprint": fingerprint(domain),
        "remembered": remembered(domain),
    }
