import hashlib
import json
import re
from importlib.metadata import version

import numpy as np
import pytest
import torch
from helpers import FORMATS, PROJECT, QUICK, make_set
from safety.paths import ODD, USUAL, listed

from cyclegan_lib.export import Translator, export, inspect_checkpoint
from cyclegan_lib.export.manifest import CONFIG, Manifest
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.models.generator import MOST_LOG_GAIN
from cyclegan_lib.names import MAX_PATH, refused

GENERATORS = ("generator_AB", "generator_BA")
ALWAYS = {f"{name}.pth" for name in GENERATORS} | {"model_config.json", "normalization_params.json"}
ALWAYS |= {"models.py", "features.py", "example_A.npy", "example_B.npy", "README.md"}
ALL = ALWAYS | {"discriminator_A.pth", "discriminator_B.pth", "inference_example.py"}
DISTILLED = tuple(f"{name}_distilled" for name in GENERATORS)
EVERYTHING = {f"{name}.{suffix}" for name in (*GENERATORS, *DISTILLED) for suffix in ("onnx", "safetensors")}
EVERYTHING |= {name for n in DISTILLED for name in (f"{n}.pth", f"{n}_int8.onnx")} | ALL
if "edge" in FORMATS:
    EVERYTHING |= {f"{name.replace('generator', 'edge')}.onnx" for name in (*GENERATORS, *DISTILLED)}


def test_only_what_was_asked_for_is_written_and_no_two_exports_mix(far_checkpoint, copied, exported):
    assert {path.name for path in exported.iterdir()} == ALL
    assert {path.name for path in copied.iterdir()} == EVERYTHING  # one file each
    assert Manifest.load(copied).sha256.keys() == EVERYTHING - {CONFIG}
    (copied / "mine.txt").write_text("keep", encoding="utf-8")
    files = export(far_checkpoint, copied, discriminators=False)
    assert {file.path.name for file in files} == ALWAYS == Manifest.load(copied).sha256.keys() | {CONFIG}
    assert {path.name for path in copied.iterdir()} == ALWAYS | {"mine.txt"}
    assert (copied / "mine.txt").read_text(encoding="utf-8") == "keep"


@pytest.mark.skipif("edge" not in FORMATS, reason="all but edge")
def test_every_file_of_the_page_s_table_is_there(everything):
    table = (PROJECT / "docs" / "exporting.md").read_text(encoding="utf-8").split("| file | size | what |")[1]
    rows = table.split("\n\n")[0].splitlines()[2:]
    first, *names = (name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1]))
    assert first == "checkpoints/best.ckpt" and len(names) > 12
    assert [name for name in names if not list(everything.glob(name))] == []


