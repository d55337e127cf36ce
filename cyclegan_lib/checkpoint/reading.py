"""Reading a checkpoint: is it ours, is it whole; and networks from weights, its own or exported ones."""

from pathlib import Path
from typing import Any

import torch

from cyclegan_lib.checkpoint.schema import check_checkpoint
from cyclegan_lib.checkpoint.torch_file import is_plain, read_tensors
from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.files import existing_file
from cyclegan_lib.models import AVERAGES, Generator, new_network

BEST, LAST = "best.ckpt", "cyclegan-last.ckpt"
FORMAT = 2  # of checkpoints and exports: 1 did not know what training had seen; what says none is of 0


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Load a training checkpoint, without running any code that may be in it, and check all that is in it.

    Returns Lightning's dictionary: `state_dict`, `hyper_parameters`, `optimizer_states`, `epoch`, … Raises
    InputError if the file is missing, damaged or not one of ours, or if something in it cannot be: a weight
    that is no number, statistics of another size, a path outside its own folder.
    """
    path = existing_file(path, "train first, or give the path of a .ckpt file that training wrote")
    content = read_tensors(path, "give a .ckpt file that training wrote")
    if not isinstance(content, dict) or not {"state_dict", "hyper_parameters"} <= content.keys():
        raise InputError(f"{path} is not a training checkpoint; give a .ckpt file that training wrote")
    check_format(content, path)
    hyper = content["hyper_parameters"]
    if not isinstance(hyper, dict) or not {"settings", "normalization"} <= hyper.keys():
        raise InputError(f"{path} was not written by cyclegan_lib; give a .ckpt file that training wrote")
    check_checkpoint(content, path)
    return content


def check_format(content: dict[str, Any], path: Path) -> None:
    """Raise InputError if a checkpoint or an export was written in a format that is not known yet.

    Older ones are read for good: what a later version adds has a default, which is what was done before.
    """
    number = content.get("format", 0)
    if type(number) is int and number > FORMAT:
        raise InputError(
            f"{path} was written by a newer version of cyclegan_lib (format {shown(number)}; this one reads"
            f" up to {FORMAT}); update cyclegan_lib"
        )
    if type(number) is not int or number < 0:
        raise InputError(f"{path} is damaged or was changed: format is {shown(number)}; give another")


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


def build_network(content: dict[str, Any], name: str) -> torch.nn.Module:
    """One network of a checkpoint that `read_checkpoint` has checked, with its weights."""
    network = new_network(content["hyper_parameters"]["settings"], name)
    network.load_state_dict(network_state(content, name))
    return network.eval()


def read_generator(path: Path, settings: dict[str, Any]) -> Generator:
    """Read an exported generator, without running any code that may be in the file.

    Raises InputError if the file is no plain state dict, or does not fit the settings.
    """
    state = read_tensors(path, "export again")
    with torch.device("meta"):  # shapes without memory: what a damaged file asks for may be too much
        shapes = {name: tuple(value.shape) for name, value in Generator(**settings).state_dict().items()}
    known = isinstance(state, dict) and state.keys() == shapes.keys()
    if not known or not all(is_plain(value, shapes[name]) for name, value in state.items()):
        raise InputError(f"{path} does not hold the generator that model_config.json describes; export again")
    generator = Generator(**settings)
    generator.load_state_dict(state)
    return generator.eval()
