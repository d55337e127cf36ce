"""What must be true of a checkpoint's training state before training goes on from it.

Lightning and torch believe what is in one: a wrong type ends in a traceback long after the file was read, and
the names of earlier checkpoints in it are files to be copied and deleted.
"""

import math
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from cyclegan_lib.checkpoint.torch_file import is_plain
from cyclegan_lib.errors import shown

# of the settings of Adam those that are numbers, and how we set its switches
ADAM = {"lr": 0.0, "betas": (0.0, 0.0), "eps": 0.0, "weight_decay": 0.0, "foreach": True, "fused": None}
ADAM |= dict.fromkeys(
    ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay"), False
)
MOST = 2**53  # of any count
MOST_KEPT = 10_000
OURS = "ChooseCheckpoint"
# an epoch's own checkpoint: training copies and deletes what its record calls so, in its own folder
NAMED = re.compile(r"cyclegan-epoch=[0-9]{1,9}-val_cycle_A=[0-9]{1,20}\.[0-9]{4}(-v[0-9]{1,3})?\.ckpt")

Fail = Callable[[str], None]


def check_training_state(content: dict[str, Any], networks: dict[str, torch.nn.Module], fail: Fail) -> None:
    """Check optimizers, counts, history, kept checkpoints and random states.

    Parameters
    ----------
    content : dict
        A checkpoint.
    networks : dict
        The four networks, of which the shapes count.
    fail : callable
        Raises InputError with what is wrong.
    """
    for name in ("epoch", "global_step"):
        if not is_count(content.get(name)):
            fail(f"{name} is {shown(content.get(name))}")
    _check_optimizers(content.get("optimizer_states"), networks, fail)
    if content.get("lr_schedulers", []) != []:
        fail("it has learning-rate schedules")
    _check_loops(content.get("loops"), fail)
    _check_callbacks(content.get("callbacks"), fail)
    if content.get("random_states") is not None:
        _check_random_states(content["random_states"])


def _check_optimizers(states: Any, networks: dict[str, torch.nn.Module], fail: Fail) -> None:
    shapes = {
        kind: [
            tuple(value.shape)
            for name, network in networks.items()
            if name.startswith(kind)
            for value in network.parameters()
        ]
        for kind in ("generator", "discriminator")
    }
    if not isinstance(states, list) or len(states) != len(shapes):
        fail("it must have the state of two optimizers")
    for state, (kind, expected) in zip(states, shapes.items(), strict=True):
        groups = state["param_groups"]
        if len(groups) != 1 or list(groups[0]["params"]) != list(range(len(expected))):
            fail(f"the optimizer of the {kind}s must have one group of {len(expected)} tensors")
        for name, value in groups[0].items():
            if name != "params" and not _resembles(value, ADAM.get(name, ...)):
                fail(f"the optimizer of the {kind}s has {shown(name)} {shown(value)}")
        known = state["state"]
        if not isinstance(known, dict) or (known and set(known) != set(range(len(expected)))):
            fail(f"the optimizer of the {kind}s has no state for some tensors")
        for index, moments in known.items():
            fits = set(moments) == {"step", "exp_avg", "exp_avg_sq"}
            fits = fits and is_plain(moments["step"], ()) and 0 <= float(moments["step"]) < MOST
            if not fits or not all(is_plain(moments[n], expected[index]) for n in ("exp_avg", "exp_avg_sq")):
                fail(f"the optimizer of the {kind}s does not fit tensor {index}")
            if bool((moments["exp_avg_sq"] < 0).any()):
                fail(f"the optimizer of the {kind}s has a negative square for tensor {index}")


def _resembles(value: Any, usual: Any) -> bool:
    """Whether a setting of Adam is one that ours may have: switches as we set them, numbers in range."""
    if isinstance(usual, tuple):
        return type(value) is tuple and all(is_number(v) and 0 <= v < 1 for v in value) and len(value) == 2
    if isinstance(usual, float):
        return is_number(value) and value >= 0 and (type(value) is float or value < MOST)
    return value is usual


