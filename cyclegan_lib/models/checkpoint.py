"""Reading a checkpoint: is it ours, is it whole, what does it hold."""

from pathlib import Path
from typing import Any

import torch

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file
from cyclegan_lib.models.checkpoint_checks import check_checkpoint
from cyclegan_lib.models.torch_file import read_tensors

BEST, LAST = "best.ckpt", "cyclegan-last.ckpt"
# the networks of a checkpoint, under the names the guide gives them
NETWORKS = ("generator_AB", "generator_BA", "discriminator_A", "discriminator_B")
# the generators that are used and exported: averages of the trained ones over the last steps
AVERAGES = {"generator_AB": "average_AB.module", "generator_BA": "average_BA.module"}


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
    check_checkpoint(checkpoint, path, network_settings)
    return checkpoint


def network_state(checkpoint: dict[str, Any], name: str) -> dict[str, torch.Tensor]:
    """The weights of one network as it is used: the average, where there is one."""
    prefix = AVERAGES.get(name, name) + "."
    return {
        key.removeprefix(prefix): value
        for key, value in checkpoint["state_dict"].items()
        if key.startswith(prefix)
    }


def network_settings(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """What the network called `name` is built with: its own settings, and the number of restarts."""
    kind = "generator" if name.startswith("generator") else "discriminator"
    return {**settings[kind], "members": settings["restarts"]}