def test_the_configuration_is_complete(exported, trained):
    config = json.loads((exported / CONFIG).read_text(encoding="utf-8"))
    assert config["input_dim"] == 40
    assert config["generator_config"] == {**QUICK.generator.model_dump(), "members": 2}
    assert config["discriminator_config"] == {**QUICK.discriminator.model_dump(), "members": 2}
    assert (config["device_a"], config["device_b"]) == ("cpc006", "BATCH_UPLOAD")
    assert config["feature_settings"]["sample_rate"] == 16000
    assert config["training"]["data"]["a"]["recordings"] == 12
    run = trained[0]
    assert (config["training"]["epoch"], config["training"]["seed"]) == (run.best_epoch, 0)
    assert config["training"]["held_out_distance"] == {
        prefix + direction: run.history[epoch][f"val_distance_{direction}"]
        for prefix, epoch in (("start_", 0), ("", run.best_epoch))
        for direction in ("AB", "BA")
    }
    assert config["versions"]["torch"] == version("torch")  # torch itself may add which CUDA it is for
    for name in ALL - {CONFIG}:
        assert config["sha256"][name] == hashlib.sha256((exported / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("direction", ["AB", "BA"])
def test_translation_is_normalise_generate_denormalise(trained, exported, direction):
    translator = Translator.load(exported, direction)
    source, target = direction
    x = make_set("x", n=3, seed=5).features
    module = CycleGANModule.load_from_checkpoint(trained[0].best, map_location="cpu")
    convert = module.convert_A_to_B if direction == "AB" else module.convert_B_to_A
    moments = {name: np.array(v) for name, v in module.hparams["normalization"].items()}
    z = (x - moments[f"mean_{source.lower()}"]) / moments[f"std_{source.lower()}"]
    y = convert(torch.from_numpy(z.astype(np.float32))).numpy()
    expected = y * moments[f"std_{target.lower()}"] + moments[f"mean_{target.lower()}"]
    np.testing.assert_allclose(translator.translate(x), expected, atol=1e-3)
    assert translator.translate(x).dtype == np.float32 and not np.allclose(expected, x)


def test_the_exported_script_agrees_where_every_part_of_the_generator_counts(trained, tmp_path, script_of):
    """Weights far from their start, gains that vary up to their bounds, a strength of its own."""
    checkpoint = torch.load(trained[0].best, weights_only=True)
    checkpoint["hyper_parameters"]["settings"]["generator"]["strength"] = 0.7
    generator = torch.Generator().manual_seed(0)
    for name, value in checkpoint["state_dict"].items():
        if name.startswith("average_AB.module."):
            value += 0.3 * torch.randn(value.shape, generator=generator)
    torch.save(checkpoint, tmp_path / "far.ckpt")
    export(tmp_path / "far.ckpt", tmp_path / "model", inference_script=True)
    features = make_set("cpc006", n=6, seed=3, shift=10).features
    features[3] += 40  # beyond what the gain extrapolates to
    translated = script_of(tmp_path / "model")["translate"](features, "AB")
    translator = Translator.load(tmp_path / "model", "AB")
    np.testing.assert_allclose(translated, translator.translate(features), rtol=1e-4, atol=1e-3)
    z = torch.from_numpy(translator.normalizer.normalize(features, "A"))
    with torch.no_grad():
        gain = (translator.generator(z).std(dim=1) / translator.generator.ungained(z).std(dim=1)).log()
    assert translator.generator.gain_weight.abs().max() > 0.5
    assert gain.std() > 0.1 and gain.abs().max().item() == pytest.approx(MOST_LOG_GAIN, rel=1e-3)


def test_the_exported_script_refuses_bad_input(exported, tmp_path, run_script):
    np.save(tmp_path / "bad.npy", np.zeros((2, 50, 39)))
    for name in ("bad.npy", "no.npy"):
        code, _, error = run_script(exported, "--input", tmp_path / name)
        assert code == 2 and name in error and error.count("\n") == 1
    before = listed(tmp_path)
    for name, says in (("aux.npz", "no such name"), ("Bad.npy", "bad.npy is there"), ("long", "too long")):
        name = f"{'x' * MAX_PATH}.npy" if name == "long" else name
        code, said, error = run_script(exported, "--output", tmp_path / name)
        assert (code, said, listed(tmp_path)) == (2, "", before) and says in error and error.count("\n") == 1


def test_the_exported_script_refuses_the_names_that_the_library_refuses(exported, tmp_path, script_of):
    check, found = script_of(exported)["check_written"], set()
    paths = {tmp_path / f"{name}.npy" for name in ODD + USUAL}
    for path in paths:
        try:
            check(path)
        except SystemExit:
            found.add(path)
    assert found == {path for path in paths if refused(path.name)} and 0 < len(found) < len(paths)


def test_inspecting_names_what_a_checkpoint_holds(trained):
    text = inspect_checkpoint(trained[0].last)
    for part in ("cpc006 (A) <-> BATCH_UPLOAD (B)", "2 epochs", "generator_AB", "60 to 8000 Hz"):
        assert part in text
    module = CycleGANModule(QUICK.model_dump())
    for name in ("generator_AB", "discriminator_B"):
        count = sum(p.numel() for p in getattr(module, name).parameters())
        assert f"{count:,} parameters" in next(line for line in text.splitlines() if name in line)
