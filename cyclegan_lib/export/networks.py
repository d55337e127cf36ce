"""Networks from their weights: those of a checkpoint, and those of an exported file."""

from pathlib import Path
from typing import Any

import torch

from cyclegan_lib.errors import InputError
from cyclegan_lib.models import Discriminator, Generator
from cyclegan_lib.models.checkpoint import network_settings, network_state
from cyclegan_lib.models.torch_file import is_plain, read_tensors


def build_network(content: dict[str, Any], name: str, where: str) -> torch.nn.Module:
    """Build one network of a checkpoint and load its weights.

    Raises
    ------
    InputError
        If the weights do not fit the settings.
    """
    kind = Generator if name.startswith("generator") else Discriminator
    settings = network_settings(content["hyper_parameters"]["settings"], name)
    wrong = f"{where}: the weights of {name} do not fit its settings; give a whole checkpoint"
    return _loaded(kind, settings, network_state(content, name), wrong)


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
