"""What must be true of a checkpoint before anything is built from it, printed, exported or trained further.

A checkpoint comes from outside, and a value of a wrong type or size would end in a traceback, or in all
memory taken, long after the file was read.
"""

import re
from pathlib import Path
from typing import Any

import torch

from cyclegan_lib.checkpoint.torch_file import is_plain
from cyclegan_lib.checkpoint.training_state import MOST, Fail, check_training_state, is_number
from cyclegan_lib.config import N_FEATURES, FeatureSettings, TrainingSettings
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.models import NETWORKS, network_class, network_settings

MOST_MOMENT = 1e6  # z-scores, squared or not: far more than any recording has
MOMENTS = ("mean_a", "std_a", "mean_b", "std_b")
FACTS = {"device": str, "sequences": int, "recordings": int, "fingerprint": str}
# what Lightning reads besides to find the hyperparameters: how it names them today, and did long ago
NAMES = {"hparams_name": "kwargs", "hparams_type": None, "hparams": None, "module_arguments": None}
VERSION = re.compile(r"2\.\d{1,4}(\.\d{1,4})?((rc|\.post|\.dev)\d{1,9})?")


def check_checkpoint(content: dict[str, Any], path: Path) -> None:
    """Check all that is read later; settings are replaced by what they mean, with their types.

    Parameters
    ----------
    content : dict
        Of a checkpoint of ours, as far as its keys show.
    path : Path

    Raises
    ------
    InputError
        That names `path` and what cannot be.
    """

    def fail(what: str) -> None:
        raise InputError(f"{path} is damaged or was changed: {what}; give another checkpoint of the run")

    try:
        _check_hyper_parameters(content["hyper_parameters"], path, fail)
        networks = _networks(content["hyper_parameters"]["settings"])
        _check_weights(content["state_dict"], networks, fail)
        if not isinstance(content.get("pytorch-lightning_version"), str):
            fail("it does not say which Lightning wrote it")
        if not VERSION.fullmatch(content["pytorch-lightning_version"]):
            fail(f"it was written by Lightning {shown(content['pytorch-lightning_version'])}")
        for name, usual in NAMES.items():
            value = content.get(name)
            if value is not None and (type(value) is not str or value != usual):
                fail(f"{name} is {shown(value)}")
        check_training_state(content, networks, fail)
        _check_example(content.get("example"), fail)
        _check_slice_moments(content.get("slice_moments"), fail)
    except InputError:
        raise
    except Exception as error:  # values of any type may be anywhere, and compare and index as they like
        raise InputError(f"{path} is damaged or was changed; give another checkpoint of the run") from error


def _check_hyper_parameters(ours: dict[str, Any], path: Path, fail: Fail) -> None:
    for name, kind in (("settings", TrainingSettings), ("feature_settings", FeatureSettings)):
        if ours[name] is not None:
            ours[name] = kind.checked(f"{path} ({name})", **ours[name]).model_dump()
    for kind in ("generator", "discriminator"):
        if ours["settings"][kind]["input_dim"] != N_FEATURES:
            fail(f"the {kind} has {ours['settings'][kind]['input_dim']} features, not {N_FEATURES}")
    if set(ours["normalization"]) != set(MOMENTS):
        fail(f"its normalization must hold {', '.join(MOMENTS)}")
    for name in MOMENTS:
        values = ours["normalization"][name]
        if not isinstance(values, list) or len(values) != N_FEATURES:
            fail(f"{name} must be {N_FEATURES} numbers")
        if not all(is_number(v) and abs(v) < 1e30 and (v >= 1e-4 or name.startswith("mean")) for v in values):
            fail(f"{name} must be finite numbers, above 0 if it is a deviation")
    for name in ("device_a", "device_b"):
        _check_text(ours[name], name, fail)
        if not ours[name].strip():
            fail(f"{name} is empty")
    if set(ours["data"]) != {"a", "b"}:
        fail("its data must be those of a and b")
    for facts in ours["data"].values():
        for name, kind in FACTS.items():
            if type(facts[name]) is not kind or (kind is int and not 0 <= facts[name] < MOST):
                fail(f"{name} is {shown(facts[name])}")
            if kind is str:
                _check_text(facts[name], name, fail)


def _networks(settings: dict[str, Any]) -> dict[str, torch.nn.Module]:
    """The four networks without memory for their weights: what a damaged file asks for may be too much."""
    with torch.device("meta"):
        return {name: network_class(name)(**network_settings(settings, name)) for name in NETWORKS}


def _check_weights(state: Any, networks: dict[str, torch.nn.Module], fail: Fail) -> None:
    expected: dict[str, tuple[int, ...]] = {}
    of: dict[str, str] = {}
    for name, network in networks.items():
        prefixes = [f"{name}."]
        if name.startswith("generator"):
            prefixes.append(f"average_{name[-2:]}.module.")
        for prefix in prefixes:
            for key, value in network.state_dict().items():
                expected[prefix + key], of[prefix + key] = tuple(value.shape), name
    counts = {"average_AB.n_averaged", "average_BA.n_averaged"}
    if not isinstance(state, dict):
        fail("its weights are no dictionary")
    for key, shape in expected.items():
        if key not in state or not torch.is_tensor(state[key]) or tuple(state[key].shape) != shape:
            fail(f"the weights of {of[key]} do not fit its settings ({key})")
        if not is_plain(state[key]):
            fail(f"the weights of {of[key]} hold what is no finite number ({key})")
    for key in counts:
        if not is_plain(state.get(key), (), torch.int64) or not 0 <= int(state[key]) < MOST:
            fail(f"{key} must be one whole number")
    unknown = state.keys() - expected.keys() - counts
    if unknown:
        fail(f"it has weights of no network ({shown(sorted(map(str, unknown))[0])})")


def _check_example(example: Any, fail: Fail) -> None:
    """Sequences that an export may show, where there are any."""
    if example is None:
        return
    if set(example) != {"A", "B"}:
        fail("its example must be one of A and one of B")
    for name, value in example.items():
        if not is_plain(value) or value.dim() not in (2, 3) or value.shape[-1] != N_FEATURES:
            fail(f"its example of {name} is no sequence of {N_FEATURES} features")


def _check_slice_moments(moments: Any, fail: Fail) -> None:
    """Mean and covariance of each domain's slices, where there are any."""
    if moments is None:
        return
    if set(moments) != {"A", "B"}:
        fail("its moments of slices must be those of A and of B")
    shapes = {"mean": (N_FEATURES,), "covariance": (N_FEATURES, N_FEATURES)}
    for name, found in moments.items():
        if set(found) != set(shapes) or not all(is_plain(found[k], shape) for k, shape in shapes.items()):
            fail(f"its moments of slices of {name} must be a mean and a covariance of {N_FEATURES} features")
        if found["mean"].abs().max() > MOST_MOMENT or found["covariance"].abs().max() > MOST_MOMENT:
            fail(f"its moments of slices of {name} are no z-scores")


def _check_text(value: Any, name: str, fail: Fail) -> None:
    if type(value) is not str or len(value) > 4096 or printable(value) != value:
        fail(f"{name} is {shown(value)}")
