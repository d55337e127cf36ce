"""ONNX and safetensors: one file each, the same numbers as torch."""

import itertools
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch
from helpers import FORMATS, PROJECT, deviations_apart, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator, export, exporter, formats


@pytest.mark.parametrize(("batch", "slices"), list(itertools.product((1, 7, 64), (50, 1, 173))))
@pytest.mark.parametrize("direction", ["AB", "BA"])
def test_onnx_takes_and_gives_raw_units_of_any_size(direction, batch, slices, everything):
    rng = np.random.default_rng(batch)
    x = (rng.normal(size=(batch, slices, 40)) * 8 - 35).astype(np.float32)
    translator = Translator.load(everything, direction)
    session = onnxruntime.InferenceSession(everything / f"generator_{direction}.onnx")
    (translated,) = session.run(["translated"], {"features": x})
    assert translated.shape == x.shape and translated.dtype == np.float32
    assert deviations_apart(translator, translated, x) > 0.5  # it does something
    assert deviations_apart(translator, translated, translator.translate(x)) < 1e-4


def test_the_graph_names_its_axes_and_no_place_of_this_machine(everything):
    graph = onnx.load(everything / "generator_AB.onnx", load_external_data=False)
    (given,), (out,) = graph.graph.input, graph.graph.output
    axes = [axis.dim_param or axis.dim_value for axis in given.type.tensor_type.shape.dim]
    assert (given.name, out.name, axes) == ("features", "translated", ["batch", "slices", 40])
    content = (everything / "generator_AB.onnx").read_bytes()
    for part in (str(PROJECT), sys.prefix, "site-packages", ".py"):
        assert part.encode() not in content


def test_safetensors_hold_the_weights_of_the_pth(everything):
    for name in ("generator_AB", "generator_BA"):
        expected = torch.load(everything / f"{name}.pth", weights_only=True)
        weights = safetensors.torch.load_file(everything / f"{name}.safetensors")
        assert weights.keys() == expected.keys()
        assert all(torch.equal(value, expected[key]) for key, value in weights.items())


def test_the_same_checkpoint_gives_the_same_bytes(everything, far_checkpoint, tmp_path, monkeypatch):
    """One graph in ONNX: all eight would take as long again as all that there is."""

    def write_one(model, *given):
        if given[-1].name == "generator_BA_distilled.onnx":
            formats.write_onnx(model, formats.generator_graph(model), given[-1])
        else:
            shutil.copy(everything / given[-1].name, given[-1])

    monkeypatch.setattr(exporter, "generator_graph", lambda model: None)
    monkeypatch.setattr(exporter, "write_onnx", write_one)
    monkeypatch.setattr(exporter, "write_edge", write_one)
    monkeypatch.setattr("cyclegan_lib.export.distillation.STEPS", 200)  # as in `everything`
    again = {"inference_script": True, "formats": FORMATS, "int8": True}
    export(far_checkpoint, tmp_path / "again", **again)
    for path in everything.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("onnx,tflite", "the format 'tflite' is unknown; give onnx, safetensors, edge"),
        ("onnx", "needs the package onnxruntime; install it with pip install 'cyclegan-lib[formats]'"),
    ],
)
def test_formats_that_cannot_be_written_are_named_at_once(
    wanted, says, far_checkpoint, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    given = ["--checkpoint", far_checkpoint, "--output-dir", tmp_path / "model", "--formats", wanted]
    assert says in refusal(capsys, "export", *given)
    assert not (tmp_path / "model").exists()


def test_onnx_that_differs_from_torch_is_never_written(everything, far_checkpoint, tmp_path, monkeypatch):
    content = torch.load(far_checkpoint, weights_only=True)
    content["state_dict"]["average_AB.module.start_bias"][0, 0, 7] += 0.01
    torch.save(content, tmp_path / "other.ckpt")
    before = SimpleNamespace(model_proto=onnx.load(everything / "generator_AB.onnx"))
    monkeypatch.setattr("torch.onnx.export", lambda *given, **options: before)
    with pytest.raises(InputError, match=r"differs from torch by .*e-0\d standard deviations"):
        export(tmp_path / "other.ckpt", tmp_path / "model", formats="onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["other.ckpt"]
