"""The guide's commands, typed as they stand there; those that README.md repeats are in test_readme.py."""

import shutil
import subprocess
import sys

import pytest
from helpers import PROJECT


@pytest.fixture(scope="module")
def folder(domains, tmp_path_factory):
    """A project folder after `python scripts/train.py`, which needs no argument (here: a short run)."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(PROJECT / "scripts", folder / "scripts")
    (folder / "data").mkdir()
    for path in domains:
        shutil.copy(path, folder / "data" / path.name)
    done = typed(
        folder, "scripts/train.py", "--max-epochs", "2", "--steps-per-epoch", "2", "--batch-size", "4"
    )
    assert "best epoch" in done.stdout
    return folder


def typed(folder, *command) -> subprocess.CompletedProcess:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_training_writes_into_checkpoints(folder):
    assert {"best.ckpt", "cyclegan-last.ckpt", "normalization_params.json"} <= {
        path.name for path in (folder / "checkpoints").iterdir()
    }


def test_export_everything(folder):
    named = next((folder / "checkpoints").glob("cyclegan-epoch=*-val_cycle_A=0.????.ckpt"))
    done = typed(folder, "scripts/export_models.py", "--checkpoint", str(named), "--output-dir", "tmp")
    for name in ("generator_AB", "generator_BA", "discriminator_A", "discriminator_B"):
        line = next(line for line in done.stdout.splitlines() if line.startswith(name))
        assert " MB " in line
        assert line.endswith("parameters")
        assert (folder / "tmp" / f"{name}.pth").exists()


def test_looking_into_a_checkpoint(folder):
    code = "import torch; ckpt = torch.load('checkpoints/best.ckpt'); print(ckpt.keys())"
    done = typed(folder, "-c", code)
    for key in ("state_dict", "optimizer_states", "hyper_parameters"):
        assert key in done.stdout


def test_make_help_lists_the_targets():
    done = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True)
    for target in ("demo", "test", "test-slow", "lab", "notebooks", "env"):
        assert f"make {target} " in done.stdout
