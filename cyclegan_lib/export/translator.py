"""Running an exported generator: raw units in, raw units out."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cyclegan_lib.config import FeatureSettings, parse_direction
from cyclegan_lib.errors import InputError
from cyclegan_lib.export.exporter import CONFIG, NORMALIZATION, build_network, sha256
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.files import existing_file
from cyclegan_lib.models import Generator
from cyclegan_lib.models.checkpoint import read_checkpoint

CHUNK = 256  # sequences translated at once: 256 x 50 slices stay below 100 MB of activations


@dataclass(frozen=True)
class Translator:
    """One direction of an exported model.

    Attributes
    ----------
    generator : Generator
    normalizer : Normalizer
    direction : "AB" or "BA"
    source, target : str
        The devices' names.
    settings : FeatureSettings or None
        How the features it was trained on were extracted.
    """

    generator: Generator
    normalizer: Normalizer
    direction: str
    source: str
    target: str
    settings: FeatureSettings | None

    @classmethod
    def load(cls, folder: str | Path, direction: str) -> "Translator":
        """Load a folder that `cyclegan export` wrote, and check its files against their SHA-256.

        Raises
        ------
        InputError
            If the direction is unknown, or a file is missing, damaged or from another export.
        """
        direction = parse_direction(direction)
        folder = Path(folder)
        remedy = "give a folder that `cyclegan export` wrote"
        if not folder.is_dir():
            raise InputError(f"the model folder {folder} does not exist; {remedy}")
        config_path = existing_file(folder / CONFIG, remedy)
        weights_path = existing_file(folder / f"generator_{direction}.pth", remedy)
        try:
            config = json.loads(config_path.read_text(encoding="utf-8"))
            hashes, devices = config["sha256"], (config["device_a"], config["device_b"])
            generator = Generator(**config["generator_config"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{config_path} is not a model configuration of ours; export again") from error
        for path in (weights_path, existing_file(folder / NORMALIZATION, remedy)):
            if sha256(path) != hashes.get(path.name):
                raise InputError(f"{path} is damaged or belongs to another export; export again")
        try:
            generator.load_state_dict(torch.load(weights_path, map_location="cpu", weights_only=True))
        except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
            raise InputError(f"{weights_path} does not fit {config_path}; export again") from error
        values = config.get("feature_settings")
        return cls(
            generator.eval(),
            Normalizer.load(folder / NORMALIZATION),
            direction,
            *(devices if direction == "AB" else devices[::-1]),
            None
            if values is None
            else FeatureSettings.checked(f"{config_path} (feature_settings)", **values),
        )

    @classmethod
    def of_checkpoint(cls, path: str | Path, direction: str) -> "Translator":
        """The translator that `cyclegan export` would make of a training checkpoint.

        Raises
        ------
        InputError
            If the direction is unknown, or the checkpoint cannot be used.
        """
        direction = parse_direction(direction)
        content = read_checkpoint(path)
        ours = content["hyper_parameters"]
        devices, values = (ours["device_a"], ours["device_b"]), ours["feature_settings"]
        return cls(
            build_network(content, f"generator_{direction}", str(path)),
            Normalizer.from_dict(ours["normalization"]),
            direction,
            *(devices if direction == "AB" else devices[::-1]),
            None if values is None else FeatureSettings.checked(f"{path} (feature_settings)", **values),
        )

    def translate(self, features: np.ndarray) -> np.ndarray:
        """Normalise, generate, denormalise: (sequences, slices, 40) float32 in dB, both in and out."""
        source, target = self.direction
        out = np.empty(features.shape, dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(features), CHUNK):
                z = self.normalizer.normalize(features[start : start + CHUNK], source)  # (chunk, slices, 40)
                y = self.generator(torch.from_numpy(z)).numpy()
                out[start : start + CHUNK] = self.normalizer.denormalize(y, target)
        return out

    def disagreement(self, features: np.ndarray) -> np.ndarray:
        """How far the restarts are apart on each sequence: (sequences, slices, 40) dB in, (sequences,) out.

        In z-scores of the target; 0 with one restart. It needs no truth, and is larger where errors are.
        """
        found = []
        with torch.inference_mode():
            for start in range(0, len(features), CHUNK):
                z = self.normalizer.normalize(features[start : start + CHUNK], self.direction[0])
                found.append(self.generator.disagreement(torch.from_numpy(z)).numpy())
        return np.concatenate(found)

    def translate_set(self, source: FeatureSet) -> FeatureSet:
        """Translate a feature set; recordings, times and labels stay as they are.

        Raises
        ------
        InputError
            If it was recorded by another device or extracted with other settings than the model's.
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
