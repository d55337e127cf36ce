"""The exported script takes sound: features.py of the folder extracts as the library does."""

import json
import sys

import numpy as np
import pytest
import torch
from helpers import EXTRACTED
from sounds import drifting, write

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.export import Translator, export, features
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.log_mel import slices_of

MOST_DB = 0.05


@pytest.mark.parametrize(("direction", "seconds"), [("AB", 34.5), ("BA", 10), ("AB", 1.3)])
def test_the_script_translates_a_recording_as_the_library_does(
    direction, seconds, everything, run_script, tmp_path
):
    heard = write(tmp_path / "heard.wav", drifting(seconds))
    Translator.load(everything, direction).translate_file(heard, tmp_path / "expected.npz", progress=False)
    expected = FeatureSet.load(tmp_path / "expected.npz", least=1)
    given = ["--input", heard, "--output", tmp_path / "out.npz", "--direction", direction]
    code, said, error = run_script(everything, *given)
    assert (code, error) == (0, "") and f"-> {expected.device}" in said
    out = FeatureSet.load(tmp_path / "out.npz", least=1)
    np.testing.assert_array_equal(out.lengths, expected.lengths)
    assert np.abs(out.real_slices() - expected.real_slices()).max() < MOST_DB
    assert (out.device, out.settings) == (expected.device, expected.settings)
    for column in ("recording", "start_s"):
        np.testing.assert_array_equal(getattr(out, column), getattr(expected, column))


@pytest.mark.parametrize("given", EXTRACTED, ids=str)
@pytest.mark.parametrize("seconds", [1.0, 4.3])
def test_any_settings_are_those_of_the_library(given, seconds, monkeypatch):
    settings = FeatureSettings(**given)
    monkeypatch.setattr(features, "AT_ONCE", 3)  # slices
    sound = drifting(seconds, settings.sample_rate)
    expected = np.concatenate(list(slices_of([sound], settings)))
    found = features.log_mel(sound, settings.model_dump())
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.abs(found - expected).max() < MOST_DB


def test_channel_and_scale_are_those_of_training(far_checkpoint, tmp_path, run_script):
    content = torch.load(far_checkpoint, weights_only=True)
    content["hyper_parameters"]["data"]["a"]["settings"] |= {"channel": 2, "scale": 0.1}
    torch.save(content, tmp_path / "second.ckpt")
    export(tmp_path / "second.ckpt", tmp_path / "model", inference_script=True)
    heard = write(tmp_path / "heard.flac", np.stack([drifting(10), drifting(10, seed=1)], axis=1))
    translator = Translator.load(tmp_path / "model", "AB")
    translator.translate_file(heard, tmp_path / "expected.npz", progress=False)
    code, _, error = run_script(tmp_path / "model", "--input", heard, "--output", tmp_path / "out.npz")
    assert (code, error) == (0, "")
    expected, out = (FeatureSet.load(tmp_path / f"{name}.npz", least=1) for name in ("expected", "out"))
    assert np.abs(out.features - expected.features).max() < MOST_DB
    assert out.settings.channel == 2
    code, _, error = run_script(tmp_path / "model", "--input", write(tmp_path / "mono.wav", drifting(2)))
    assert code == 2 and "it has 1 channels and the model needs channel 2" in error


BAD = {
    "it has 44100 Hz and the model needs 16000 Hz; convert it": (drifting(2, 44100), 44100),
    "it is too short for a sequence; record a second or more": (drifting(0.5), 16000),
    "it has samples that are no numbers": (np.full(32000, np.nan), 16000),
}


@pytest.mark.parametrize("says", [*BAD, "Format not recognised", "System error"])
def test_sound_that_cannot_be_used_is_refused_in_one_sentence(says, everything, tmp_path, run_script):
    path = tmp_path / "bad.wav"
    if says in BAD:
        sound, rate = BAD[says]
        write(path, sound, rate, subtype="FLOAT")
    elif says == "Format not recognised":
        path.write_bytes(b"no sound" * 100)
    code, said, error = run_script(everything, "--input", path, "--output", tmp_path / "out.npz")
    assert (code, said, error.count("\n")) == (2, "", 1) and "bad.wav cannot be used: " in error
    assert says in error
    assert not (tmp_path / "out.npz").exists()


def test_code_of_another_export_and_a_lacking_soundfile_are_named(copied, tmp_path, run_script, monkeypatch):
    heard = write(tmp_path / "heard.wav", drifting(2))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "soundfile", None)  # as if it were not installed
        code, _, error = run_script(copied, "--input", heard)
        assert code == 2 and "which the package soundfile reads; install it with pip" in error
    with (copied / "features.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    code, _, error = run_script(copied, "--input", heard)
    assert code == 2 and "features.py is missing, damaged or of another export" in error


def test_a_model_that_does_not_know_how_it_heard_hears_nothing(far_checkpoint, tmp_path, run_script):
    content = torch.load(far_checkpoint, weights_only=True)
    hyper = content["hyper_parameters"]
    for place, name in ((hyper, "feature_settings"), *((hyper["data"][d], "settings") for d in "ab")):
        place[name] = None
    torch.save(content, tmp_path / "old.ckpt")
    export(tmp_path / "old.ckpt", tmp_path / "model", inference_script=True)
    assert not list((tmp_path / "model").glob("features.py"))
    assert (
        json.loads((tmp_path / "model" / "model_config.json").read_text(encoding="utf-8"))["feature_settings"]
        is None
    )
    heard = write(tmp_path / "heard.wav", drifting(2))
    code, _, error = run_script(tmp_path / "model", "--input", heard)
    assert code == 2 and "how the model's features were extracted is not known; give features" in error
