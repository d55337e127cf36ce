"""Running an exported generator: raw units in, raw units out."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cyclegan_lib.checkpoint.reading import build_network, read_checkpoint, read_generator
from cyclegan_lib.config import N_FEATURES, FeatureSettings, parse_direction
from cyclegan_lib.errors import InputError
from cyclegan_lib.export.bulk import BulkTranslation
from cyclegan_lib.export.manifest import NORMALIZATION, Manifest, distilled_name
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.features.extract import ExtractionReport, SoundFiles
from cyclegan_lib.features.feature_set import FeatureStream, regrouped
from cyclegan_lib.features.stream import writing
from cyclegan_lib.files import not_an_input, writable_npz
from cyclegan_lib.models import Generator
from cyclegan_lib.recordings.formats import ONLY_RECORDINGS

PART_BYTES = 8_000_000  # float32 features of a file in memory at a time: 1,000 sequences
GIVE_INPUT = "give a feature set written by `cyclegan extract`, or a folder of WAV or FLAC recordings"


@dataclass(frozen=True)
class Translator:
    """One direction of an exported model."""

    generator: Generator
    normalizer: Normalizer
    direction: str  # "AB" or "BA"
    source: str  # the devices' names
    target: str
    settings: FeatureSettings | None  # how the features it was trained on were extracted

    @classmethod
    def load(cls, folder: str | Path, direction: str, distilled: bool = False) -> "Translator":
        """Load a folder that `cyclegan export` wrote, and check its files against their SHA-256.

        `direction` is "AB" or "BA"; `distilled` takes the small generator that was distilled from the large
        one: nearly the same in less time.

        Raises InputError if the direction is unknown, or the folder is not as it was exported: a file is
        missing, damaged or from another export, statistics are swapped, a setting was changed; or it holds no
        distilled generators and one is asked for.
        """
        direction = parse_direction(direction)
        folder = Path(folder)
        manifest = Manifest.load(folder)
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
        devices = {"A": manifest.device_a, "B": manifest.device_b}
        return cls(
            read_generator(weights, settings.model_dump()),
            Normalizer.load(normalization),
            direction,
            *(devices[domain] for domain in direction),
            manifest.feature_settings,
        )

    @classmethod
    def of_checkpoint(cls, path: str | Path, direction: str) -> "Translator":
        """The translator that `cyclegan export` would make of a training checkpoint.

        Raises InputError if the direction is unknown, or the checkpoint cannot be used.
        """
        direction = parse_direction(direction)
        content = read_checkpoint(path)
        hyper = content["hyper_parameters"]
        settings = hyper["feature_settings"]
        return cls(
            build_network(content, f"generator_{direction}"),
            Normalizer.from_dict(hyper["normalization"]),
            direction,
            *(hyper[f"device_{domain.lower()}"] for domain in direction),
            None if settings is None else FeatureSettings(**settings),
        )

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

    def translate_set(self, source: FeatureSet) -> FeatureSet:
        """Translate a feature set; recordings, times and labels stay as they are.

        Raises InputError if it was recorded by another device or extracted with other settings than the
        model's.
        """
        if source.settings is not None and source.device != self.source:
            raise InputError(
                f"the input was recorded by {source.device}, but the direction {self.direction} of this model"
                f" translates {self.source} to {self.target}; give recordings of {self.source},"
                " or the other direction"
            )
        if None not in (source.settings, self.settings) and source.settings != self.settings:
            raise InputError(
                "the input was extracted with other settings than the model was trained on;"
                f" extract it with --sample-rate {self.settings.sample_rate}"
            )
        return source.with_features(self.translate(source.features), self.target)

    def translate_file(
        self, source: str | Path, output: str | Path, progress: bool = True
    ) -> tuple[int, ExtractionReport | None]:
        """Translate a file, or a folder of recordings, part by part: memory does not grow with its size.

        `source` is a feature set (`.npz`, `.npy`, JSON); or a folder of WAV and FLAC recordings, or one of
        them, from which features are extracted as for the model's training. `output`, ending in .npz, is
        then, bit for bit, what `translate_set` gives for all at once. Returns the number of sequences, and
        what became of the recordings; None for a feature set.

        Raises InputError if the input cannot be used, is the output, or the output cannot be written. Nothing
        is left of the output then, and what was there before is kept.
        """
        source, output = Path(source), writable_npz(output)
        title = f"{self.source} -> {self.target}"
        if source.is_dir() or source.suffix.lower() in ONLY_RECORDINGS:
            recordings = self._recordings(source)
            not_an_input(output, *recordings.paths)
            size = self._part_size(recordings.settings.slices)
            with writing(output) as write:
                for part in regrouped(recordings.sliced(self.source, progress, title), size):
                    write(self.translate_set(part).arrays())
            return recordings.report.sequences, recordings.report
        stream = FeatureStream(source, least=1, remedy=GIVE_INPUT)
        not_an_input(output, source)
        with (
            writing(output, len(stream)) as write,
            tqdm(total=len(stream), desc=title, unit="sequence", disable=not progress) as bar,
        ):
            for part in stream.parts(self._part_size(stream.slices)):
                write(self.translate_set(part).arrays())
                bar.update(len(part))
        return len(stream), None

    def _part_size(self, slices: int) -> int:
        """How many sequences of a file are in memory at a time: whole chunks, as for all at once."""
        chunk = self._bulk.chunk(slices)
        return max(1, PART_BYTES // (4 * N_FEATURES * slices * chunk)) * chunk

    def _recordings(self, source: Path) -> SoundFiles:
        if self.settings is None:
            raise InputError(
                f"{source} holds sound, but the model was trained on features without settings, and cannot"
                " say how to extract them; run `cyclegan extract` and give the feature set that it writes"
            )
        return SoundFiles(source, self.settings)
