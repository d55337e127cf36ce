"""ONNX and safetensors: one file each, the same numbers as torch."""

import itertools
import json
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch
from helpers import PROJECT, make_set

from cyclegan_lib.cli import main
from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator, export, formats
from cyclegan_lib.export.manifest import Manifest

GENERATORS = "generator_AB", "generator_BA"


def test_one_file_for_each_generator(everything):
    names = {path.name for path in everything.iterdir() if path.stem in GENERATORS}
    assert names == {f"{name}.{suffix}" for name in GENERATORS for suffix in ("pth", "onnx", "safetensors")}
    assert not list(everything.glob("*.data"))  # of ONNX, with the weights beside
    assert names < Manifest.load(everything).sha256.keys()
    card = (everything / "README.md").read_text()
    assert "raw dB in, raw dB out" in card and "| generator_AB.onnx |" in card


@pytest.mark.parametrize(("batch", "slices"), list(itertools.product((1, 7, 64), (50, 1, 173))))
@pytest.mark.parametrize("direction", ["AB", "BA"])
def test_onnx_takes_and_gives_raw_units_of_any_size(direction, batch, slices, everything):
    rng = np.random.default_rng(batch)
    x = (rng.normal(size=(batch, slices, 40)) * 8 - 35).astype(np.float32)
    translator = Translator.load(everything, direction)
    session = onnxruntime.InferenceSession(everything / f"generator_{direction}.onnx")
    (found,) = session.run(["translated"], {"features": x})
    z = torch.from_numpy(translator.normalizer.normalize(x, direction[0]))
    with torch.no_grad():
        y = translator.generator(z).numpy()
    mean, deviation = translator.normalizer.moments(direction[1])
    expected = y * deviation + mean
    assert found.shape == x.shape and found.dtype == np.float32
    assert np.abs(y - z.numpy()).max() > 0.5  # it does something
    assert np.abs((found - expected) / deviation).max() < 1e-4


def test_the_graph_names_its_axes_and_no_place_of_this_machine(everything):
    graph = onnx.load(everything / "generator_AB.onnx", load_external_data=False)
    (given,), (out,) = graph.graph.input, graph.graph.output
    axes = [axis.dim_param or axis.dim_value for axis in given.type.tensor_type.shape.dim]
    assert (given.name, out.name, axes) == ("features", "translated", ["batch", "slices", 40])
    content = (everything / "generator_AB.onnx").read_bytes()
    for part in (str(PROJECT), sys.prefix, "site-packages", ".py"):
        assert part.encode() not in content


def test_safetensors_hold_the_weights_of_the_pth(everything):
    for name in GENERATORS:
        expected = torch.load(everything / f"{name}.pth", weights_only=True)
        found = safetensors.torch.load_file(everything / f"{name}.safetensors")
        assert found.keys() == expected.keys()
        assert all(torch.equal(value, expected[key]) for key, value in found.items())


def test_the_same_checkpoint_gives_the_same_bytes(everything, far_checkpoint, tmp_path):
    again = {"inference_script": True, "formats": ["safetensors", "onnx"], "distilled": True}
    export(far_checkpoint, tmp_path / "again", **again)
    for path in everything.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_an_export_without_formats_removes_those_of_before(everything, far_checkpoint, tmp_path, capsys):
    given = ["export", "--checkpoint", str(far_checkpoint), "--output-dir", str(tmp_path / "model")]
    assert main([*given, "--formats", "safetensors, pth"]) == 0
    assert "generator_AB.safetensors" in capsys.readouterr().out
    assert main(given) == 0
    assert not list((tmp_path / "model").glob("*.safetensors"))
    assert "safetensors" not in json.dumps(Manifest.load(tmp_path / "model").sha256)


def test_unknown_formats_are_refused_before_anything_is_written(far_checkpoint, tmp_path, capsys):
    given = ["export", "--checkpoint", str(far_checkpoint), "--output-dir", str(tmp_path / "model")]
    assert main([*given, "--formats", "onnx,tflite"]) == 2
    assert "the format 'tflite' is unknown; give onnx or safetensors" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_a_package_that_is_missing_is_named(far_checkpoint, tmp_path):
    code = (
        "import sys; sys.modules['onnxruntime'] = None;"
        "from cyclegan_lib.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    given = ["--checkpoint", far_checkpoint, "--output-dir", tmp_path / "model", "--formats", "onnx"]
    done = subprocess.run([sys.executable, "-c", code, "export", *given], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "needs the package onnxruntime; install it with pip install 'cyclegan-lib[formats]'" in done.stderr
    assert not (tmp_path / "model").exists()


def test_onnx_that_differs_from_torch_is_never_written(far_checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "onnx_difference", lambda *given: 2e-4)
    with pytest.raises(InputError, match="differs from torch by 2.0e-04 standard deviations"):
        export(far_checkpoint, tmp_path / "model", formats="onnx")
    assert not list(tmp_path.glob("model*"))


def test_the_comparison_with_torch_finds_a_difference(everything, tmp_path):
    translator = Translator.load(everything, "AB")
    model = formats.RawUnits(translator.generator, translator.normalizer, "AB")
    assert formats.onnx_difference(model, everything / "generator_AB.onnx") < 1e-4
    with torch.no_grad():
        translator.generator.start_bias[0, 0, 7] += 0.01
    assert formats.onnx_difference(model, everything / "generator_AB.onnx") > 1e-4


def test_translating_needs_none_of_the_other_formats(everything, tmp_path):
    folder = shutil.copytree(everything, tmp_path / "model")
    for path in [*folder.glob("*.onnx"), *folder.glob("*.safetensors")]:
        path.unlink()
    x = make_set("cpc006", n=2)
    assert Translator.load(folder, "AB").translate_set(x).device == "BATCH_UPLOAD"
