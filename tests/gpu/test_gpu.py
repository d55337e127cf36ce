"""What training on a GPU gives: the figures of the processor, and checkpoints that need no GPU."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers import QUICK, deviations_apart

from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.training import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")

GPU = QUICK.model_copy(update={"accelerator": "gpu"})
# of losses and distances: single precision, sums in another order
CLOSE = {"rel": 2e-3, "abs": 1e-4}


@pytest.fixture(scope="module")
def on_gpu(domains, tmp_path_factory):
    """The run of the fixture `trained`, on the GPU: (TrainingRun, its folder)."""
    torch.cuda.reset_peak_memory_stats()
    folder = tmp_path_factory.mktemp("gpu")
    run = train(*domains, folder, GPU, progress=False)
    assert torch.cuda.max_memory_allocated() > 0  # it was there
    return run, folder


@pytest.fixture(scope="module")
def on_cpu(domains, tmp_path_factory):
    """The same on the processor, whatever this machine's default is."""
    folder = tmp_path_factory.mktemp("cpu")
    return train(*domains, folder, QUICK.model_copy(update={"accelerator": "cpu"}), progress=False), folder


def assert_same(run, other) -> None:
    """Every figure of every epoch is that of the other run."""
    assert len(run.history) == len(other.history) == 1 + GPU.max_epochs
    for mine, theirs in zip(run.history, other.history, strict=True):
        assert mine == pytest.approx(theirs, **CLOSE)


def test_a_gpu_gives_the_figures_of_the_processor(on_gpu, on_cpu):
    assert_same(on_gpu[0], on_cpu[0])


def test_the_default_is_the_gpu(domains, tmp_path):
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.max_memory_allocated()
    train(*domains, tmp_path, QUICK.model_copy(update={"max_epochs": 1}), progress=False)
    assert torch.cuda.max_memory_allocated() > before


def test_its_translations_are_those_of_the_processor(on_gpu, on_cpu, domains):
    source = FeatureSet.load(domains[0]).features
    for choose in ("best", "last"):
        own = Translator.of_checkpoint(getattr(on_gpu[0], choose), "AB")
        other = Translator.of_checkpoint(getattr(on_cpu[0], choose), "AB")
        assert deviations_apart(own, own.translate(source), other.translate(source)) < 0.01


def test_its_checkpoint_is_exported_where_there_is_none(on_gpu, domains, tmp_path):
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "cyclegan_lib"]
    export = ["export", "--checkpoint", str(on_gpu[0].best), "--output-dir", str(tmp_path / "exported")]
    translate = ["translate", "--model", str(tmp_path / "exported"), "--direction", "AB"]
    translate += ["--input", str(domains[0]), "--output", str(tmp_path / "there.npz")]
    for arguments in (export, translate):
        done = subprocess.run([*command, *arguments], env=hidden, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    here = Translator.of_checkpoint(on_gpu[0].best, "AB").translate(FeatureSet.load(domains[0]).features)
    there = FeatureSet.load(tmp_path / "there.npz").features
    np.testing.assert_allclose(there, here, atol=0.01)  # dB


@pytest.mark.parametrize("then", ["gpu", "cpu"])
def test_a_run_goes_on_from_its_checkpoint(on_gpu, domains, tmp_path, then):
    train(*domains, tmp_path, GPU.model_copy(update={"max_epochs": 1}), progress=False)
    resumed = GPU.model_copy(update={"accelerator": then})
    assert_same(train(*domains, tmp_path, resumed, resume="auto", progress=False), on_gpu[0])


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one GPU here")
def test_two_gpus_share_the_restarts(on_gpu, domains, tmp_path):
    assert_same(train(*domains, tmp_path, GPU.model_copy(update={"devices": 2}), progress=False), on_gpu[0])
