"""What a checkpoint's schema cannot say: shapes of tensors, and Lightning's counts.

Each raises ValueError that says what cannot be, or whatever values of any type raise.
"""

from typing import Any

import torch

from cyclegan_lib.checkpoint.torch_file import is_plain
from cyclegan_lib.config import N_FEATURES, TrainingSettings
from cyclegan_lib.errors import shown
from cyclegan_lib.models import AVERAGES, NETWORKS, new_network

MAX_COUNT = 2**53
MAX_LOOP_NAMES, MAX_LOOP_DEPTH = 50, 6  # of Lightning's counts
AVERAGED = {"average_AB.n_averaged", "average_BA.n_averaged"}

Networks = dict[str, torch.nn.Module]


def networks(settings: TrainingSettings) -> Networks:
    """The four networks without memory for their weights: what a damaged file asks for may be too much."""
    if {settings.generator.input_dim, settings.discriminator.input_dim} != {N_FEATURES}:
        raise ValueError(f"its networks are not for {N_FEATURES} features")
    with torch.device("meta"):
        return {name: new_network(settings.model_dump(), name) for name in NETWORKS}


def check_weights(state: dict[str, Any], networks: Networks) -> None:
    """All weights of the networks and of the averages, finite and of their shapes; and no others."""
    shapes = {
        f"{prefix}.{key}": tuple(value.shape)
        for name, network in networks.items()
        for prefix in {name, AVERAGES.get(name, name)}
        for key, value in network.state_dict().items()
    }
    for key, shape in shapes.items():
        if not is_plain(state.get(key), shape):
            name = key.split(".")[0]
            raise ValueError(f"the weights of {name} do not fit its settings, or are no numbers ({key})")
    for key in AVERAGED:
        if not is_plain(state.get(key), (), torch.int64) or not 0 <= int(state[key]) < MAX_COUNT:
            raise ValueError(f"{key} is no count")
    for key in state.keys() - shapes.keys() - AVERAGED:
        raise ValueError(f"it has weights of no network ({shown(key)})")


def check_optimizers(optimizers: list[Any], networks: Networks) -> None:
    """What Adam knows of each weight of the generators, and of the discriminators."""
    for kind, optimizer in zip(("generator", "discriminator"), optimizers, strict=True):
        own = [network for name, network in networks.items() if name.startswith(kind)]
        shapes = [tuple(weights.shape) for network in own for weights in network.parameters()]
        every = list(range(len(shapes)))
        if optimizer.state and sorted(optimizer.state) != every:
            raise ValueError(f"the optimizer of the {kind}s has no state for some tensors")
        if optimizer.param_groups[0].params != every:
            raise ValueError(f"the optimizer of the {kind}s must have one group of {len(shapes)} tensors")
        for index, adam in optimizer.state.items():
            fits = all(is_plain(moment, shapes[index]) for moment in (adam.exp_avg, adam.exp_avg_sq))
            if not fits or (adam.exp_avg_sq < 0).any():
                raise ValueError(f"the optimizer of the {kind}s does not fit tensor {index}")


def check_loops(loops: dict[str, Any]) -> None:
    """How far training is: counts under the names that Lightning gives them."""
    _check_counts(loops)
    fit = loops["fit_loop"]
    if fit["state_dict"] != {} or not isinstance(fit["epoch_loop.state_dict"], dict):
        raise ValueError("loops.fit_loop holds states of loaders")
    if not {"epoch_progress", "epoch_loop.batch_progress"} <= fit.keys():
        raise ValueError("loops.fit_loop does not say how far training is")
    for name, progress in fit.items():
        counts = {"ready", "completed"}
        if name.endswith(("batch_progress", "epoch_progress")):
            counts |= {"started", "processed"}
        elif not name.endswith(("_step_progress", "scheduler_progress")):
            continue
        whole = all(progress[part].keys() == counts for part in ("total", "current"))
        if not whole or (name.endswith("batch_progress") and type(progress["is_last_batch"]) is not bool):
            raise ValueError(f"loops.fit_loop.{name} lacks a count")


def _check_counts(counts: dict, depth: int = 0) -> None:
    if len(counts) > MAX_LOOP_NAMES or depth > MAX_LOOP_DEPTH:
        raise ValueError("loops holds more than counts")
    for name, value in counts.items():
        if isinstance(value, dict):
            _check_counts(value, depth + 1)
        elif type(value) is not bool and (type(value) is not int or not 0 <= value < MAX_COUNT):
            raise ValueError(f"{shown(name)} in loops is {shown(value)}")