def _check_loops(loops: Any, fail: Fail) -> None:
    """How far training is: counts under the names that Lightning gives them."""
    if not isinstance(loops, dict) or not isinstance(loops.get("fit_loop"), dict):
        fail("it does not say how far it was trained")
    if loops["fit_loop"].get("state_dict") != {}:
        fail("it holds states of loaders")
    _check_counts(loops, 0, fail)
    for name, progress in loops["fit_loop"].items():
        if name.endswith(("batch_progress", "epoch_progress", "_step_progress", "scheduler_progress")):
            counts = {"ready", "completed"}
            if name.endswith(("batch_progress", "epoch_progress")):
                counts |= {"started", "processed"}
            if not all(counts == set(progress[part]) for part in ("total", "current")):
                fail(f"{shown(name)} lacks a count")
            if name.endswith("batch_progress") and type(progress["is_last_batch"]) is not bool:
                fail(f"{shown(name)} lacks a count")
    for name in ("epoch_progress", "epoch_loop.batch_progress", "epoch_loop.state_dict"):
        if name not in loops["fit_loop"]:
            fail(f"it lacks {name}")


def _check_counts(counts: dict, depth: int, fail: Fail) -> None:
    for name, value in counts.items():
        if not isinstance(name, str) or len(name) > 100 or depth > 6 or len(counts) > 50:
            fail("it does not say how far it was trained")
        if isinstance(value, dict):
            _check_counts(value, depth + 1, fail)
        elif type(value) is not bool and not is_count(value):
            fail(f"{name} is {shown(value)}")


def _check_callbacks(callbacks: Any, fail: Fail) -> None:
    if not isinstance(callbacks, dict) or not isinstance(callbacks.get(OURS), dict):
        fail("it lacks the history of its training")
    ours = callbacks[OURS]
    history, best = ours["history"], ours["best_epoch"]
    if not isinstance(history, list) or not 0 < len(history) < MOST:
        fail("it lacks the history of its training")
    for epoch, figures in enumerate(history):
        if not isinstance(figures, dict) or figures["epoch"] != epoch or "val_distance" not in figures:
            fail(f"its history lacks epoch {epoch}")
        if not all(type(name) is str and is_number(value) for name, value in figures.items()):
            fail(f"its history holds what is no finite number in epoch {epoch}")
    if not is_count(best) or best >= len(history) or not is_number(ours["best_distance"]):
        fail("its best epoch is not in its history")
    kept, dropped = ours.get("kept", {}), ours.get("dropped", [])
    if not isinstance(kept, dict) or not isinstance(dropped, list) or len(kept) + len(dropped) > MOST_KEPT:
        fail("its record of earlier checkpoints is damaged")
    for name in (*kept, *dropped):
        if type(name) is not str or not NAMED.fullmatch(name):
            fail(f"it names {shown(name)} as a checkpoint of its own")
    if not all(is_count(epoch) and epoch < len(history) for epoch in kept.values()):
        fail("its record of earlier checkpoints is damaged")
    if not isinstance(callbacks.get("Timer", {}), dict) or not all(
        is_number(seconds) and 0 <= seconds < MOST
        for seconds in callbacks.get("Timer", {}).get("time_elapsed", {}).values()
    ):
        fail("its training times are no numbers")


def _check_random_states(states: dict[str, Any]) -> None:
    """Give the states to generators that nobody uses: they raise if one cannot be."""
    version, internal, gauss = states["python"]
    random.Random().setstate((version, tuple(internal.tolist()), gauss))
    key, *rest = states["numpy"]
    np.random.RandomState().set_state(("MT19937", key.numpy().astype(np.uint32), *rest))
    torch.Generator().set_state(states["torch"])
    for state in states["cuda"]:
        if not is_plain(state, dtype=torch.uint8) or state.dim() != 1:
            raise ValueError("no random state")


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 0."""
    return type(value) is int and 0 <= value < MOST


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)
