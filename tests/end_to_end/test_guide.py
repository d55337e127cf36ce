"""The guide's commands, typed as they stand there; those that README.md repeats are in test_readme.py."""

import re
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
    quick = "--max-epochs 2 --steps-per-epoch 2 --batch-size 4".split()
    assert "best epoch" in typed(folder, "scripts/train.py", *quick)
    return folder


def typed(folder, *command) -> str:
    """What Python prints on a command."""
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_writes_into_checkpoints(folder):
    written = {path.name for path in (folder / "checkpoints").iterdir()}
    assert written >= {"best.ckpt", "cyclegan-last.ckpt", "normalization_params.json"}


def test_export_everything(folder):
    named = next((folder / "checkpoints").glob("cyclegan-epoch=*-val_cycle_A=0.????.ckpt"))
    printed = typed(folder, "scripts/export_models.py", "--checkpoint", str(named), "--output-dir", "tmp")
    for name in ("generator_AB", "generator_BA", "discriminator_A", "discriminator_B"):
        assert re.search(rf"^{name}.* MB .*parameters$", printed, re.MULTILINE)
        assert (folder / "tmp" / f"{name}.pth").exists()


def test_looking_into_a_checkpoint(folder):
    code = "import torch; ckpt = torch.load('checkpoints/best.ckpt'); print(ckpt.keys())"
    printed = typed(folder, "-c", code)
    assert all(key in printed for key in ("state_dict", "optimizer_states", "hyper_parameters"))


def test_make_help_lists_the_targets():
    done = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, encoding="utf-8", check=True)
    for target in ("demo", "test", "test-slow", "lab", "notebooks", "env"):
        assert f"make {target} " in done.stdout
