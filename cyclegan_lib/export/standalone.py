"""The generator's own source, put together so that it runs beside its weights, without this library."""

import inspect

from cyclegan_lib.models import generator, layers

HEADER = '''"""The generator of this folder, taken from cyclegan_lib; needs torch and numpy only.

    config = json.load(open("model_config.json", encoding="utf-8"))
    generator = Generator(**config["generator_config"])
    generator.load_state_dict(torch.load("generator_AB.pth", weights_only=True))
    z_scores_b = generator.eval()(z_scores_a)  # (batch, slices, 40) both
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch
from torch import nn
from torch.nn import functional
'''


def generator_source() -> str:
    """The text of models.py: `Generator` and the layers that it is made of, the same code as here."""
    constants = [("FIRST_ITERATIONS", layers)]
    constants += [(name, generator) for name in ("MOST_LOG_GAIN", "MOST_Z", "STD_FLOOR")]
    values = "\n".join(f"{name} = {getattr(module, name)!r}" for name, module in constants)
    parts = (layers.MemberLinear, layers.leaky_stack, generator.Generator)
    return f"{HEADER}\n{values}\n\n\n" + "\n\n".join(inspect.getsource(part) for part in parts)
