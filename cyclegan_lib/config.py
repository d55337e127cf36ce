"""Typed settings: one source of defaults for the library, the command line, notebooks and checkpoints.

Every default has its reason in its description, which is also what ``--help`` prints.
"""

from collections.abc import Mapping
from inspect import isclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from cyclegan_lib.errors import InputError, shown

DEVICE_A = "cpc006"
DEVICE_B = "BATCH_UPLOAD"
RECORD = "run.json"  # of a run of the notebooks, in its folder
N_FEATURES = 40
SLICES = 50
MIN_SLICES = 5  # of the shortest sequence: one second

FEW_RECORDINGS = 50  # of a device: below it training seldom improves on the linear maps that it starts at

DIRECTIONS = ("AB", "BA")
ROUND_TRIPS = ("ABA", "BAB")  # there and back, through both generators

# of `cyclegan benchmark`; five seeds: one alone may be lucky by a factor of two
BENCHMARK_SEEDS = (0, 1, 2, 3, 4)
REAL_DATA = Path("../shared/data")

Unlabelled = Literal["error", "keep", "skip"]  # what becomes of recordings without a label

SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(BaseModel):
    """Base of all settings: immutable, and a misspelt name is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def checked(cls: type[SettingsT], where: str, /, **values: Any) -> SettingsT:
        """Build the settings; raises InputError, with one sentence that names `where`, if one cannot be."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            if first["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                raise InputError(f"{where} has no setting named {shown(name)}; it knows {known}") from error
            why = first["msg"][:1].lower() + first["msg"][1:]
            raise InputError(f"{where}: '{name}' cannot be {shown(first.get('input'))}: {why}") from error

    @classmethod
    def flat_fields(cls) -> dict[str, FieldInfo]:
        """All that can be set, by its name on a command line and in a notebook: generator_hidden_dim."""
        fields = {}
        for name, field in cls.model_fields.items():
            if _is_settings(field):
                inner = field.annotation.flat_fields().items()
                fields |= {f"{name}_{of_inner}": value for of_inner, value in inner}
            elif name != "input_dim":  # features of a slice: given by the data
                fields[name] = field
        return fields

    @classmethod
    def from_flat(cls: type[SettingsT], where: str, given: Mapping[str, Any]) -> SettingsT:
        """The settings with those of `given` that `flat_fields` names; InputError as `checked`."""
        return cls.checked(where, **cls._nested(given))

    @classmethod
    def _nested(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        fields, values = cls.flat_fields(), {}
        for name, field in cls.model_fields.items():
            if _is_settings(field):
                inner = {key.removeprefix(f"{name}_"): given[key] for key in given if key.startswith(name)}
                values[name] = field.annotation._nested(inner)
            elif name in given and name in fields:
                values[name] = given[name]
        return values


def _is_settings(field: FieldInfo) -> bool:
    return isclass(field.annotation) and issubclass(field.annotation, Settings)


MEAN = "mean"  # of all channels


def _numbered(channel: Any) -> Any:
    return int(channel) if isinstance(channel, str) and channel.isdecimal() else channel or None


class FeatureSettings(Settings):
    """How sound becomes features. Two domains can only be compared where all `common` ones agree."""

    sample_rate: int = Field(
        16000, ge=1000, le=192000, description="rate in Hz that recordings are resampled to"
    )
    f_min: float = Field(60.0, gt=0, description="lower edge of the lowest mel band in Hz")
    f_stop: float = Field(
        10.0, ge=0, description="offset and drift up to this many Hz are removed before; 0 keeps them"
    )
    window_s: float = Field(0.025, gt=0, description="analysis window in seconds")
    hop_s: float = Field(0.010, gt=0, description="hop between analysis windows in seconds")
    slice_s: float = Field(0.16, gt=0, description="length of a slice in seconds")
    slice_hop_s: float = Field(0.20, gt=0, description="time from one slice's start to the next in seconds")
    slices: int = Field(SLICES, ge=1, description="slices in a sequence")
    n_features: int = Field(N_FEATURES, ge=1, description="mel bands, the features of a slice")
    channel: Annotated[int | str | None, BeforeValidator(_numbered)] = Field(
        None, description="channel that is read, from 1 or by its name; mean, as without one: that of all"
    )
    scale: float = Field(1.0, gt=0, description="what samples were multiplied by, before all else")

    def common(self) -> "FeatureSettings":
        """What must agree between two devices: how long sequences are, and how each was read, need not."""
        return self.model_copy(update={"slices": SLICES, "channel": None, "scale": 1.0})

    @property
    def sequence_s(self) -> float:
        """Seconds from one sequence's start to the next (10 s)."""
        return self.slices * self.slice_hop_s

    @property
    def needed_s(self) -> float:
        """Seconds of sound a sequence reads: the pause after its last slice is not needed (9.96 s)."""
        return (self.slices - 1) * self.slice_hop_s + self.slice_s


# Of a file: those written before `f_stop` was a setting kept offset and drift.
OF_BEFORE = {"f_stop": 0.0}
StoredFeatureSettings = Annotated[
    FeatureSettings,
    BeforeValidator(lambda values: {**OF_BEFORE, **values} if isinstance(values, dict) else values),
]


class SimulationSettings(Settings):
    """The simulated pair of devices."""

    train_recordings: int = Field(240, ge=8, le=5000, description="training recordings for each device")
    test_recordings: int = Field(80, ge=8, le=5000, description="test recordings, each heard by both devices")
    seconds: float = Field(10.0, ge=1, le=600, description="length of a recording in seconds")
    sample_rate: int = Field(16000, ge=8000, le=48000, description="sample rate in Hz")
    normal_a: float = Field(
        0.25, ge=0.05, le=0.95, description="part of normal machines in cpc006's training recordings"
    )
    normal_b: float = Field(
        0.25, ge=0.05, le=0.95, description="part of normal machines in BATCH_UPLOAD's training recordings"
    )
    seed: int = Field(0, ge=0, description="the same seed gives the same bytes")


class GeneratorSettings(Settings):
    """Linear maps that match recordings, plus residual networks."""

    input_dim: int = Field(N_FEATURES, ge=1, description="features of a slice")
    hidden_dim: int = Field(128, ge=8, le=4096, description="width of each residual network")
    hidden_layers: int = Field(
        2, ge=1, le=16, description="hidden layers; 4 restarts of 2 x 128 make 114,240 weights"
    )
    strength: float = Field(
        0.5,
        ge=0,
        le=1,
        description="part of what the residual network learned that is used; 0.5 had least error",
    )


class DiscriminatorSettings(Settings):
    """Two views of a sequence: windows of neighbouring slices, and statistics of the whole sequence."""

    input_dim: int = Field(N_FEATURES, ge=1, description="features of a slice")
    hidden_dim: int = Field(128, ge=8, le=4096, description="width of both networks")
    window: int = Field(5, ge=1, le=1000, description="neighbouring slices seen together; 3 to 5 worked best")


class TrainingSettings(Settings):
    """Losses, optimizers and the length of a training run."""

    seed: int = Field(0, ge=0, description="seed of the split, the initial weights and the batches")
    restarts: int = Field(
        4, ge=1, le=16, description="networks trained side by side, whose translations are averaged"
    )
    max_epochs: int = Field(40, ge=1, description="epochs to train; 40 of 25 steps are 1,000 steps")
    steps_per_epoch: int = Field(
        25,
        ge=1,
        description="steps in an epoch, whatever the number of recordings, so that few train as long",
    )
    max_minutes: float = Field(
        30.0, gt=0, le=1e6, description="stop after this many minutes, whatever the epoch"
    )
    batch_size: int = Field(8, ge=1, description="sequences of each domain in a step")
    learning_rate: float = Field(2e-3, gt=0, description="Adam's, while it is held")
    hold_epochs: int = Field(20, ge=0, description="epochs before the learning rate begins to fall")
    halving_epochs: float = Field(
        5.0, gt=0, description="epochs in which it then halves, whatever max_epochs, so that runs can go on"
    )
    beta1: float = Field(
        0.5, ge=0, lt=1, description="Adam's first moment; 0.5 as usual for adversarial training"
    )
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second moment")
    lambda_cycle: float = Field(3.0, ge=0, description="weight of the cycle-consistency loss")
    lambda_identity: float = Field(0.5, ge=0, description="weight of the identity loss")
    lambda_adversarial: float = Field(1.0, ge=0, description="weight of the generators' adversarial loss")
    ema_decay: float = Field(0.995, ge=0, lt=1, description="decay of the averaged generator weights")
    folds: int = Field(
        5,
        ge=2,
        description="parts of the recordings; each restart is judged on one that it is not trained on",
    )
    max_recordings: int = Field(
        20_000,
        ge=8,
        description="recordings of each domain to train on; of more so many are drawn, by the seed",
    )
    use_labels: bool = Field(
        True, description="let labels of domain B, where it has them, keep its fault classes apart"
    )
    normalization: Literal["shared", "per-domain"] = Field(
        "shared",
        description="one mean and deviation for both domains, which stay comparable, or for each",
    )
    keep_checkpoints: int = Field(3, ge=1, description="epoch checkpoints kept besides best and last")
    accelerator: Literal["auto", "cpu", "gpu"] = Field("auto", description="where to train")
    devices: int = Field(
        1, ge=1, description="GPUs, or on CPUs processes, that share the restarts; at most one for each"
    )
    strategy: Literal["auto", "ddp"] = Field(
        "auto", description="how several devices train: ddp, Lightning's processes, which auto takes, too"
    )
    threads: int = Field(
        1, ge=1, description="CPU threads of each process; one makes a run repeat to the last digit"
    )
    generator: GeneratorSettings = GeneratorSettings()
    discriminator: DiscriminatorSettings = DiscriminatorSettings()


def parse_direction(direction: str, device_a: str, device_b: str) -> str:
    """Return "AB", "BA" or a round trip; InputError, which names the model's devices, for any other.

    Small letters will do, and the devices' names with colons between them, as in phone:hifi.
    """
    names = {"A": device_a, "B": device_b}
    for known in DIRECTIONS + ROUND_TRIPS:
        if direction.upper() == known or direction == ":".join(names[letter] for letter in known):
            return known
    raise InputError(
        f"the direction '{direction}' is unknown; give AB ({device_a} to {device_b}), BA (the other way), the"
        f" names, as in {device_b}:{device_a}, or, there and back, ABA ({device_a} to {device_a}) or BAB"
    )
