"""The guide's commands, typed as they stand there; those that the pages repeat are in test_pages.py.

The guide itself lies beside the project; where it does, every block of it is run.
"""

import contextlib
import io
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from helpers import GUIDE, PROJECT, run_script

QUICK = "--max-epochs 2 --steps-per-epoch 2 --batch-size 4"
# what `python` is in its shell blocks: this one, and training is short
SHELL = f"""set -e
python() {{ [ "$1" != scripts/train.py ] || set -- "$@" {QUICK}; '{sys.executable}' "$@"; }}
"""


@pytest.fixture(scope="module")
def folder(domains, tmp_path_factory):
    """A project folder after `python scripts/train.py`, which needs no argument (here: a short run)."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copy(PROJECT / "models.py", folder)
    shutil.copytree(PROJECT / "scripts", folder / "scripts")
    (folder / "data").mkdir()
    for path in domains:
        shutil.copy(path, folder / "data" / path.name)
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        run_script("scripts/train.py", *QUICK.split())
    assert "best epoch" in printed.getvalue()
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
    for target in ("demo", "test", "test-slow", "docs", "lab", "notebooks", "env"):
        assert f"make {target} " in done.stdout


METHODS = """
import sys
from models import Discriminator, Generator
assert "pytorch_lightning" not in sys.modules  # which inference does not need
from models import CycleGANModule
import cyclegan_lib.models as library
assert (CycleGANModule, Discriminator, Generator) == (
    library.CycleGANModule, library.Discriminator, library.Generator
)
features = __import__("torch").randn(1, 50, 40)
module = CycleGANModule.load_from_checkpoint("checkpoints/best.ckpt")
print(tuple(module.convert_B_to_A(module.convert_A_to_B(features)).shape))
"""


@pytest.mark.slow
def test_the_guide_s_module_is_the_library_s_and_is_installed_with_it(folder):
    assert typed(folder, "-c", METHODS) == "(1, 50, 40)\n"
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["py-modules"] == ["models"]


@pytest.mark.slow
@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not there: ../shared beside the project")
def test_every_block_of_the_guide_runs_as_it_stands_there(folder):
    # what it takes as examples of a checkpoint's name
    text = re.sub(r"cyclegan-epoch=50\.ckpt|xxx\.ckpt", "best.ckpt", GUIDE.read_text(encoding="utf-8"))
    blocks = re.findall(r"^```(bash|python)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [language for language, _ in blocks].count("python") == 2 and len(blocks) > 4
    for language, block in blocks:
        if language == "bash":
            command = ["bash", "-c", SHELL + block]
            done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
            assert done.returncode == 0, (block, done.stderr)
    # the third method goes on from the second
    python = "".join(block for language, block in blocks if language == "python")
    printed = typed(folder, "-c", python + "print(features_A_reconstructed.shape)")
    size = "torch.Size([1, 50, 40])"
    assert printed == f"Converted: {size} -> {size}\n{size}\n"
