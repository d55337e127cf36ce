"""The exported folder that is judged: its generators, also without what they learned, and its training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cyclegan_lib.checkpoint.inspection import untrained_in_words
from cyclegan_lib.export.card import check_translated
from cyclegan_lib.export.manifest import Manifest, TrainingFacts
from cyclegan_lib.export.translator import Translator
from cyclegan_lib.features import FeatureSet


@dataclass(frozen=True)
class Model:
    """An exported folder, in the direction that it was used in."""

    facts: TrainingFacts
    translators: tuple[Translator, Translator]  # there and back
    start: Translator  # there, as `untrained`

    @classmethod
    def load(cls, folder: str | Path, source: FeatureSet, translated: FeatureSet) -> Self:
        """Load what made `translated` of `source`; raises InputError if the folder did not (see export)."""
        direction, *distilled = check_translated(folder, source, translated).split()
        small = bool(distilled)
        there, back = (Translator.load(folder, way, small) for way in (direction, direction[::-1]))
        start = Translator.load(folder, direction)
        start.generator.strength = 0.0  # before its first use
        return cls(Manifest.load(folder).training, (there, back), start)

    def untrained(self, source: FeatureSet) -> FeatureSet:
        """The source through the linear maps alone that training began with, and the gains of now."""
        return self.start.translate_set(source)

    @property
    def remembers(self) -> bool:
        """Whether it knows its training recordings again; models of before do not."""
        return all(domain.remembered for domain in self.facts.data.values())

    @property
    def said(self) -> list[str]:
        """How training ended, in words."""
        verdict = self.facts.verdict
        return [text for text in (verdict, untrained_in_words(self.facts.epoch)) if text]
