"""model_config.json: what an exported folder holds, and the proof that it still does."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cyclegan_lib.checkpoint.reading import completed_epochs
from cyclegan_lib.config import DiscriminatorSettings, FeatureSettings, GeneratorSettings, Settings
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.features import Normalizer
from cyclegan_lib.files import existing_file
from cyclegan_lib.models import network_settings

CONFIG, NORMALIZATION, CARD = "model_config.json", "normalization_params.json", "README.md"
SELF = "config_sha256"
MOST_BYTES = 1 << 20  # a configuration has some kB
# what a translation is computed from; text and scripts may be edited without harm to it
CHECKED = (".pth", ".onnx", ".safetensors", ".npy", ".json")
REMEDY = "give a folder that `cyclegan export` wrote"
AGAIN = "copy the whole folder again, or export again"
PACKAGES = ("cyclegan-lib", "torch", "pytorch-lightning", "numpy")


def _named(device: str) -> str:
    if not device.strip() or printable(device) != device:
        raise ValueError("a device's name must be text that can be printed")
    return device


Device = Annotated[str, AfterValidator(_named)]


class ExportedGenerator(GeneratorSettings):
    """A generator's settings, with the number of its members."""

    members: int = Field(ge=1, le=16)


class ExportedDiscriminator(DiscriminatorSettings):
    """A discriminator's settings, with the number of its members."""

    members: int = Field(ge=1, le=16)


class DistilledGenerators(Settings):
    """The small generators: their settings, and how far they are from the large ones, by direction.

    Root mean square difference, z-scores, on slices drawn with the training recordings' mean and covariance.
    """

    generator_config: ExportedGenerator
    difference: dict[str, float]


class DomainFacts(Settings):
    """What one domain was trained on."""

    device: Device
    sequences: int
    recordings: int
    fingerprint: str


class BothDomains(Settings):
    """What was trained on, of domain A and of domain B."""

    a: DomainFacts
    b: DomainFacts


class TrainingFacts(Settings):
    """How the exported networks came about; distances are those of held-out recordings, by direction."""

    epoch: int
    seed: int
    steps_per_epoch: int
    data: BothDomains
    held_out_distance: dict[str, float]


class Manifest(Settings):
    """What model_config.json says.

    Attributes
    ----------
    device_a, device_b : str
    feature_settings : FeatureSettings or None
    distilled : DistilledGenerators or None
        Where there are small generators beside the large ones.
    training : TrainingFacts
    evaluation : dict of str
        For each translation that was evaluated ("AB", "BA", "AB distilled", "BA distilled") the table, in
        Markdown.
    versions : dict of str
    sha256 : dict of str
        SHA-256 of each file beside it, in hexadecimal.
    config_sha256 : str
        SHA-256 of all the rest of this file, with sorted keys and without spaces.
    """

    input_dim: int
    generator_config: ExportedGenerator
    discriminator_config: ExportedDiscriminator
    device_a: Device
    device_b: Device
    feature_settings: FeatureSettings | None
    distilled: DistilledGenerators | None = None
    training: TrainingFacts
    evaluation: dict[str, str] = {}
    versions: dict[str, str]
    sha256: dict[str, str]
    config_sha256: str

    @classmethod
    def load(cls, folder: str | Path) -> "Manifest":
        """Read the configuration of an exported folder, and check every file that translations rest on.

        Raises
        ------
        InputError
            If there is no such folder, or it is not as it was exported: a file is damaged or of another
            export, statistics are swapped, a setting was changed.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"the model folder {folder} does not exist; {REMEDY}")
        path = existing_file(folder / CONFIG, REMEDY)
        values = _read(path)
        if SELF not in values or not isinstance(values.get("sha256"), dict):
            raise InputError(f"{path} is not a model configuration of this version; export again")
        if values[SELF] != fingerprint(values):
            raise InputError(f"{path} was changed after the export, or is damaged; {AGAIN}")
        manifest = cls.checked(str(path), **values)
        for name in manifest.sha256:
            if Path(name).name == name and Path(name).suffix in CHECKED and (folder / name).is_file():
                manifest.check(folder / name)
        return manifest

    def check(self, path: Path) -> None:
        """Raise InputError if a file of the folder is missing, or not the one that was exported."""
        found = sha256(existing_file(path, REMEDY))
        if found == self.sha256.get(path.name):
            return
        same = next((name for name, known in self.sha256.items() if known == found), None)
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
            found = Normalizer.load(path)
        except InputError:
            return False
        back = Normalizer(found.mean_b, found.std_b, found.mean_a, found.std_a)
        return hashlib.sha256(back.text().encode()).hexdigest() == self.sha256.get(NORMALIZATION)


def distilled_name(network: str) -> str:
    """What the small generator beside `network`, "generator_AB" for one, is called."""
    return f"{network}_distilled"


def describe(content: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of the models in it: the configuration, still without SHA-256."""
    ours = content["hyper_parameters"]
    return {
        "input_dim": ours["settings"]["generator"]["input_dim"],
        "generator_config": network_settings(ours["settings"], "generator_AB"),
        "discriminator_config": network_settings(ours["settings"], "discriminator_A"),
        "device_a": ours["device_a"],
        "device_b": ours["device_b"],
        "feature_settings": ours["feature_settings"],
        "distilled": None,
        "training": {
            "epoch": completed_epochs(content),
            "seed": ours["settings"]["seed"],
            "steps_per_epoch": ours["settings"]["steps_per_epoch"],
            "data": ours["data"],
            "held_out_distance": _held_out_distance(content),
        },
        "evaluation": {},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def sealed(values: dict[str, Any], files: list[Path]) -> str:
    """The text of model_config.json: `values`, the SHA-256 of `files`, and that of itself."""
    values = {**values, "sha256": {path.name: sha256(path) for path in sorted(files)}}
    return json.dumps({**values, SELF: fingerprint(values)}, indent=2) + "\n"


def fingerprint(values: dict[str, Any]) -> str:
    """SHA-256 of a configuration without its own."""
    rest = {name: value for name, value in values.items() if name != SELF}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("too large")
        values = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(values, ensure_ascii=False).encode()  # no halves of letters, which no other file can hold
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a model configuration, or is damaged; {AGAIN}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a model configuration; {AGAIN}")
    return values


def _held_out_distance(content: dict[str, Any]) -> dict[str, float]:
    """The distance on held-out recordings, of this epoch and of the start, in both directions."""
    history = content.get("callbacks", {}).get("ChooseCheckpoint", {}).get("history", [])
    found = {}
    for name, figures in (("start_", history[:1]), ("", history[-1:])):
        for direction in ("AB", "BA"):
            if figures and f"val_distance_{direction}" in figures[0]:
                found[name + direction] = figures[0][f"val_distance_{direction}"]
    return found
