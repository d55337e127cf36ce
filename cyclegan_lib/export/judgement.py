"""What can be told about translations without the truth: for each sequence, and of all in a few sentences."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from cyclegan_lib.features import FeatureSet

if TYPE_CHECKING:
    from cyclegan_lib.export.translator import Translator

COLUMNS = ("recording", "start_s", "slices", "disagreement", "novelty", "accepted")
COLUMNS += ("level_before", "level_after")
FAR = 1.5  # times the limit of novelty: said even where nobody asks
# Of the log likelihoods of two devices, mean over features. On four pairs of devices at most 7 % of the test
# recordings are likelier of the other device by more, and 75 to 100 % of the other device's are.
LIKELIER = 0.25


class Judgement:
    """Translated sequences, compared with what the model was trained on while they pass by.

    `write` takes the rows of a table with `COLUMNS` (docs/translating.md says what they are); without it only
    what is needed for the warnings is computed. A model of an earlier version, which does not know its
    training recordings, gives neither novelty nor warnings.
    """

    def __init__(
        self, translator: "Translator", write: Callable[[Iterable[dict]], None] | None = None
    ) -> None:
        self.translator, self.write = translator, write
        self.sequences = self.accepted = self.far = self.likelier = 0
        self.farthest = self.far_level = self.near_source = self.near_target = 0.0

    def add(self, source: FeatureSet, translated: FeatureSet) -> None:
        """Look at some sequences, and what they were translated into."""
        model, spectra = self.translator, source.mean_spectra()
        self.sequences += len(source)
        novelty = None
        if model.seen is not None:
            level, near_source = model.seen.distances(spectra)
            novelty = np.maximum(level, near_source)
            far = novelty > FAR * model.seen.novelty
            self.far += int(far.sum())
            self.far_level += float(spectra[far].mean(axis=1).sum())
            self.farthest = max(self.farthest, float(novelty.max()))
            _, near_target = model.seen_target.distances(spectra)
            ratio = model.seen_target.log_likelihoods(near_target) - model.seen.log_likelihoods(near_source)
            self.likelier += int(((ratio > LIKELIER) & (near_target < near_source)).sum())
            self.near_source += float(near_source.sum())
            self.near_target += float(near_target.sum())
        if self.write is not None:
            self._report(source, spectra, translated, novelty)

    def _report(
        self, source: FeatureSet, spectra: np.ndarray, translated: FeatureSet, novelty: np.ndarray | None
    ) -> None:
        disagreement = self.translator.disagreements(source)
        columns = {
            "recording": source.recording,
            "start_s": [f"{second:g}" for second in source.start_s],
            "slices": source.lengths,
            "disagreement": [f"{value:.4f}" for value in disagreement],
            "level_before": [f"{value:.2f}" for value in spectra.mean(axis=1)],
            "level_after": [f"{value:.2f}" for value in translated.mean_spectra().mean(axis=1)],
        }
        if novelty is not None:
            seen = self.translator.seen
            accepted = (novelty <= seen.novelty) & (disagreement <= seen.disagreement)
            self.accepted += int(accepted.sum())
            columns |= {"novelty": [f"{value:.4f}" for value in novelty], "accepted": accepted}
        self.write(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))

    def __str__(self) -> str:
        seen = self.translator.seen
        if seen is None:
            return (
                "the model is of an earlier version and does not know its training recordings: novelty and"
                " accepted are empty"
            )
        return (
            f"{self.accepted} of {self.sequences} sequences are within what was seen in training"
            f" (novelty up to {seen.novelty:.2f}, disagreement of the restarts up to {seen.disagreement:.2f})"
        )

    def warnings(self) -> list[str]:
        """What must be said, in a sentence each: sequences far from the training's, or of the target."""
        model, said = self.translator, []
        if self.far:
            said.append(
                f"{self.far} of {self.sequences} sequences lie far from all that the model was trained on,"
                f" up to {self.farthest:.1f} deviations from the recordings of {model.source}, of which 99 %"
                f" are within {model.seen.novelty:.1f}; their mean level is"
                f" {self.far_level / self.far:.0f} dB, in training it was {model.seen.level:.0f} dB"
            )
        if self.likelier > self.sequences / 2:
            said.append(
                f"the input is nearer to {model.target}, {self.near_target / self.sequences:.1f} deviations,"
                f" than to {model.source}, {self.near_source / self.sequences:.1f}; the direction"
                f" {model.direction} takes recordings of {model.source}"
            )
        return said
