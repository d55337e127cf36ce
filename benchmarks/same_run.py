"""Are two training runs' folders the same to the last bit?"""

from pathlib import Path
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cyclegan_lib.training import checkpoints

# how long training took, and how long it was asked for when an epoch was written
BESIDES = ("callbacks/Timer", "hyper_parameters/settings/max_epochs")


def unequal(one: Path, other: Path) -> list[str]:
    """In what two runs' folders differ: names, checkpoints (all but `BESIDES`), metrics, events."""
    names = [sorted(path.name for path in folder.iterdir()) for folder in (one, other)]
    if names[0] != names[1]:
        return [f"files {names[0]} and {names[1]}"]
    found = []
    for path in checkpoints.checkpoints_in(one):
        both = (torch.load(folder / path.name, weights_only=True) for folder in (one, other))
        found += [f"{path.name}: {line}" for line in differences(*both)]
    if (one / checkpoints.METRICS_CSV).read_bytes() != (other / checkpoints.METRICS_CSV).read_bytes():
        found.append("metrics.csv differs")
    if scalars(one) != scalars(other):
        found.append("TensorBoard's scalars differ")
    return found


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two checkpoints differ, tensor by tensor and value by value, to the last bit."""
    if where in BESIDES:
        return []
    if type(one) is not type(other):
        return [f"{where}: {type(one).__name__} and {type(other).__name__}"]
    if isinstance(one, torch.Tensor):
        same = one.dtype == other.dtype and torch.equal(one, other)
        return [] if same else [f"{where}: tensors differ"]
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return [f"{where}: keys {sorted(map(str, one))} and {sorted(map(str, other))}"]
        inner = [(f"{where}/{name}".lstrip("/"), one[name], other[name]) for name in one]
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            return [f"{where}: {len(one)} and {len(other)} entries"]
        inner = [(f"{where}/{i}", *both) for i, both in enumerate(zip(one, other, strict=True))]
    else:
        return [] if one == other else [f"{where}: {one} and {other}"]
    return [line for name, its, others in inner for line in differences(its, others, name)]


def scalars(run: Path) -> dict[str, set[tuple[int, float]]]:
    """Each logged figure's steps and values, as TensorBoard shows them."""
    events = EventAccumulator(str(run / checkpoints.LOGS), size_guidance={"scalars": 0}).Reload()
    return {tag: {(e.step, e.value) for e in events.Scalars(tag)} for tag in events.Tags()["scalars"]}
