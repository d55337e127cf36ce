"""Running an exported generator: raw units in, raw units out."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from cyclegan_lib.checkpoint.reading import build_network, read_checkpoint, read_generator
from cyclegan_lib.config import N_FEATURES, FeatureSettings, parse_direction
from cyclegan_lib.documents import writing_table
from cyclegan_lib.errors import InputError
from cyclegan_lib.export.bulk import BulkTranslation
from cyclegan_lib.export.judgement import COLUMNS, Judgement
from cyclegan_lib.export.manifest import NORMALIZATION, Manifest, distilled_name
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.features.extract import ExtractionReport, SoundFiles
from cyclegan_lib.features.extraction_report import report_path
from cyclegan_lib.features.feature_set import FeatureStream, regrouped
from cyclegan_lib.features.seen import Seen
from cyclegan_lib.features.stream import WRITERS
from cyclegan_lib.files import writable_file
from cyclegan_lib.models import Generator
from cyclegan_lib.recordings.formats import ONLY_RECORDINGS

PART_BYTES = 8_000_000  # float32 features of a file in memory at a time: 1,000 sequences
GIVE_INPUT = "give a feature set written by `cyclegan extract`, or a folder of recordings"
OF_RECORDINGS = (
    "channel",
    "scale",
    "rate_of_files",
    "split_every",
)  # what `translate_file` cannot do to a set


@dataclass(frozen=True)
class Translator:
    """One direction of an exported model."""

    generator: Generator
    normalizer: Normalizer
    direction: str  # "AB" or "BA"
    source: str  # the devices' names
    target: str
    settings: FeatureSettings | None  # how the source's features it was trained on were extracted
    seen: Seen | None = None  # what the source's training recordings were like; models of before do not know
    seen_target: Seen | None = None  # and the target's

    @classmethod
    def load(cls, folder: str | Path, direction: str, distilled: bool = False) -> "Translator":
        """Load a folder that `cyclegan export` wrote, and check its files against their SHA-256.

        `direction` is "AB" or "BA"; `distilled` takes the small generator that was distilled from the large
        one: nearly the same in less time.

        Raises InputError if the direction is unknown, or the folder is not as it was exported: a file is
        missing, damaged or from another export, statistics are swapped, a setting was changed; or it holds no
        distilled generators and one is asked for.
        """
        folder = Path(folder)
        manifest = Manifest.load(folder)
        direction = parse_direction(direction, manifest.device_a, manifest.device_b)
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
        settings = hyper["data"][direction[0].lower()]["settings"] or hyper["feature_settings"]
        return cls(
            build_network(content, f"generator_{direction}"),
            Normalizer.from_dict(hyper["normalization"]),
            direction,
            *(hyper[f"device_{domain.lower()}"] for domain in direction),
            None if settings is None else FeatureSettings(**settings),
            *(Seen(**seen[domain]) for domain in direction if seen),
        )

    @property
    def _title(self) -> str:
        return f"{self.source} -> {self.target}"

    @cached_property
    def _bulk(self) -> BulkTranslation:
        return BulkTranslation(self.generator, self.normalizer, self.direction)

    def translate(self, features: np.ndarray) -> np.ndarray:
        """Normalise, generate, denormalise: (sequences, slices, 40) float32 in dB, both in and out.

        The generator's weights are those of the first call.
        """
        return self._bulk(features)

    def disagreement(self, features: np.ndarray) -> np.ndarray:
        """How far the restarts are apart on each sequence: (sequences, slices, 40) dB in, (sequences,) out.

        In z-scores of the target; 0 with one restart. It needs no truth, and is larger where errors are.
        """
        apart = []
        chunk = self._bulk.chunk(features.shape[1])
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
        return self._translated(source)

    def _translated(self, source: FeatureSet) -> FeatureSet:
        if source.slices is None:
            return source.with_features(self.translate(source.features), self.target)
        features = np.zeros(source.features.shape, np.float32)
        for index, real in source.by_length():
            features[index, : real.shape[1]] = self.translate(real)
        return source.with_features(features, self.target)

    def translate_file(
        self,
        source: str | Path,
        output: str | Path,
        progress: bool = True,
        report: str | Path | None = None,
        **reading: Any,
    ) -> tuple[Judgement, ExtractionReport | None]:
        """Translate a file, or a folder of recordings, part by part: memory does not grow with its size.

        `source` is a feature set (`.npz`, `.npy`, JSON); or a folder of recordings, or one of them, from
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
        source, output = Path(source), Path(output)
        writing = WRITERS.get(output.suffix.lower())
        if writing is None:
            raise InputError(f"{output} must end in .npz, the format of feature sets, or in .json")
        writable_file(output, source)
        if report is not None:
            writable_file(report, source, output)
        became = report_path(output)  # of the recordings
        kind = source.suffix.lower()
        if source.is_dir() or kind in ONLY_RECORDINGS:
            if report is not None and Path(report) == became:
                raise InputError(f"{report} says what became of the recordings; give another --report")
            recordings = self._recordings(source, **reading)
            for written in filter(None, (output, report, became)):
                writable_file(written, *recordings.paths)
            size = self._part_size(recordings.settings.slices)
            parts, rows = regrouped(recordings.sliced(self.source, progress, self._title), size), None
        else:
            if any(reading.get(name) is not None for name in OF_RECORDINGS):
                raise InputError(
                    f"{source} is a feature set: how its recordings are read is decided; leave out"
                    " --channel, --scale, --sample-rate-of-files and --split-every"
                )
            recordings, stream = None, FeatureStream(source, least=1, remedy=GIVE_INPUT)
            parts, rows = self._checked(stream, progress), len(stream)
        with ExitStack() as files:
            if recordings is not None:
                files.callback(recordings.report.save, became)  # whatever happens
            write_rows = files.enter_context(writing_table(report, COLUMNS)) if report is not None else None
            judgement = Judgement(self, write_rows)
            write = files.enter_context(writing(output, rows))
            for part in files.enter_context(closing(parts)):  # a bar ends before anything is said
                translated = self._translated(part)
                write(translated.arrays())
                judgement.add(part, translated)
        return judgement, recordings and recordings.report

    def _checked(self, stream: FeatureStream, progress: bool) -> Iterator[FeatureSet]:
        with tqdm(total=len(stream), desc=self._title, unit="sequence", disable=not progress) as bar:
            for part in stream.parts(self._part_size(stream.slices)):
                self.check(part)
                yield part
                bar.update(len(part))

    def _part_size(self, slices: int) -> int:
        """How many sequences of a file are in memory at a time: whole chunks, as for all at once."""
        chunk = self._bulk.chunk(slices)
        return max(1, PART_BYTES // (4 * N_FEATURES * slices * chunk)) * chunk

    def _recordings(
        self, source: Path, channel: int | str | None = None, scale: float | None = None, **reading: Any
    ) -> SoundFiles:
        if self.settings is None:
            raise InputError(
                f"{source} holds sound, but the model was trained on features without settings, and cannot"
                " say how to extract them; run `cyclegan extract` and give the feature set that it writes"
            )
        given = {"channel": channel, "scale": scale}
        given = {name: value for name, value in given.items() if value is not None}
        settings = FeatureSettings.checked("the command line", **self.settings.model_dump() | given)
        remedy = f"the model needs recordings made at {settings.sample_rate} Hz or more"
        recordings = SoundFiles(source, settings, low_rate=remedy, **reading)
        several = sum((file.channels or 1) > 1 for file in recordings.report.files)
        if several and channel is None and settings.channel is not None:
            recordings.report.remarks.append(
                f"channel {settings.channel} was read, as in training, of {several} recordings with several"
            )
        return recordings


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
