"""Running an exported generator: raw units in, raw units out."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cyclegan_lib.checkpoint.reading import build_network, read_checkpoint, read_generator
from cyclegan_lib.config import ROUND_TRIPS, FeatureSettings, parse_direction
from cyclegan_lib.documents import writing_table
from cyclegan_lib.errors import InputError
from cyclegan_lib.export.bulk import BulkTranslation
from cyclegan_lib.export.inputs import opening
from cyclegan_lib.export.judgement import COLUMNS, Judgement
from cyclegan_lib.export.manifest import NORMALIZATION, Manifest, distilled_name
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.features.extraction_report import ExtractionReport
from cyclegan_lib.features.lake import is_url
from cyclegan_lib.features.seen import Seen
from cyclegan_lib.features.stream import WRITERS
from cyclegan_lib.files import writable_file
from cyclegan_lib.models import Generator


@dataclass(frozen=True)
class Translator:
    """One direction of an exported model, or there and back: both generators, one after the other."""

    generator: Generator
    normalizer: Normalizer
    direction: str  # "AB" or "BA"; "ABA" or "BAB" with a way `back`
    source: str  # the devices' names
    target: str
    settings: FeatureSettings | None  # how the source's features it was trained on were extracted
    seen: Seen | None = None  # what the source's training recordings were like; models of before do not know
    seen_target: Seen | None = None  # and the target's
    back: "Translator | None" = None  # from the target to the source again

    @classmethod
    def load(cls, folder: str | Path, direction: str, distilled: bool = False) -> "Translator":
        """Load a folder that `cyclegan export` wrote, and check its files against their SHA-256.

        `direction` is "AB", "BA", or "BAB" and "ABA", there and back: what comes out went through what a
        translation of the other device goes through, and a classifier trained on it is used to that.
        `distilled` takes the small generator that was distilled from the large one: nearly the same in less
        time.

        Raises InputError if the direction is unknown, or the folder is not as it was exported: a file is
        missing, damaged or from another export, statistics are swapped, a setting was changed; or it holds no
        distilled generators and one is asked for.
        """
        folder = Path(folder)
        manifest = Manifest.load(folder)
        direction = parse_direction(direction, manifest.device_a, manifest.device_b)
        if direction in ROUND_TRIPS:
            return cls._there_and_back(direction, partial(cls.load, folder, distilled=distilled))
        name, settings = f"generator_{direction}", manifest.generator_config
        if distilled:
            if manifest.distilled is None:
                raise InputError(
                    f"{folder} holds no distilled generators; export again with --distilled, or translate"
                    " without it"
                )
            name, settings = distilled_name(name), manifest.distilled.generator_config
        weights, normalization = folder / f"{name}.pth", folder / NORMALIZATION
        for path in (weights, normalization):
            manifest.check(path)
        facts, training = manifest.model_dump(), manifest.training
        return cls(
            read_generator(weights, settings.model_dump()),
            Normalizer.load(normalization),
            direction,
            *(facts[f"device_{domain.lower()}"] for domain in direction),
            training.data[direction[0].lower()].settings or manifest.feature_settings,
            *(training.seen[domain.lower()] for domain in direction if training.seen),
        )

    @classmethod
    def of_checkpoint(cls, path: str | Path, direction: str) -> "Translator":
        """The translator that `cyclegan export` would make of a training checkpoint.

        Raises InputError if the direction is unknown, or the checkpoint cannot be used.
        """
        content = read_checkpoint(path)
        hyper, seen = content["hyper_parameters"], content.get("seen")
        direction = parse_direction(direction, hyper["device_a"], hyper["device_b"])
        if direction in ROUND_TRIPS:
            return cls._there_and_back(direction, partial(cls.of_checkpoint, path))
        settings = hyper["data"][direction[0].lower()]["settings"] or hyper["feature_settings"]
        return cls(
            build_network(content, f"generator_{direction}"),
            Normalizer.from_dict(hyper["normalization"]),
            direction,
            *(hyper[f"device_{domain.lower()}"] for domain in direction),
            None if settings is None else FeatureSettings(**settings),
            *(Seen(**seen[domain]) for domain in direction if seen),
        )

    @classmethod
    def _there_and_back(cls, direction: str, load: Callable[[str], "Translator"]) -> "Translator":
        there, back = (load(leg) for leg in (direction[:2], direction[1:]))  # "BA" and "AB"
        return replace(there, direction=direction, back=back)

    @property
    def title(self) -> str:
        """The devices, in the order in which recordings pass through them."""
        return " -> ".join([self.source, self.target, *([self.back.target] if self.back else [])])

    @property
    def device(self) -> str:
        """The name of the device of what comes out."""
        return self.back.target if self.back else self.target

    @cached_property
    def _bulk(self) -> BulkTranslation:
        return BulkTranslation(self.generator, self.normalizer, self.direction[:2])

    def translate(self, features: np.ndarray) -> np.ndarray:
        """Normalise, generate, denormalise: (sequences, slices, 40) float32 in dB, both in and out.

        The generator's weights are those of the first call.
        """
        there = self._bulk(features)
        return there if self.back is None else self.back.translate(there)

    def disagreement(self, features: np.ndarray) -> np.ndarray:
        """How far the restarts are apart on each sequence: (sequences, slices, 40) dB in, (sequences,) out.

        In z-scores of the target; 0 with one restart. It needs no truth, and is larger where errors are. Of a
        way there and back it is that of the first.
        """
        apart = []
        chunk = self.chunk(features.shape[1])
        with torch.inference_mode():
            for start in range(0, len(features), chunk):
                z = self.normalizer.normalize(features[start : start + chunk], self.direction[0])
                apart.append(self.generator.disagreement(torch.from_numpy(z)).numpy())
        return np.concatenate(apart)

    def disagreements(self, source: FeatureSet) -> np.ndarray:
        """The same of a set whose sequences may be of different lengths."""
        apart = np.empty(len(source))
        for index, features in source.by_length():
            apart[index] = self.disagreement(features)
        return apart

    def chunk(self, slices: int) -> int:
        """How many sequences of so many slices are translated at once."""
        return self._bulk.chunk(slices)

    def check(self, source: FeatureSet) -> None:
        """Raise InputError if a set is of another device than the source, or was extracted otherwise.

        What a set, or the model, does not say is passed over; sequences may be of any length.
        """
        given, trained = source.settings, self.settings
        if given is not None and source.device != self.source:
            raise InputError(
                f"the input was recorded by {source.device}, but the direction {self.direction} of this model"
                f" translates {self.source} to {self.target}; give recordings of {self.source},"
                " or the other direction"
            )
        if given is None or trained is None:
            return
        for (name, value), (_, wanted) in zip(given.common(), trained.common(), strict=True):
            if value != wanted:
                raise InputError(_unlike(name, value, wanted))
        if None not in (given.channel, trained.channel) and given.channel != trained.channel:
            raise InputError(
                f"the input is channel '{given.channel}' of its recordings, but the model was trained on"
                f" channel '{trained.channel}' of {self.source}; extract it again with --channel"
                f" {trained.channel}"
            )

    def translate_set(self, source: FeatureSet) -> FeatureSet:
        """Translate a feature set; recordings, times, lengths and labels stay as they are.

        Sequences of one length are translated together, as if there were no others. Raises InputError if the
        set was recorded by another device or extracted with other settings than the model's (see `check`).
        """
        self.check(source)
        return self.translated(source)

    def translated(self, source: FeatureSet) -> FeatureSet:
        """The same of a set that was checked."""
        if source.slices is None:
            return source.with_features(self.translate(source.features), self.device)
        features = np.zeros(source.features.shape, np.float32)
        for index, real in source.by_length():
            features[index, : real.shape[1]] = self.translate(real)
        return source.with_features(features, self.device)

    def translate_file(
        self,
        source: str | Path,
        output: str | Path,
        progress: bool = True,
        report: str | Path | None = None,
        **reading: Any,
    ) -> tuple[Judgement, ExtractionReport | None]:
        """Translate a file, or a folder of recordings, part by part: memory does not grow with its size.

        `source` is a feature set (`.npz`, `.npy`, JSON, lake); or a folder of recordings, or one, from
        which features are extracted as for the model's training; `reading` are then parameters of
        `SoundFiles`, and `channel` and `scale` in place of those that the model was trained with. `output`
        ends in .npz, or in .json for the guide's lists. It is, bit for bit, what `translate_set` gives for
        all at once; where lengths differ, up to rounding. `report` is a CSV file to write a row for each
        sequence to (see `Judgement`); what became of recordings goes to ``<output>.report.csv``, whether the
        translation succeeds or not. Returns what can be told about the translations, their number among it,
        and what became of the recordings; None for a feature set.

        Raises InputError if the input cannot be used, is the output, or the output cannot be written. Nothing
        is left of the output then, and what was there before is kept.
        """
        source, output = source if is_url(source) else Path(source), Path(output)
        writing = WRITERS.get(output.suffix.lower())
        if writing is None:
            raise InputError(f"{output} must end in .npz, the format of feature sets, or in .json")
        writable_file(output, source)
        if report is not None:
            writable_file(report, source, output)
        with ExitStack() as files:
            opened = files.enter_context(opening(self, source, [output, report], progress, **reading))
            write_rows = files.enter_context(writing_table(report, COLUMNS)) if report is not None else None
            judgement = Judgement(self, write_rows)
            write = files.enter_context(writing(output, opened.rows))
            for part in files.enter_context(closing(opened.parts)):  # a bar ends before anything is said
                translated = self.translated(part)
                write(translated.arrays())
                judgement.add(part, translated)
        return judgement, opened.report


def _unlike(name: str, given: Any, trained: Any) -> str:
    """What to do about a set whose setting called so is not the model's."""
    if name == "f_stop" and not given:
        return (
            "the input was extracted by an earlier version, which kept constant offsets and drift, and the"
            " model was trained without them; extract the recordings again with `cyclegan extract`, or give"
            " the recordings themselves"
        )
    if name == "f_stop" and not trained:
        return (
            "the model was trained on features of an earlier version, which kept constant offsets and drift,"
            " and the input has none; give the recordings themselves, which are then extracted likewise, or"
            " extract the training recordings again and train on them"
        )
    option = f" --sample-rate {trained}" if name == "sample_rate" else ""
    return (
        f"the input was extracted with other settings than the model was trained on ({name} {given}, the"
        f" model's {trained}); extract it again with `cyclegan extract{option}`, or give the recordings"
        " themselves"
    )
