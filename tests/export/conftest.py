"""Exports to translate with, and a checkpoint in which every part of the networks counts."""

import shutil
from pathlib import Path

import pytest
import torch

from cyclegan_lib.export import Translator


@pytest.fixture(scope="session")
def translator(exported) -> Translator:
    return Translator.load(exported, "AB")


@pytest.fixture
def model(exported, tmp_path) -> Path:
    """A copy of the exported folder that may be changed."""
    return shutil.copytree(exported, tmp_path / "model")


@pytest.fixture(scope="session")
def far_checkpoint(trained, tmp_path_factory) -> Path:
    """Weights far from their start, gains that vary, statistics that differ between the domains."""
    content = torch.load(trained[0].best, weights_only=True)
    generator = torch.Generator().manual_seed(0)
    for name, value in content["state_dict"].items():
        if name.startswith("average_") and value.is_floating_point():
            # what varies the gains is exponentiated: with more, rounding is blown up in torch itself
            value += (0.01 if "gain_" in name else 0.1) * torch.randn(value.shape, generator=generator)
    moments = content["hyper_parameters"]["normalization"]
    moments["mean_a"] = [value + 3 for value in moments["mean_a"]]
    moments["std_a"] = [value * 1.5 for value in moments["std_a"]]
    path = tmp_path_factory.mktemp("far") / "far.ckpt"
    torch.save(content, path)
    return path
