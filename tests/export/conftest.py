"""Exports to translate with, and a checkpoint in which every part of the networks counts."""

import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import FORMATS, succeed

from cyclegan_lib.export import Translator


@pytest.fixture(scope="session")
def translator(exported) -> Translator:
    return Translator.load(exported, "AB")


@pytest.fixture
def model(exported, tmp_path) -> Path:
    """A copy of the exported folder that may be changed."""
    return shutil.copytree(exported, tmp_path / "model")


@pytest.fixture
def script_of(monkeypatch) -> Callable[[Path], dict]:
    """What a folder's inference_example.py defines; run here, because importing torch again takes seconds."""

    def load(folder: Path) -> dict:
        with monkeypatch.context() as patch:
            patch.syspath_prepend(folder)
            patch.delitem(sys.modules, "models", raising=False)  # models.py beside the script
            patch.setattr(sys, "dont_write_bytecode", True)  # into the folder, which tests share
            code = runpy.run_path(str(folder / "inference_example.py"))
            del sys.modules["models"]
        return code

    return load


@pytest.fixture
def run_script(script_of, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Run a folder's inference_example.py with arguments: its exit code, output and errors."""

    def run(folder: Path, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["inference_example.py", *map(str, arguments)])
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        capsys.readouterr()
        monkeypatch.syspath_prepend(folder)
        try:
            code = script_of(folder)["main"]() or 0
        except SystemExit as end:
            code = end.code
        finally:
            sys.modules.pop("features", None)  # features.py beside the script
        return code, *capsys.readouterr()

    return run


LIMITED = """
import resource, sys
from cyclegan_lib.cli import main
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def on_a_full_disk() -> Callable[..., str]:
    """Run a command that must fail in one sentence: a limit for the size of files, in bytes, stands for the
    end of the disk."""
    pytest.importorskip("resource")  # which Windows has not

    def run(limit: int, *command: object) -> str:
        given = [sys.executable, "-c", LIMITED, *map(str, (limit, *command))]
        done = subprocess.run(given, capture_output=True, encoding="utf-8")
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
        return done.stderr.splitlines()[-1]

    return run


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


@pytest.fixture
def copied(everything, tmp_path) -> Path:
    """A copy of the export with everything that may be changed."""
    return shutil.copytree(everything, tmp_path / "copied")


@pytest.fixture(scope="session")
def everything(far_checkpoint, tmp_path_factory) -> Path:
    """An export of that checkpoint with all that there is, where what is distilled need not be near.

    --int8 brings along what is distilled, and ONNX.
    """
    folder = tmp_path_factory.mktemp("everything") / "exported_models"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cyclegan_lib.export.distillation.STEPS", 200)
        given = ["--checkpoint", far_checkpoint, "--output-dir", folder, "--create-inference-script"]
        succeed("export", *given, "--formats", ",".join(FORMATS), "--int8")
    return folder
