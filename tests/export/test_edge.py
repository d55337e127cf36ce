"""From sound to translated features in one ONNX file, as the library extracts and translates."""

import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch
from helpers import EXTRACTED, PROJECT, refusal
from sounds import drifting

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.export import Translator, edge
from cyclegan_lib.export.edge import FrontEnd
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.log_mel import slices_of

MOST_DB = 0.05


@pytest.mark.parametrize("kind", ["", "_distilled"])
@pytest.mark.parametrize("direction", ["AB", "BA"])
def test_it_gives_what_the_library_makes_of_a_recording(direction, kind, everything, tmp_path):
    soundfile.write(tmp_path / "heard.wav", drifting(10), 16000)
    translator = Translator.load(everything, direction, distilled=bool(kind))
    translator.translate_file(tmp_path / "heard.wav", tmp_path / "out.npz", progress=False)
    expected = FeatureSet.load(tmp_path / "out.npz", least=1).features
    session = onnxruntime.InferenceSession(everything / f"edge_{direction}{kind}.onnx")
    samples, _ = soundfile.read(tmp_path / "heard.wav", dtype="float32")
    (translated,) = session.run(["translated"], {"samples": samples[None]})
    assert translated.shape == (1, 50, 40) and translated.dtype == np.float32
    assert np.abs(translated - expected).max() < MOST_DB


@pytest.mark.parametrize("seconds", [1, 3.17, 23])
def test_batches_of_any_length_are_one_sequence_each(seconds, everything):
    sounds = np.stack([drifting(seconds, seed=seed) for seed in range(3)])
    session = onnxruntime.InferenceSession(everything / "edge_AB.onnx")
    translator = Translator.load(everything, "AB")
    (translated,) = session.run(None, {"samples": sounds})
    for one, heard in zip(translated, sounds, strict=True):
        features = np.concatenate(list(slices_of([heard], translator.settings)))
        assert np.abs(one - translator.translate(features[None])[0]).max() < MOST_DB


@pytest.mark.parametrize("given", EXTRACTED, ids=str)
def test_the_front_end_extracts_as_the_library_does(given):
    settings = FeatureSettings(**given)
    heard = drifting(4, settings.sample_rate)
    expected = np.concatenate(list(slices_of([heard * settings.scale], settings)))
    with torch.inference_mode():
        features = FrontEnd(settings)(torch.from_numpy(heard)[None])[0].numpy()
    assert features.shape == expected.shape and np.ptp(expected) > 20
    assert np.abs(features - expected).max() < MOST_DB


def test_what_a_device_needs_is_one_small_file(everything):
    graph = onnx.load(everything / "edge_AB_distilled.onnx", load_external_data=False)
    (given,), (out,) = graph.graph.input, graph.graph.output
    axes = [[d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in (given, out)]
    assert (given.name, out.name) == ("samples", "translated")
    assert axes == [["batch", "samples"], ["batch", "slices", 40]]
    for name in ("edge_AB", "edge_BA", "edge_AB_distilled", "edge_BA_distilled"):
        content = (everything / f"{name}.onnx").read_bytes()
        assert len(content) <= 1_000_000
        assert not any(part.encode() in content for part in (str(PROJECT), sys.prefix, "site-packages"))
    card = (everything / "README.md").read_text(encoding="utf-8")
    assert "The `edge` files begin with sound" in card and "| edge_BA_distilled.onnx |" in card


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (None, "trained on features without settings, and the format edge cannot know"),
        ({"sample_rate": 16001}, "the format edge needs slices that begin at whole samples"),
    ],
)
def test_what_cannot_be_is_refused(settings, says, far_checkpoint, tmp_path, capsys):
    content = torch.load(far_checkpoint, weights_only=True)
    hyper = content["hyper_parameters"]
    for place, name in ((hyper, "feature_settings"), *((hyper["data"][d], "settings") for d in "ab")):
        place[name] = settings and {**place[name], **settings}
    torch.save(content, tmp_path / "other.ckpt")
    given = ["--checkpoint", tmp_path / "other.ckpt", "--output-dir", tmp_path / "model"]
    said = refusal(capsys, "export", *given, "--formats", "edge")
    assert says in said and "leave edge out of --formats" in said
    assert [path.name for path in tmp_path.iterdir()] == ["other.ckpt"]


def test_a_graph_that_differs_from_the_library_is_never_written(
    far_checkpoint, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(edge, "TOLERANCE_DB", 1e-9)
    given = ["--checkpoint", far_checkpoint, "--output-dir", tmp_path / "model", "--formats", "edge"]
    assert "onnxruntime differs from the library by" in refusal(capsys, "export", *given)
    assert not (tmp_path / "model").exists()
