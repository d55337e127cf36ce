"""format_0.ckpt was written before checkpoints had a format number, and is used for good as it is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cyclegan_lib.checkpoint.inspection import inspect_checkpoint
from cyclegan_lib.checkpoint.reading import FORMAT, read_checkpoint
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.export import export
from cyclegan_lib.export.manifest import Manifest, sealed
from cyclegan_lib.export.translator import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.training import train

BEFORE = Path(__file__).with_name("format_0.ckpt")


def exact_set(device):
    """Eight recordings of five slices in eighths of a dB: the same bytes everywhere, as their fingerprint."""
    numbers = np.arange(8 * 5 * 40) * (7919 if device == "cpc006" else 6101) % 211
    features = (numbers.reshape(8, 5, 40) / 8 - 50).astype(np.float32)
    return FeatureSet(features, np.array([f"{device}-{i}" for i in range(8)]), np.zeros(8), device)


def test_it_loads_resumes_and_exports(tmp_path):
    assert "format" not in torch.load(BEFORE, weights_only=True)
    assert "trained        2 epochs of 2 steps" in inspect_checkpoint(BEFORE)
    module = CycleGANModule.load_from_checkpoint(BEFORE)
    assert module.convert_A_to_B(torch.zeros(1, 5, 40)).isfinite().all()

    a, b = (exact_set(device).save(tmp_path / f"{device}.npz") for device in ("cpc006", "BATCH_UPLOAD"))
    longer = TrainingSettings(max_epochs=3)
    run = train(a, b, tmp_path / "run", longer, resume=BEFORE, progress=False)
    assert [figures["epoch"] for figures in run.history] == [0, 1, 2, 3]
    assert torch.load(run.last, weights_only=True)["format"] == FORMAT == 2
    assert read_checkpoint(run.last)["hyper_parameters"]["settings"]["generator"]["hidden_dim"] == 8

    export(BEFORE, tmp_path / "model")
    translated = Translator.load(tmp_path / "model", "AB").translate_set(FeatureSet.load(a))
    direct = Translator.of_checkpoint(BEFORE, "AB").translate_set(FeatureSet.load(a))
    np.testing.assert_array_equal(translated.features, direct.features)


def test_settings_that_are_missing_have_their_defaults(tmp_path):
    content, default = torch.load(BEFORE, weights_only=True), TrainingSettings()
    settings = content["hyper_parameters"]["settings"]
    settings["lambda_cycle"] = 7.0
    del settings["seed"], settings["lambda_identity"], settings["generator"]["strength"]
    torch.save(content, tmp_path / "earlier.ckpt")
    read = read_checkpoint(tmp_path / "earlier.ckpt")["hyper_parameters"]["settings"]
    loaded = CycleGANModule.load_from_checkpoint(tmp_path / "earlier.ckpt").settings
    assert read == loaded.model_dump()
    assert loaded.generator.strength == default.generator.strength and loaded.generator.hidden_dim == 8
    assert (loaded.seed, loaded.lambda_identity) == (default.seed, default.lambda_identity)
    assert loaded.lambda_cycle == 7.0


def test_an_export_of_an_earlier_format_is_read_and_of_a_later_one_is_not(tmp_path):
    export(BEFORE, tmp_path / "model")
    path = tmp_path / "model" / "model_config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    files = [path.with_name(name) for name in values.pop("sha256")]
    del values["config_sha256"]
    assert values.pop("format") == FORMAT
    path.write_text(sealed(values, files), encoding="utf-8")
    assert Manifest.load(path.parent).format == 0
    path.write_text(sealed({**values, "format": FORMAT + 1, "more": 1}, files), encoding="utf-8")
    with pytest.raises(InputError, match="newer version .* .format 3; this one reads up to 2.; "):
        Manifest.load(path.parent)
