"""Which slices and recordings translate badly, why, and whether that can be seen without the truth."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cyclegan_lib.evaluation.checks import match_by_name
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.lengths import common_length
from cyclegan_lib.features.pairs import same_moment
from cyclegan_lib.features.seen import Seen

if TYPE_CHECKING:  # which needs torch
    from cyclegan_lib.export.translator import Translator

DISAGREEMENT, NOVELTY, ERROR = "disagreement", "novelty", "error"
SUSPECT = 0.25  # part of the recordings that is held for doubtful


@dataclass(frozen=True)
class Reliability:
    """A translation's errors, and two signs of them that need no truth."""

    recording: np.ndarray  # (sequences,) str, and so is the label
    label: np.ndarray | None
    difference: np.ndarray | None  # (sequences, slices, 40) dB, translated minus truth; None without pairs
    # (40,), for each band the squared correlation between a sequence's mean level at the source and that at
    # the target: the part of what the target hears there that the source hears at all
    heard: np.ndarray | None
    disagreement: np.ndarray  # (sequences,) z-scores, how far the restarts are apart
    novelty: np.ndarray  # (sequences,), distance from the training recordings (`Seen.novelties`): 1 is usual

    @property
    def slice_error(self) -> np.ndarray:
        """Root mean square error of each slice over bands, (sequences, slices), dB."""
        return np.sqrt((self.difference**2).mean(axis=-1))

    @property
    def error(self) -> np.ndarray:
        """Root mean square error of each sequence, (sequences,), dB."""
        return np.sqrt((self.difference**2).mean(axis=(1, 2)))

    @property
    def band_error(self) -> tuple[np.ndarray, np.ndarray]:
        """Error of each band, (40,) dB each: all of it, and the part that is constant in a sequence."""
        constant = self.difference.mean(axis=1)  # (sequences, 40)
        return np.sqrt((self.difference**2).mean(axis=(0, 1))), np.sqrt((constant**2).mean(axis=0))

    @property
    def constant_part(self) -> float:
        """The part of the squared error that is the same in all slices of a sequence, 0 to 1."""
        everything, constant = self.band_error
        return float((constant**2).sum() / (everything**2).sum())

    @property
    def suspect(self) -> np.ndarray:
        """The quarter of the sequences on which the restarts disagree most, (sequences,) bool."""
        return self.disagreement >= np.quantile(self.disagreement, 1 - SUSPECT)

    @property
    def caught(self) -> float:
        """The part of the squared error in the suspect quarter; 0.25 would be chance."""
        squared = self.error**2
        return float(squared[self.suspect].sum() / squared.sum())

    def foresight(self) -> dict[str, float]:
        """Spearman's rank correlation of each sign with the error; NaN for a sign that is constant."""
        from scipy.stats import spearmanr  # which takes a third of a second to import

        signs = {"disagreement of the restarts": self.disagreement, "novelty": self.novelty}
        return {
            name: float(spearmanr(sign, self.error).statistic) if np.ptp(sign) > 0 else float("nan")
            for name, sign in signs.items()
        }

    def worst_first(self) -> np.ndarray:
        """Indices of the sequences: by error, or without a truth by disagreement."""
        return np.argsort(-(self.disagreement if self.difference is None else self.error), kind="stable")

    def table(self, number: int = 5) -> list[list[str]]:
        """Heading and the worst sequences: recording, fault, error, where it is largest, signs."""
        heading = ["recording", "fault", "error (dB)", "disagreement", "novelty"]
        lines = [
            [
                str(self.recording[i]),
                "unknown" if self.label is None else str(self.label[i] or "unknown"),
                "unknown" if self.difference is None else f"{self.error[i]:.1f}",
                f"{self.disagreement[i]:.2f}",
                f"{self.novelty[i]:.1f}",
            ]
            for i in self.worst_first()[:number]
        ]
        return [heading, *lines]


def reliability(
    translator: "Translator", source: FeatureSet, train: FeatureSet, paired: FeatureSet | None = None
) -> Reliability:
    """Translate `source` and look at where the translation is wrong, or may be.

    `train` is what the translator was trained on, of the source device; `paired` are the same moments as the
    target device heard them, matched by recording and start. Where sequences differ in length, equally many
    slices of each are looked at, and shorter ones are left out. Raises InputError if these cannot be matched,
    or the source is of another device than the translator's.
    """
    source = source.first(common_length(*filter(None, (source, paired))))
    if paired is not None:
        length = source.features.shape[1]
        matched = match_by_name(source, paired, "paired")
        long = matched.lengths >= length
        source, truth = source.select(long), matched.first(length).features
    translated = translator.translate_set(source).features
    difference = heard = None
    if paired is not None:
        difference = translated - truth
        heard = _squared_correlation(source.features.mean(axis=1), truth.mean(axis=1))
    return Reliability(
        source.recording,
        source.label,
        difference,
        heard,
        translator.disagreement(source.features),
        Seen.of(train).novelties(source.mean_spectra()),
    )


def signs(translator: "Translator", source: FeatureSet, target: FeatureSet) -> dict[str, np.ndarray]:
    """What tells which sequences of `source` translate badly, (sequences,) each, as far as it is known.

    `DISAGREEMENT` of the restarts in z-scores; `NOVELTY`, of which 1 is usual; and `ERROR`, root mean square
    in dB over what both heard, NaN for sequences of which `target` does not hold the same moment.
    """
    found = {DISAGREEMENT: translator.disagreements(source)}
    if translator.seen:
        found[NOVELTY] = translator.seen.novelties(source.mean_spectra())
    translated, errors = translator.translated(source), np.full(len(source), np.nan)
    for row in range(len(source)):
        if (moment := same_moment(source, target, row)) is not None:
            x, truth = shared(translated.sequence(row), target.sequence(moment))
            errors[row] = np.sqrt(np.square(x - truth).mean())
    return found if np.isnan(errors).all() else found | {ERROR: errors}


def shared(*sequences: np.ndarray) -> list[np.ndarray]:
    """As many slices of each, (slices, 40), as all of them have."""
    return [x[: min(map(len, sequences))] for x in sequences]


def _squared_correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of columns, (sequences, 40) each: (40,); 0 where one does not vary."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    both = (x**2).sum(axis=0) * (y**2).sum(axis=0)
    return (x * y).sum(axis=0) ** 2 / np.maximum(both, 1e-12)
