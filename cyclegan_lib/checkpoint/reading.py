"""Reading a checkpoint: is it ours, is it whole; and networks from weights, its own or exported ones."""

from pathlib import Path
from typing import Any

import torch

from cyclegan_lib.checkpoint.schema import check_checkpoint
from cyclegan_lib.checkpoint.torch_file import is_plain, read_tensors
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file
from cyclegan_lib.models import AVERAGES, NETWORKS, Generator, network_class, network_settings

BEST, LAST = "best.ckpt", "cyclegan-last.ckpt"


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Load a training checkpoint, without running any code that may be in it, and check all that is in it.

    Returns
    -------
    dict
        Lightning's checkpoint: `state_dict`, `hyper_parameters`, `optimizer_states`, `epoch`, …

    Raises
    ------
    InputError
        If the file is missing, damaged, not one of ours, or lacks a network, or if something in it cannot
        be: a weight that is no number, statistics of another size, a path outside its own folder.
    """
    path = existing_file(path, "train first, or give the path of a .ckpt file that training wrote")
    checkpoint = read_tensors(path, "give a .ckpt file that training wrote")
    if not isinstance(checkpoint, dict) or not {"state_dict", "hyper_parameters"} <= checkpoint.keys():
        raise InputError(f"{path} is not a training checkpoint; give a .ckpt file that training wrote")
    ours = {"settings", "normalization", "device_a", "device_b", "feature_settings", "data"}
    hyperparameters = checkpoint["hyper_parameters"]
    if not isinstance(hyperparameters, dict) or hyperparameters.keys() != ours:
        raise InputError(
            f"{path} was not written by cyclegan_lib; give a .ckpt file that `cyclegan train` wrote"
        )
    settings = hyperparameters["settings"]
    if not isinstance(settings, dict) or settings.keys() != TrainingSettings.model_fields.keys():
        raise InputError(
            f"{path} was written by another version of cyclegan_lib, whose settings differ; train again"
        )
    if not isinstance(checkpoint["state_dict"], dict) or not all(
        isinstance(key, str) for key in checkpoint["state_dict"]
    ):
        raise InputError(f"{path} is not a training checkpoint; give a .ckpt file that training wrote")
    for name in NETWORKS:
        if not network_state(checkpoint, name):
            raise InputError(f"{path} lacks the network {name}; give a whole checkpoint")
    check_checkpoint(checkpoint, path)
    return checkpoint


def completed_epochs(content: dict[str, Any]) -> int:
    """How many epochs a checkpoint was trained for; 0 is the untrained model."""
    return int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])


def network_state(checkpoint: dict[str, Any], name: str) -> dict[str, torch.Tensor]:
    """The weights of one network as it is used: the average, where there is one."""
    prefix = AVERAGES.get(name, name) + "."
    return {
        key.removeprefix(prefix): value
        for key, value in checkpoint["state_dict"].items()
        if key.startswith(prefix)
    }


def build_network(content: dict[str, Any], name: str, where: str) -> torch.nn.Module:
    """Build one network of a checkpoint and load its weights.

    Raises
    ------
    InputError
        If the weights do not fit the settings.
    """
    settings = network_settings(content["hyper_parameters"]["settings"], name)
    wrong = f"{where}: the weights of {name} do not fit its settings; give a whole checkpoint"
    return _loaded(network_class(name), settings, network_state(content, name), wrong)


def read_generator(path: Path, settings: dict[str, Any]) -> Generator:
    """Read an exported generator, without running any code that may be in the file.

    Raises
    ------
    InputError
        If the file is no plain state dict, or does not fit the settings.
    """
    wrong = f"{path} does not hold the generator that model_config.json describes; export again"
    try:
        state = read_tensors(path, "export again")
    except InputError as error:
        raise InputError(wrong) from error
    return _loaded(Generator, settings, state, wrong)


def _loaded(kind: type, settings: dict[str, Any], state: Any, wrong: str) -> torch.nn.Module:
    with torch.device("meta"):  # shapes without memory: what a damaged file asks for may be too much
        expected = {name: value.shape for name, value in kind(**settings).state_dict().items()}
    if not isinstance(state, dict) or state.keys() != expected.keys():
        raise InputError(wrong)
    if not all(is_plain(value, tuple(expected[name])) for name, value in state.items()):
        raise InputError(wrong)
    network = kind(**settings)
    network.load_state_dict(state)
    return network.eval()
