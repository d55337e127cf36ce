"""The random generators' states as plain types and tensors, which load with ``weights_only=True``.

Batches follow from the seed and the epoch alone, the loaders draw from generators of their own, and there is
no replay pool: training itself draws nothing from these. They travel in a checkpoint all the same, so that
whatever a callback draws goes on as well.
"""

import random
from typing import Any

import numpy as np
import torch

from cyclegan_lib.checkpoint.torch_file import is_plain


def random_states() -> dict[str, Any]:
    """The states of Python's, NumPy's and PyTorch's global generators, and of the GPUs that are in use."""
    version, internal, gauss = random.getstate()
    _, key, position, has_gauss, cached = np.random.get_state()
    return {
        "python": [version, torch.tensor(internal), gauss],
        "numpy": [torch.from_numpy(key.astype(np.int64)), int(position), int(has_gauss), float(cached)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Set the generators to what `random_states` returned."""
    _set(states, random, np.random)
    torch.set_rng_state(states["torch"].cpu())
    if torch.cuda.is_initialized() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([state.cpu() for state in states["cuda"]])


def try_random_states(states: dict[str, Any]) -> None:
    """Give the states to generators that nobody uses; raises ValueError if one of them cannot be."""
    try:
        _set(states, random.Random(), np.random.RandomState())
        torch.Generator().set_state(states["torch"])
        if not all(is_plain(state, dtype=torch.uint8) and state.dim() == 1 for state in states["cuda"]):
            raise ValueError("no state of a GPU")
    except Exception as error:  # whatever the generators raise
        raise ValueError("random_states are of no generator") from error


def _set(states: dict[str, Any], python: Any, numpy: Any) -> None:
    version, internal, gauss = states["python"]
    python.setstate((version, tuple(internal.tolist()), gauss))
    key, *rest = states["numpy"]
    numpy.set_state(("MT19937", key.numpy().astype(np.uint32), *rest))
