"""What several tests build their inputs with, and how they call the command."""

import runpy
import sys
from pathlib import Path

import numpy as np

from cyclegan_lib.cli import main
from cyclegan_lib.config import DiscriminatorSettings, FeatureSettings, GeneratorSettings, TrainingSettings
from cyclegan_lib.features import FeatureSet

PROJECT = Path(__file__).resolve().parents[1]
CWRU = PROJECT.parent / "shared" / "data" / "cwru"
GUIDE = PROJECT.parent / "shared" / "model-export-guide.zh.md"
FAULTS = ("normal", "ball", "inner_race", "outer_race")

# what an export can have beside ONNX; edge designs filters, for which Wine lacks C functions
FORMATS = ["safetensors"] if sys.platform == "win32" else ["safetensors", "edge"]

# settings of features other than the usual ones
EXTRACTED = [
    {},
    {"sample_rate": 44100, "f_min": 30, "f_stop": 5},
    {"sample_rate": 8000, "f_stop": 0},
    {"f_min": 100, "f_stop": 20},  # a filter of odd order
    {"scale": 0.01},
    {"slice_s": 0.5},
    {"slice_s": 0.3, "slice_hop_s": 0.6, "window_s": 0.032},
]


def make_set(device: str, n: int = 12, seed: int = 0, shift: float = 0.0, **settings) -> FeatureSet:
    """`n` sequences of correlated Gaussian features around -40 dB + `shift`, one recording each."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(40, 40)) / 4
    features = rng.normal(size=(n, 50, 40)) @ mixing * 5 - 40 + shift + rng.normal(size=(n, 1, 1))
    return FeatureSet(
        features=features.astype(np.float32),
        recording=np.array([f"{device}-{i:03d}" for i in range(n)]),
        start_s=np.zeros(n),
        device=device,
        settings=FeatureSettings(**settings),
        label=np.array([FAULTS[i % 4] for i in range(n)]),
    )


# two restarts of small networks, a few steps
QUICK = TrainingSettings(
    max_epochs=2,
    steps_per_epoch=3,
    batch_size=4,
    restarts=2,
    generator=GeneratorSettings(hidden_dim=8),
    discriminator=DiscriminatorSettings(hidden_dim=8),
)


# the same for the command, one restart of one step
QUICK_OPTIONS = "--accelerator cpu --steps-per-epoch 1 --batch-size 4 --restarts 1 --max-epochs 1".split()
QUICK_OPTIONS += "--generator-hidden-dim 8 --discriminator-hidden-dim 8".split()


def succeed(*command: object) -> None:
    assert main([str(part) for part in command]) == 0


def done(capture, *command: object) -> str:
    """Run the command, see it succeed and print nothing that a terminal would obey; return what it prints."""
    assert main([str(part) for part in command]) == 0, capture.readouterr().err
    out, error = capture.readouterr()
    assert all(letter.isprintable() or letter in "\n\r" for letter in out), repr(out)
    assert "Traceback" not in error
    return out


def refusal(capture, *command: object) -> str:
    """Run the command, see it refuse with exit code 2, and return its one sentence."""
    capture.readouterr()
    assert main([str(part) for part in command]) == 2
    error = capture.readouterr().err
    lines = [line for line in error.split("\n") if line.startswith("cyclegan: ")]
    assert len(lines) == 1 and lines[0].isprintable(), error
    assert not any(words in error for words in ("Traceback", "Exception ignored", "terminate called")), error
    return lines[0]


def deviations_apart(translator, x: np.ndarray, y: np.ndarray) -> float:
    """How far two translations are apart at most, in standard deviations of the target."""
    return float(np.abs((x - y) / translator.normalizer.moments(translator.direction[1])[1]).max())


def run_script(script: str | Path, *arguments: str) -> None:
    """What `python script` does, without the seconds of a new process."""
    script, before, writes = Path(script).absolute(), (sys.argv, list(sys.path)), sys.dont_write_bytecode
    sys.argv, sys.path[:0], sys.dont_write_bytecode = [str(script), *arguments], [str(script.parent)], True
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.modules.pop("models", None)  # which lies beside the exported script
        sys.argv, sys.path[:] = before
        sys.dont_write_bytecode = writes


def write_notebook(path: Path, *sources: str) -> Path:
    """A notebook of code cells, the first of which declares its parameters."""
    import nbformat  # which takes a second: pools' processes import this file, too
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell(source) for source in sources]
    cells[0].metadata.tags = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def train_command(domains: tuple[Path, Path], folder: Path, **options) -> list[str]:
    """`cyclegan train` of the smallest networks, four epochs of two steps, for `main`."""
    options = {
        "domain-a": domains[0],
        "domain-b": domains[1],
        "checkpoint-dir": folder,
        "max-epochs": 4,
        "steps-per-epoch": 2,
        "batch-size": 4,
        "restarts": 1,
        "generator-hidden-dim": 8,
        "discriminator-hidden-dim": 8,
        "accelerator": "cpu",
        "resume": "auto",
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return ["train", *(str(part) for name, value in options.items() for part in (f"--{name}", value))]


# the rows of an evaluation, in their order
ROWS = [
    "real BATCH_UPLOAD",
    "own labels of cpc006",
    "identity",
    "mean shift",
    "per-feature affine",
    "quantile mapping",
    "CORAL",
    "Gaussian OT",
    "CycleGAN",
]
