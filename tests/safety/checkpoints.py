"""Checkpoints of which one value is wrong, as hypothesis strategies."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from hypothesis import strategies as st
from safety.mutations import ODD, Draw


def _endless() -> list:
    """Twenty lists that hold each other: a million values when written out, a thousand times over."""
    value: list = [0]
    for _ in range(20):
        value = [value] * 10
    return value


def _round() -> list:
    value: list = []
    value.append(value)
    return value


TENSORS: list[Callable[[torch.Tensor], Any]] = [
    lambda x: x * float("nan"),
    lambda x: x + float("inf"),
    lambda x: x.double(),
    lambda x: x.half(),
    lambda x: x.to(torch.int64),
    lambda x: x.to(torch.complex64),
    lambda x: x.flatten(),
    lambda x: x[None],
    lambda x: x[..., :0] if x.dim() else torch.zeros(0),
    lambda x: torch.zeros(1).expand(1 << 40),
    lambda x: torch.zeros(1).expand(x.shape),
    lambda x: x.to("meta"),
    lambda x: x.to_sparse() if x.dim() else x.reshape(1).to_sparse(),
    lambda x: torch.sparse_coo_tensor(torch.zeros(3, 1), torch.ones(1), (1 << 20, 1 << 20, 1 << 20)),
    lambda x: torch.quantize_per_tensor(x.float(), 0.1, 0, torch.qint8),
    lambda x: torch.nn.Parameter(x.float()),
    lambda x: x.tolist(),
    lambda x: x * 1e30,
    lambda x: -x,
    lambda x: x.flip(0) if x.dim() else -x,
    lambda x: None,
]
VALUES = [*ODD, 10**4000, _endless(), _round(), torch.zeros(3), torch.Size([1]), {1, 2}, b"x", bytearray(9)]
VALUES += ["/etc/passwd", "cyclegan-epoch=0-val_cycle_A=0.1000.ckpt", "../best.ckpt", 1 << 40, (0.5, 0.5)]
NAMES = ["x", 1, "where", "generator_AB.x", "_instantiator", "hparams", "hparams_type", "hparams_name"]


@st.composite
def checkpoint(draw: Draw, content: Any) -> Any:
    """`content` with one to three things changed or missing."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(_altered(content))
    return content


@st.composite
def _altered(draw: Draw, value: Any) -> Any:
    if torch.is_tensor(value):
        try:
            return draw(st.sampled_from(TENSORS))(value)
        except (RuntimeError, TypeError, ValueError, IndexError):  # some do not fit what was changed before
            return None
    if isinstance(value, dict) and value and draw(st.integers(0, 12)):
        key, how = draw(st.sampled_from(list(value))), draw(st.integers(0, 12))
        wrong = copy.copy(value)
        if how == 0:
            del wrong[key]
        elif how == 1:
            wrong[draw(st.sampled_from(NAMES))] = wrong[key]
        else:
            wrong[key] = draw(_altered(value[key]))
        return wrong
    if isinstance(value, list | tuple) and value and draw(st.integers(0, 12)):
        at = draw(st.integers(0, len(value) - 1))
        parts = list(value)
        parts[at : at + 1] = draw(st.sampled_from([[], parts[at : at + 1] * 2, [draw(_altered(parts[at]))]]))
        # no type(value): a torch.Size, changed once before, takes whole numbers alone
        return parts if isinstance(value, list) else tuple(parts)
    return draw(st.sampled_from(VALUES))
