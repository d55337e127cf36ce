"""The exported folder on a machine that has numpy and torch, or numpy and onnxruntime, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import numpy as np
import pytest
from helpers import PROJECT, make_set

from cyclegan_lib.export import Translator, export
from cyclegan_lib.features import FeatureSet

LIBRARY = ("cyclegan_lib", "pytorch_lightning", "pydantic", "sklearn", "scipy")


def environment(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with these packages alone, as constraints.txt has them; its python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    for package in packages:  # torch first and alone, as the Makefile has it
        constraints = ["-c", str(PROJECT / "constraints.txt")]
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints]
        done = subprocess.run([*command, package], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return python


@pytest.fixture(scope="module")
def with_torch(tmp_path_factory) -> Path:
    return environment(tmp_path_factory.mktemp("torch"), "torch", "numpy")


@pytest.fixture(scope="module")
def with_onnxruntime(tmp_path_factory) -> Path:
    return environment(tmp_path_factory.mktemp("onnxruntime"), "onnxruntime", "numpy")


@pytest.fixture(scope="module")
def model(far_checkpoint, tmp_path_factory) -> Path:
    """The folder as a user gets it."""
    folder = tmp_path_factory.mktemp("made") / "exported_models"
    export(far_checkpoint, folder, discriminators=False, inference_script=True, formats="onnx")
    return folder


@pytest.fixture
def place(model, tmp_path) -> Path:
    """A folder that holds a copy of the exported one, and nothing else."""
    shutil.copytree(model, tmp_path / "exported_models")
    return tmp_path


def alone(python: Path, *arguments: str | Path, cwd: Path, **more: str) -> str:
    """Run Python there without anything of this environment; what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept |= {"OMP_NUM_THREADS": "1", **more}
    command = [str(part) for part in (python, *arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=kept)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def importable(python: Path, cwd: Path, names: tuple[str, ...]) -> list[str]:
    code = f"from importlib.util import find_spec; print([n for n in {names} if find_spec(n)])"
    return eval(alone(python, "-c", code, cwd=cwd))


def test_there_is_nothing_but_numpy_and_torch(with_torch, place):
    assert importable(with_torch, place, ("numpy", "torch", "onnxruntime", *LIBRARY)) == ["numpy", "torch"]


@pytest.mark.parametrize("direction", ["AB", "BA"])
@pytest.mark.parametrize("name", ["in.npz", "in.npy"])
def test_the_script_translates_raw_units(direction, name, with_torch, place):
    source = make_set("cpc006" if direction == "AB" else "BATCH_UPLOAD", n=40, shift=5)
    translator = Translator.load(place / "exported_models", direction)
    expected = translator.translate_set(source)
    if name.endswith(".npz"):
        source.save(place / name)
    else:
        np.save(place / name, source.features)
    given = ["--input", name, "--output", f"out{Path(name).suffix}", "--direction", direction]
    said = alone(with_torch, Path("exported_models", "inference_example.py"), *given, cwd=place)
    assert f"{translator.source} -> {translator.target}: (40, 50, 40) -> (40, 50, 40)" in said
    if name.endswith(".npz"):
        written = FeatureSet.load(place / "out.npz")
        assert written.device == expected.device
        for column in ("recording", "start_s", "label"):
            np.testing.assert_array_equal(getattr(written, column), getattr(expected, column))
        found = written.features
    else:
        found = np.load(place / "out.npy")
    deviation = getattr(translator.normalizer, f"std_{direction[1].lower()}")
    assert np.abs(found - source.features).mean() > 1  # dB
    assert (np.abs(found - expected.features) / deviation).max() < 1e-4


def test_without_arguments_it_shows_itself_from_inside_and_from_outside(with_torch, place, tmp_path):
    inside = alone(with_torch, "inference_example.py", cwd=place / "exported_models")
    outside = alone(with_torch, place / "exported_models" / "inference_example.py", cwd=Path("/"))
    assert inside == outside
    assert inside.startswith("cpc006 -> BATCH_UPLOAD: (1, 50, 40) -> (1, 50, 40)\n")
    example = np.load(place / "exported_models" / "example_A.npy")
    level = example[..., :10].mean()
    assert f"{level:7.1f}" in inside.splitlines()[2]


# The guide's method 2, as it stands there; before it, where models is.
METHOD_2 = """
    import torch
    import numpy as np
    import json
    from models import Generator

    with open('exported_models/model_config.json', 'r') as f:
        config = json.load(f)

    generator_AB = Generator(**config['generator_config'])

    state_dict = torch.load('exported_models/generator_AB.pth')
    generator_AB.load_state_dict(state_dict)
    generator_AB.eval()

    features_A = torch.from_numpy(np.load('z.npy'))
    with torch.no_grad():
        features_B = generator_AB(features_A)

    print(f"Converted: {features_A.shape} -> {features_B.shape}")
    np.save('y.npy', features_B.numpy())
"""


@pytest.mark.parametrize("where", ["inside", "outside", "outside, on the path"])
def test_the_guides_method_2_typed_by_hand(where, with_torch, place):
    code, cwd, more = textwrap.dedent(METHOD_2), place, {}
    if where == "inside":
        code, cwd = code.replace("exported_models/", ""), place / "exported_models"
    elif where == "outside":
        code = code.replace("from models", "from exported_models.models")
    else:
        more = {"PYTHONPATH": "exported_models"}
    z = np.random.default_rng(0).normal(size=(3, 50, 40)).astype(np.float32)
    np.save(cwd / "z.npy", z)
    said = alone(with_torch, "-c", code, cwd=cwd, **more)
    assert said == "Converted: torch.Size([3, 50, 40]) -> torch.Size([3, 50, 40])\n"
    translator = Translator.load(place / "exported_models", "AB")
    expected = translator.translate(translator.normalizer.denormalize(z, "A"))
    found = translator.normalizer.denormalize(np.load(cwd / "y.npy"), "B")
    assert (np.abs(found - expected) / translator.normalizer.std_b).max() < 1e-4


IN_ONNX = """
import json, sys
import numpy as np, onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
for direction in ("AB", "BA"):
    path = f"exported_models/generator_{direction}.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for batch in (1, 7, 64):
        for slices in (50, 1, 173):
            name = f"{direction}-{batch}-{slices}.npy"
            (y,) = session.run(None, {"features": np.load(name)})
            np.save("y-" + name, y)
"""


def test_onnx_needs_numpy_and_onnxruntime_only(with_onnxruntime, place):
    names = ("numpy", "onnxruntime", "torch", "onnx", *LIBRARY)
    assert importable(with_onnxruntime, place, names) == ["numpy", "onnxruntime"]
    (place / "exported_models" / "generator_AB.pth").rename(place / "weights.pth")
    rng = np.random.default_rng(0)
    inputs = {
        f"{direction}-{batch}-{slices}.npy": (rng.normal(size=(batch, slices, 40)) * 8 - 35)
        for direction in ("AB", "BA")
        for batch in (1, 7, 64)
        for slices in (50, 1, 173)
    }
    for name, x in inputs.items():
        np.save(place / name, x.astype(np.float32))
    alone(with_onnxruntime, "-c", IN_ONNX, cwd=place)
    (place / "weights.pth").rename(place / "exported_models" / "generator_AB.pth")
    for name in inputs:
        translator = Translator.load(place / "exported_models", name[:2])
        expected = translator.translate(np.load(place / name))
        deviation = getattr(translator.normalizer, f"std_{name[1].lower()}")
        assert (np.abs(np.load(place / f"y-{name}") - expected) / deviation).max() < 1e-4


def test_the_configuration_is_plain_json(model):
    assert json.loads((model / "model_config.json").read_text())["discriminator_config"]["input_dim"] == 40
