"""The two domains of a training run: read, checked against each other, dealt into folds, normalised."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, Normalizer, Pairs, check_same_settings
from cyclegan_lib.features.check import MIN_RECORDINGS, alike, names_by_sound, warnings
from cyclegan_lib.features.feature_set import FeatureStream
from cyclegan_lib.features.fingerprints import fingerprint, remembered
from cyclegan_lib.features.lengths import common_length, left_out
from cyclegan_lib.features.normalization import CONSTANT_DB
from cyclegan_lib.features.splits import dealt, fold_of_recordings

# What training fits its gains to and is judged on, and what each restart starts from: more take longer and
# change little (docs/reliability.md). Of recordings with very many sequences `EACH`, so that these, too, are
# bounded.
MOST_RECORDINGS, START_RECORDINGS, MOST_SEQUENCES, EACH = 500, 1000, 10_000, 20


@dataclass(frozen=True)
class ZScores:
    """A domain's z-scores, of the sequences that are asked for: of all they take as much as the features."""

    features: np.ndarray  # (sequences, slices, 40) dB
    normalizer: Normalizer
    domain: str  # "A" or "B"

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray:
        """Float32 (sequences at `index`, slices, 40)."""
        return self.normalizer.normalize(self.features[index], self.domain)


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

    def normalized(self) -> dict[str, ZScores]:
        """Z-scores of both domains, "a" and "b"."""
        return {name: ZScores(getattr(self, name).features, self.normalizer, name.upper()) for name in "ab"}

    def drawn(self, seed: int) -> "Domains":
        """At most `MOST_RECORDINGS` recordings of each domain, as many of each fold; the same for each seed.

        If there are no more, these domains themselves.
        """
        return self._drawn(seed, MOST_RECORDINGS)

    def drawn_to_start(self, seed: int, restart: int) -> "Domains":
        """At most `START_RECORDINGS` likewise; for each restart other ones, as far as there are."""
        return self._drawn(seed, START_RECORDINGS, restart)

    def _drawn(self, seed: int, most: int, draw: int = 0) -> "Domains":
        in_a, in_b = (_drawn(domain.recording, seed, most, draw) for domain in (self.a, self.b))
        if in_a.all() and in_b.all():
            return self
        few = {"a": self.a.select(in_a), "b": self.b.select(in_b)}
        return replace(self, **few, fold_a=self.fold_a[in_a], fold_b=self.fold_b[in_b])

    def drawn_in_words(self, seed: int) -> str:
        """A sentence if less than all is drawn; nothing otherwise."""
        drawn = self.drawn(seed)
        if drawn is self:
            return ""
        parts = [
            f"{len(few):,} of {len(whole):,} sequences of {whole.device}"
            for few, whole in ((drawn.a, self.a), (drawn.b, self.b))
        ]
        return (
            f"training is judged on {' and '.join(parts)}, of at most {MOST_RECORDINGS} recordings a device;"
            f" each restart starts from {START_RECORDINGS:,} at most, drawn by the seed; batches are of all"
        )

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
    heard = list(map(names_by_sound, given))
    a, b = (
        _usable(domain, [name for _, *others in alike(own) for name in others], length, path, settings)
        for domain, own, path in zip(given, heard, (path_a, path_b), strict=True)
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
            *warnings(*given, heard),
            *(line for domain in given for line in left_out(domain, length, domain.device)),
        ),
    )


def _usable(
    domain: FeatureSet, again: list[str], length: int, path: str | Path, settings: TrainingSettings
) -> FeatureSet:
    """What is trained on: sequences of `length` slices, without the recordings that are there `again`."""
    if domain.lengths.max() < settings.discriminator.window:
        raise InputError(
            f"{path} has {domain.lengths.max()} slices a sequence;"
            f" at least {settings.discriminator.window} are needed"
        )
    if again:
        domain = domain.select(~np.isin(domain.recording, again))
    domain = domain.cut(length)
    recordings = len(np.unique(domain.recording))
    # each restart holds out a fold, which must not be empty
    least = max(MIN_RECORDINGS, min(settings.restarts, settings.folds))
    if recordings < least:
        raise InputError(
            f"{path} holds {recordings} recording{'s' * (recordings != 1)}; at least {least} are"
            " needed to train and to hold some out; `cyclegan extract --split-every SECONDS` makes several of"
            " a long one"
        )
    first = domain.features[0, 0]
    if all((np.abs(sequence - first) < CONSTANT_DB).all() for sequence in domain.features):
        raise InputError(
            f"every feature in {path} has the same value everywhere; give recordings that are not silent"
        )
    return domain


def _drawn(recording: np.ndarray, seed: int, most: int, draw: int) -> np.ndarray:
    """Which sequences are drawn, bool (sequences,)."""
    place = dealt(recording, seed)
    place = (place - draw * most) % (place.max() + 1)
    kept = place < most
    if kept.sum() > MOST_SEQUENCES:
        order = np.argsort(place, kind="stable")
        counts = np.bincount(place)
        number = np.empty(len(place), dtype=int)  # of each sequence in its recording
        number[order] = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        share = np.minimum(EACH / counts, 1.0)[place]  # evenly spaced ones
        kept &= np.floor(number * share) > np.floor((number - 1) * share)
    return kept


def _facts(domain: FeatureSet) -> dict[str, Any]:
    return {
        "device": domain.device,
        "sequences": len(domain),
        "recordings": len(np.unique(domain.recording)),
        "settings": None if domain.settings is None else domain.settings.model_dump(),
        "fingerprint": fingerprint(domain),
        "remembered": remembered(domain),
    }
