"""What must be true of a checkpoint before anything is built from it, printed, exported or trained further.

A checkpoint comes from outside, and a value of a wrong type or size would end in a traceback, or in all
memory taken, long after the file was read; and the names of earlier checkpoints in it are files to be copied
and deleted. What only the networks can tell, the shapes of tensors above all, is in `checks`.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cyclegan_lib.checkpoint import checks
from cyclegan_lib.checkpoint.random_states import try_random_states
from cyclegan_lib.checkpoint.torch_file import is_plain
from cyclegan_lib.config import N_FEATURES, StoredFeatureSettings, TrainingSettings
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.features import Normalizer
from cyclegan_lib.features.feature_set import DIGITS
from cyclegan_lib.features.fingerprints import KEPT
from cyclegan_lib.features.seen import Seen

MAX_MOMENT = 1e6  # z-scores, squared or not: far more than any recording has
MAX_NAMES = 20_000  # of a part, with the parts in it: each that is wrong costs time and memory
MAX_PLACE = 200  # characters of a sentence
VERSION = re.compile(r"2\.\d{1,4}(\.\d{1,4})?((rc|\.post|\.dev)\d{1,9})?")
# an epoch's own checkpoint: training copies and deletes what its record calls so, in its own folder
OWN_NAME = re.compile(r"cyclegan-epoch=[0-9]{1,9}-val_cycle_A=[0-9]{1,20}\.[0-9]{4}(-v[0-9]{1,3})?\.ckpt")


def _require(test: Callable[[Any], Any], otherwise: str) -> AfterValidator:
    def check(value: Any) -> Any:
        if not test(value):
            raise ValueError(otherwise)
        return value

    return AfterValidator(check)


def _moment(*shape: int) -> Any:
    whole = _require(lambda x: is_plain(x, shape), f"is no tensor of {shape} finite numbers")
    return Annotated[Any, whole, _require(lambda x: x.abs().max() <= MAX_MOMENT, "holds what is no z-score")]


def _is_sequence(x: Any) -> bool:
    return is_plain(x) and x.dim() in (2, 3) and x.shape[-1] == N_FEATURES


Count = Annotated[int, Field(ge=0, lt=checks.MAX_COUNT)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Rate = Annotated[Number, Field(ge=0)]
Decay = Annotated[Number, Field(ge=0, lt=1)]
Seconds = Annotated[Number, Field(ge=0, lt=checks.MAX_COUNT)]
Text = Annotated[str, Field(max_length=4096), _require(lambda x: printable(x) == x, "is no line of text")]
Device = Annotated[Text, _require(str.strip, "is empty")]
OwnName = Annotated[str, _require(OWN_NAME.fullmatch, "is no checkpoint of its own")]
Version = Annotated[str, _require(VERSION.fullmatch, "is none that is known")]
AdamStep = Annotated[
    Any, _require(lambda x: is_plain(x, ()) and 0 <= float(x) < checks.MAX_COUNT, "is no count")
]
Sequences = Annotated[Any, _require(_is_sequence, f"is no sequence of {N_FEATURES} features")]
Normalization = Annotated[
    dict[Literal["mean_a", "std_a", "mean_b", "std_b"], list[Number]], _require(Normalizer.from_dict, "")
]
Both = Field(min_length=2, max_length=2)  # of a dictionary with two names, "A" and "B"


class _Part(BaseModel):  # written by others too: what nobody here reads is passed over
    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def _is_small(cls, value: Any) -> Any:
        names, level = 0, [value]
        for _ in range(3):
            level = [part for part in level if isinstance(part, dict)]
            names += sum(map(len, level))
            if names > MAX_NAMES:
                raise ValueError("holds too many names")
            level = [inner for part in level for inner in part.values()]
        return value


class _Own(_Part):  # every name is known
    model_config = ConfigDict(extra="forbid")


class DomainFacts(_Own):
    """What one domain was trained on."""

    device: Device
    sequences: Count
    recordings: Count
    fingerprint: Text
    # of each sequence, in checkpoints of now
    remembered: Annotated[str, Field(max_length=KEPT * DIGITS, pattern="^[0-9a-f]*$")] = ""
    # how this one was read; None where its file did not say, or in checkpoints of before
    settings: StoredFeatureSettings | None = None


BothDomains = Annotated[dict[Literal["a", "b"], DomainFacts], Both]


class _HyperParameters(_Own):  # what `CycleGANModule` is built with
    settings: TrainingSettings
    normalization: Normalization
    device_a: Device
    device_b: Device
    feature_settings: StoredFeatureSettings | None
    data: BothDomains


class _Epoch(_Part):  # a line of the history, with more figures
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Number]
    epoch: Count
    val_distance: Number


class _Evidence(_Own):  # of `training.verdict.Evidence`
    start: Text
    recordings: Count
    gained: Number
    low: Number
    high: Number


class _Choice(_Part):  # the state of `training.callbacks.ChooseCheckpoint`
    history: Annotated[list[_Epoch], Field(min_length=1, fail_fast=True)]
    best_epoch: Count
    best_distance: Number
    kept: dict[OwnName, Count] = {}
    dropped: Annotated[list[OwnName], Field(max_length=MAX_NAMES, fail_fast=True)] = []
    evidence: _Evidence | None = None  # what checkpoints of before lack, as the next
    expected_distance: Number | None = None

    def model_post_init(self, _: Any) -> None:
        epochs = range(len(self.history))
        if [row.epoch for row in self.history] != list(epochs):
            raise ValueError("lacks an epoch in its history")
        if any(epoch not in epochs for epoch in (self.best_epoch, *self.kept.values())):
            raise ValueError("names an epoch that is not in its history")


class _Callbacks(_Part):
    ChooseCheckpoint: _Choice
    Timer: dict[str, dict[Any, Seconds]] = {}


class _Group(_Own):  # what Adam goes on with: numbers in range, and its switches as we set them
    params: Annotated[list[int], Field(fail_fast=True)]
    lr: Rate
    betas: tuple[Decay, Decay]
    eps: Rate
    weight_decay: Rate
    foreach: Literal[True]
    fused: None = None
    amsgrad: Literal[False] = False
    maximize: Literal[False] = False
    capturable: Literal[False] = False
    differentiable: Literal[False] = False
    decoupled_weight_decay: Literal[False] = False


class _Adam(_Own):  # what it knows of one tensor of weights
    step: AdamStep
    exp_avg: Any
    exp_avg_sq: Any


class _Optimizer(_Part):
    param_groups: Annotated[list[_Group], Field(min_length=1, max_length=1)]
    state: dict[int, _Adam]


class _SliceMoments(_Own):
    mean: _moment(N_FEATURES)
    covariance: _moment(N_FEATURES, N_FEATURES)


class Checkpoint(_Part):
    """All of it, under the names of Lightning, of `CycleGANModule` and of `ChooseCheckpoint`."""

    epoch: Count
    global_step: Count
    version: Version = Field(alias="pytorch-lightning_version")
    hyper_parameters: _HyperParameters
    state_dict: dict[str, Any]
    optimizer_states: Annotated[list[_Optimizer], Field(min_length=2, max_length=2)]
    lr_schedulers: Annotated[list, Field(max_length=0)] = []
    loops: dict[str, Any]
    callbacks: _Callbacks
    example: Annotated[dict[Literal["A", "B"], Sequences], Both] | None = None
    slice_moments: Annotated[dict[Literal["A", "B"], _SliceMoments], Both] | None = None
    seen: Annotated[dict[Literal["A", "B"], Seen], Both] | None = None
    verdict: Text = ""
    random_states: dict[Any, Any] | None = None
    # where Lightning looks for the hyperparameters: as it names them today, and did long ago
    hparams_name: Literal["kwargs"] | None = None
    hparams_type: None = None
    hparams: None = None
    module_arguments: None = None

    def model_post_init(self, _: Any) -> None:
        """What the types above do not say."""
        networks = checks.networks(self.hyper_parameters.settings)
        checks.check_weights(self.state_dict, networks)
        checks.check_optimizers(self.optimizer_states, networks)
        checks.check_loops(self.loops)
        if self.random_states is not None:
            try_random_states(self.random_states)


def check_checkpoint(content: dict[str, Any], path: Path) -> None:
    """Check all that is read later; settings are replaced by what they mean, with their types.

    Raises InputError that names `path` and the place of what cannot be.
    """
    wrong, remedy = f"{path} is damaged or was changed", "give another checkpoint of the run"
    try:
        hyper = Checkpoint.model_validate(content).hyper_parameters
    except ValidationError as error:
        raise InputError(f"{wrong}: {_said(error.errors(include_url=False)[0])}; {remedy}") from error
    except Exception as error:  # values of any type may be anywhere, and compare and index as they like
        raise InputError(f"{wrong}; {remedy}") from error
    content["hyper_parameters"] |= hyper.model_dump(include={"settings", "feature_settings", "data"})


def _said(error: Any) -> str:
    place = ".".join(map(str, error["loc"]))[:MAX_PLACE]
    if error["type"] == "missing":
        return f"it lacks {place}"
    if error["type"] == "extra_forbidden":
        return f"it has {place}, which is unknown"
    if error["type"] == "value_error":
        return f"{place} {error['ctx']['error']}".strip()
    return f"{place} is {shown(error['input'])}"
