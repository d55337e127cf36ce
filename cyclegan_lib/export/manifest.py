"""model_config.json: what an exported folder holds, and the proof that it still does."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from cyclegan_lib import documents
from cyclegan_lib.checkpoint.reading import FORMAT, check_format, completed_epochs
from cyclegan_lib.checkpoint.schema import Both, BothDomains, Device
from cyclegan_lib.config import DiscriminatorSettings, GeneratorSettings, Settings, StoredFeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.normalization import NORMALIZATION, Normalizer
from cyclegan_lib.features.seen import Seen
from cyclegan_lib.files import existing_file, sha256
from cyclegan_lib.glance import Shown
from cyclegan_lib.models import network_settings

CONFIG, CARD = "model_config.json", "README.md"
SEAL = "config_sha256"
MAX_CONFIG_BYTES = 1 << 20  # a configuration has some kB
# what a translation is computed from; text and scripts may be edited without harm to it
CHECKED = (".pth", ".onnx", ".safetensors", ".npy", ".json")
GIVE_FOLDER = "give a folder that `cyclegan export` wrote"
AGAIN = "copy the whole folder again, or export again"
PACKAGES = ("cyclegan-lib", "torch", "numpy")


class ExportedGenerator(GeneratorSettings):
    """A generator's settings, with the number of its members."""

    members: int = Field(ge=1, le=16)


class ExportedDiscriminator(DiscriminatorSettings):
    """A discriminator's settings, with the number of its members."""

    members: int = Field(ge=1, le=16)


class DistilledGenerators(Settings):
    """The small generators: their settings, and how far they are from the large ones, by direction.

    All on slices drawn with the training recordings' mean and covariance: `difference` is root mean square,
    z-scores; `nmse` the squared error as a part of the variance, of "float" and, where there are generators
    of 8 bits, of "int8".
    """

    generator_config: ExportedGenerator
    difference: dict[str, float]
    nmse: dict[str, dict[str, float]] = {}  # what exports of before lack


class TrainingFacts(Settings):
    """How the exported networks came about; distances are those of held-out recordings, by direction."""

    epoch: int
    seed: int
    steps_per_epoch: int
    data: BothDomains
    held_out_distance: dict[str, float]
    seen: Annotated[dict[Literal["a", "b"], Seen], Both] | None = None  # what models of before lack
    verdict: str = ""  # one sentence: whether the map is better than a mean shift


