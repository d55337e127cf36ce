"""The exported folder on a machine that has numpy and torch, or numpy and onnxruntime, and nothing else;
and the library on one that has what translating needs.

Such a machine is this environment with all other packages hidden; in the slow tests a fresh environment.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import numpy as np
import pytest
from helpers import PROJECT, deviations_apart, make_set
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sounds import drifting, write

from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.log_mel import slices_of

LIBRARY = ("cyclegan_lib", "pytorch_lightning", "pydantic", "sklearn", "scipy")
# to start Python with: what is hidden is for every finder of modules as if it were not installed
HIDING = """
import sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *more):
        return None if name.partition(".")[0] in {hidden!r} else self.finder.find_spec(name, *more)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(Hiding, sys.meta_path)
"""


def needed(*packages: str) -> set[str]:
    """The packages and all that they need here; the library, "cyclegan_lib", without its extras."""
    found, left = set(), [name for name in packages if name != "cyclegan_lib"]
    if "cyclegan_lib" in packages:
        pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
        left += [Requirement(text).name for text in pyproject["project"]["dependencies"]]
    while left:
        name = canonicalize_name(left.pop())
        if name not in found:
            found.add(name)
            wanted = map(Requirement, requires(name) or ())
            left += [r.name for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def with_only(kind: str, folder: Path, *packages: str) -> Callable[..., str]:
    """`alone`, where there are these packages only: with others "hidden", or in a "fresh" environment."""
    if kind == "hidden":
        kept = needed(*packages)
        there = packages_distributions().items()
        hidden = {module for module, names in there if kept.isdisjoint(map(canonicalize_name, names))}
        hidden |= {"cyclegan_lib"}
        hidden -= {"models", *packages}  # the library's `models` gives way to the one beside the script
        (folder / "sitecustomize.py").write_text(HIDING.replace("{hidden!r}", repr(hidden)), encoding="utf-8")
        return partial(alone, Path(sys.executable), [str(folder)])
    uv = [sys.executable, "-m", "uv", "--quiet"]
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    constraints = ["--constraints", PROJECT / "constraints.txt"]
    for command in (["venv", folder], ["pip", "install", "--python", python, *constraints, *packages]):
        done = subprocess.run([*uv, *command], capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
    return partial(alone, python, [])


def alone(python: Path, before: list[str], *arguments: str | Path, cwd: Path, path: str = "") -> str:
    """Run Python there without anything of this environment; what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([*before, *filter(None, [path])])}
    command = [str(part) for part in (python, *arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", env=kept)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


KINDS = ["hidden", pytest.param("fresh", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=KINDS)
def with_torch(request, tmp_path_factory) -> Callable[..., str]:
    return with_only(request.param, tmp_path_factory.mktemp("torch"), "torch", "numpy")


@pytest.fixture(scope="module", params=KINDS)
def with_onnxruntime(request, tmp_path_factory) -> Callable[..., str]:
    return with_only(request.param, tmp_path_factory.mktemp("onnxruntime"), "onnxruntime", "numpy")


@pytest.fixture
def place(everything, tmp_path) -> Path:
    """A folder that holds a copy of the exported one, and nothing else."""
    shutil.copytree(everything, tmp_path / "exported_models")
    return tmp_path


def importable(run: Callable[..., str], cwd: Path, *names: str) -> str:
    code = f"from importlib.util import find_spec; print(*[n for n in {names} if find_spec(n)])"
    return run("-c", code, cwd=cwd).strip()


def test_there_is_nothing_but_numpy_and_torch(with_torch, place):
    assert importable(with_torch, place, "numpy", "torch", "onnxruntime", *LIBRARY) == "numpy torch"


@pytest.mark.parametrize(("direction", "name"), [("AB", "in.npz"), ("BA", "in.npy")])
def test_the_script_translates_raw_units(direction, name, with_torch, place):
    source = make_set("cpc006" if direction == "AB" else "BATCH_UPLOAD", n=40, shift=5)
    translator = Translator.load(place / "exported_models", direction)
    expected = translator.translate_set(source)
    source.save(place / name) if name.endswith(".npz") else np.save(place / name, source.features)
    given = ["--input", name, "--output", f"out{Path(name).suffix}", "--direction", direction]
    said = with_torch(Path("exported_models", "inference_example.py"), *given, cwd=place)
    assert f"{translator.source} -> {translator.target}: (40, 50, 40) -> (40, 50, 40)" in said
    written = FeatureSet.load(place / f"out{Path(name).suffix}")
    assert np.abs(written.features - source.features).mean() > 1  # dB
    assert deviations_apart(translator, written.features, expected.features) < 1e-4
    if name.endswith(".npz"):  # what else is in it is passed on
        assert written.device == expected.device
        for column in ("recording", "start_s", "label"):
            np.testing.assert_array_equal(getattr(written, column), getattr(source, column))


def test_without_arguments_it_shows_itself_from_inside_and_from_outside(with_torch, place):
    inside = with_torch("inference_example.py", cwd=place / "exported_models")
    outside = with_torch(place / "exported_models" / "inference_example.py", cwd=Path("/"))
    assert inside == outside
    assert inside.startswith("cpc006 -> BATCH_UPLOAD: (1, 50, 40) -> (1, 50, 40)\n")
    example = np.load(place / "exported_models" / "example_A.npy")
    assert f"{example[..., :10].mean():7.1f}" in inside.splitlines()[2]


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


WHERE = ["inside", *(pytest.param(x, marks=pytest.mark.slow) for x in ("outside", "outside, on the path"))]


@pytest.mark.parametrize("where", WHERE)
def test_the_guides_method_2_typed_by_hand(where, with_torch, place):
    code, cwd, path = METHOD_2, place, ""
    if where == "inside":
        code, cwd = code.replace("exported_models/", ""), place / "exported_models"
    elif where == "outside":
        code = code.replace("from models", "from exported_models.models")
    else:
        path = "exported_models"
    z = np.random.default_rng(0).normal(size=(3, 50, 40)).astype(np.float32)
    np.save(cwd / "z.npy", z)
    said = with_torch("-c", code, cwd=cwd, path=path)
    assert said == "Converted: torch.Size([3, 50, 40]) -> torch.Size([3, 50, 40])\n"
    translator = Translator.load(place / "exported_models", "AB")
    expected = translator.translate(translator.normalizer.denormalize(z, "A"))
    converted = translator.normalizer.denormalize(np.load(cwd / "y.npy"), "B")
    assert deviations_apart(translator, converted, expected) < 1e-4


IN_ONNX = """
import numpy as np, onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
for name in ("AB", "BA"):
    path = f"exported_models/generator_{name}.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"features": np.load("x.npy")})
    np.save(name + ".npy", y)
"""


def test_onnx_needs_numpy_and_onnxruntime_only(with_onnxruntime, place):
    names = ("numpy", "onnxruntime", "torch", "onnx", *LIBRARY)
    assert importable(with_onnxruntime, place, *names) == "numpy onnxruntime"
    translators = {name: Translator.load(place / "exported_models", name) for name in ("AB", "BA")}
    for path in (place / "exported_models").glob("*.pth"):
        path.unlink()
    x = (np.random.default_rng(0).normal(size=(7, 173, 40)) * 8 - 35).astype(np.float32)
    np.save(place / "x.npy", x)
    with_onnxruntime("-c", IN_ONNX, cwd=place)
    for name, translator in translators.items():
        assert deviations_apart(translator, np.load(place / f"{name}.npy"), translator.translate(x)) < 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_features_of_sound_need_numpy_and_soundfile_only(kind, place, tmp_path_factory):
    run = with_only(kind, tmp_path_factory.mktemp("soundfile"), "numpy", "soundfile")
    names = ("numpy", "soundfile", "torch", "onnxruntime", *LIBRARY)
    assert importable(run, place, *names) == "numpy soundfile"
    sound = drifting(10)
    write(place / "heard.wav", sound, subtype="FLOAT")
    code = "import numpy as np; from features import extract; np.savez('x.npz', **extract('heard.wav'))"
    run("-c", code, cwd=place, path="exported_models")
    features = FeatureSet.load(place / "x.npz", least=1)
    expected = np.concatenate(list(slices_of([sound], features.settings)))
    assert features.device == "cpc006" and np.abs(features.features[0] - expected).max() < 0.05


WITHOUT_EXTRAS = """
import contextlib, io, sys
from cyclegan_lib.cli import main

given = ["--model", "exported_models", "--direction", "AB", "--input", "heard.wav", "--output", "out.npz"]
for command in (["translate", *given], ["train"], ["run"]):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(command)
    print(code, said.getvalue().splitlines()[-1] if code else "")
"""


@pytest.mark.slow
def test_the_library_translates_without_training_and_notebooks(place, tmp_path_factory):
    run = with_only("hidden", tmp_path_factory.mktemp("base"), "cyclegan_lib")
    extras = ("pytorch_lightning", "ot", "papermill", "nbformat", "IPython", "jupyter_client", "jupyterlab")
    assert importable(run, place, "torch", *extras) == "torch"
    write(place / "heard.wav", drifting(10))
    translated, train, notebooks = run("-c", WITHOUT_EXTRAS, cwd=place, path=str(PROJECT)).splitlines()
    assert translated == "0 " and len(FeatureSet.load(place / "out.npz", least=1)) == 1
    assert train.startswith("2 cyclegan: ") and train.endswith("pip install 'cyclegan-lib[train]'")
    assert notebooks.startswith("2 cyclegan: ") and notebooks.endswith(
        "pip install 'cyclegan-lib[notebooks]'"
    )