class Manifest(Shown, Settings):
    """What model_config.json says."""

    format: int = 0  # of the exports before there was one
    input_dim: int
    generator_config: ExportedGenerator
    discriminator_config: ExportedDiscriminator
    device_a: Device
    device_b: Device
    feature_settings: StoredFeatureSettings | None
    distilled: DistilledGenerators | None = None  # where there are small generators beside the large ones
    training: TrainingFacts
    # the table, in Markdown, of each translation evaluated: "AB", "BA", "AB distilled" or "BA distilled"
    evaluation: dict[str, str] = {}
    versions: dict[str, str]
    sha256: dict[str, str]  # of each file beside it, in hexadecimal
    config_sha256: str  # of all the rest of this file, with sorted keys and without spaces

    @classmethod
    def load(cls, folder: str | Path) -> "Manifest":
        """Read the configuration of an exported folder, and check every file that translations rest on.

        Raises InputError if there is no such folder, or it is not as it was exported: a file is damaged or of
        another export, statistics are swapped, a setting was changed.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"the model folder {folder} does not exist; {GIVE_FOLDER}")
        path = existing_file(folder / CONFIG, GIVE_FOLDER)
        wrong = "is not a model configuration, or is damaged"
        values = documents.read(path, dict[str, Any], wrong, AGAIN, MAX_CONFIG_BYTES)
        if SEAL not in values or not isinstance(values.get("sha256"), dict):
            raise InputError(f"{path} is not a model configuration of this version; export again")
        if values[SEAL] != config_sha256(values):
            raise InputError(f"{path} was changed after the export, or is damaged; {AGAIN}")
        check_format(values, path)
        manifest = cls.checked(str(path), **values)
        for name in manifest.sha256:
            if Path(name).name == name and Path(name).suffix in CHECKED and (folder / name).is_file():
                manifest.check(folder / name)
        return manifest

    def glance(self) -> tuple[str, dict[str, object], dict[str, np.ndarray]]:
        """Which devices the exported folder translates between, and how it was trained."""
        facts = {
            "epoch": self.training.epoch,
            "seed": self.training.seed,
            "held-out distance": ", ".join(
                f"{way} {distance:.3g}" for way, distance in self.training.held_out_distance.items()
            ),
            "verdict": self.training.verdict or "none",
            "files": ", ".join(self.sha256),
        }
        return f"exported models: {self.device_a} (A) <-> {self.device_b} (B)", facts, {}

    @property
    def translation(self) -> str:
        """SHA-256 of what translations are computed from: both generators and the statistics.

        Unlike that of the configuration it stays when an evaluation is added.
        """
        names = ("generator_AB.pth", "generator_BA.pth", NORMALIZATION)
        return hashlib.sha256("".join(self.sha256.get(name, "") for name in names).encode()).hexdigest()

    def check(self, path: Path) -> None:
        """Raise InputError if a file of the folder is missing, or not the one that was exported."""
        digest = sha256(existing_file(path, GIVE_FOLDER))
        if digest == self.sha256.get(path.name):
            return
        same = next((name for name, known in self.sha256.items() if known == digest), None)
        if same is not None:
            raise InputError(f"{path} holds what was exported as {same}; {AGAIN}")
        if path.name == NORMALIZATION and self._is_swapped(path):
            raise InputError(
                f"{path} has the statistics of {self.device_a} and {self.device_b} swapped; {AGAIN}"
            )
        raise InputError(
            f"{path} is damaged or belongs to another export than {path.with_name(CONFIG)}; {AGAIN}"
        )

    def _is_swapped(self, path: Path) -> bool:
        try:
            there = Normalizer.load(path)
        except InputError:
            return False
        back = Normalizer(there.mean_b, there.std_b, there.mean_a, there.std_a)
        return hashlib.sha256(back.text().encode()).hexdigest() == self.sha256.get(NORMALIZATION)


def distilled_name(network: str) -> str:
    """What the small generator beside `network`, "generator_AB" for one, is called."""
    return f"{network}_distilled"


def describe(content: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of the models in it: the configuration, still without SHA-256."""
    hyper, seen = content["hyper_parameters"], content.get("seen")
    return {
        "format": FORMAT,
        "input_dim": hyper["settings"]["generator"]["input_dim"],
        "generator_config": network_settings(hyper["settings"], "generator_AB"),
        "discriminator_config": network_settings(hyper["settings"], "discriminator_A"),
        **{name: hyper[name] for name in ("device_a", "device_b", "feature_settings")},
        "distilled": None,
        "training": {
            "epoch": completed_epochs(content),
            **{name: hyper["settings"][name] for name in ("seed", "steps_per_epoch")},
            "data": hyper["data"],
            "held_out_distance": _held_out_distance(content),
            "verdict": content.get("verdict", ""),
            "seen": seen and {name.lower(): values for name, values in seen.items()},
        },
        "evaluation": {},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def sealed(values: dict[str, Any], files: list[Path]) -> str:
    """The text of model_config.json: `values`, the SHA-256 of `files`, and that of itself."""
    values = {**values, "sha256": {path.name: sha256(path) for path in sorted(files)}}
    return json.dumps({**values, SEAL: config_sha256(values)}, indent=2) + "\n"


def config_sha256(values: dict[str, Any]) -> str:
    """SHA-256 of a configuration without its own."""
    rest = {name: value for name, value in values.items() if name != SEAL}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _held_out_distance(content: dict[str, Any]) -> dict[str, float]:
    """The distance on held-out recordings, of the start and of this epoch, in both directions."""
    history = content["callbacks"]["ChooseCheckpoint"]["history"]
    return {
        prefix + direction: figures[f"val_distance_{direction}"]
        for prefix, figures in (("start_", history[0]), ("", history[-1]))
        for direction in ("AB", "BA")
        if f"val_distance_{direction}" in figures
    }
