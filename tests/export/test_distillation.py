"""Distilled generators: near the large ones, made and checked like them, evaluated by themselves."""

import numpy as np
import onnxruntime
import pytest
import torch
from helpers import deviations_apart, done, make_set, refusal

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.export import Translator
from cyclegan_lib.export.distillation import distil
from cyclegan_lib.export.manifest import Manifest
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.models import Generator


def large() -> Generator:
    """A generator of the default size that bends its input, most of all in one direction, with gains."""
    torch.manual_seed(0)
    generator = Generator()
    with torch.no_grad():
        for value in generator.state_dict().values():
            value += 0.05 * torch.randn_like(value)
        generator.residual[4].weight += 0.5 * torch.randn(128, 1)  # (members, 128, 40)
    return generator.eval()


def moments() -> tuple[torch.Tensor, torch.Tensor]:
    """A mean, and a covariance of dependent features of which two are constant."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(40, 40, generator=generator) / 40**0.5
    root[[3, 30]] = 0
    return torch.randn(40, generator=generator) / 2, root @ root.T


@pytest.fixture(scope="module")
def small() -> tuple[Generator, float]:
    return distil(large(), *moments())


def test_a_distilled_generator_is_nearer_than_any_linear_map(small):
    generator, told = small
    mean, covariance = moments()
    values, vectors = torch.linalg.eigh(covariance)
    rng = torch.Generator().manual_seed(1)
    x = mean + torch.randn(20_000, 40, generator=rng) * values.clamp_min(0).sqrt() @ vectors.T
    with torch.inference_mode():
        y, distilled = large().ungained(x), generator.ungained(x)
    # even fitted on these very slices; torch.linalg.lstsq cannot tell that two features are constant
    slices = np.pad(x.double().numpy(), ((0, 0), (0, 1)), constant_values=1)
    linear = np.linalg.lstsq(slices, y.double().numpy(), rcond=None)[0]
    least = np.sqrt(np.square(slices @ linear - y.numpy()).mean())
    difference = (distilled - y).square().mean().sqrt()
    assert y.std() > 0.5 and least > 0.05
    assert difference < 0.7 * least
    assert told == pytest.approx(float(difference), rel=0.05)  # of others of the same kind


def test_it_is_small_and_its_gains_are_those_of_the_large_one(small):
    generator, _ = small
    count = sum(value.numel() for value in generator.parameters())
    assert count < sum(value.numel() for value in large().parameters()) / 40
    for name, value in large().state_dict().items():
        if name.startswith("gain_"):
            assert torch.equal(generator.state_dict()[name], value)
    assert not generator.training
    assert not any(value.requires_grad for value in generator.parameters())


@pytest.mark.slow
def test_nothing_else_decides_the_result(small):
    generator, threads = large(), torch.get_num_threads()
    torch.manual_seed(7)
    before = torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        again, difference = distil(generator, *moments())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in small[0].state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    assert difference == small[1] != distil(large(), *moments(), seed=1)[1]


def test_recordings_that_are_all_the_same_are_no_reason_to_fail():
    _, difference = distil(large(), torch.zeros(40), torch.zeros(40, 40))
    assert difference < 0.05


def test_a_checkpoint_keeps_what_its_slices_are_like(trained, domains):
    held = read_checkpoint(trained[0].best)
    for name, path in zip("AB", domains, strict=True):
        normalizer = Normalizer.from_dict(held["hyper_parameters"]["normalization"])
        slices = normalizer.normalize(FeatureSet.load(path).features, name).reshape(-1, 40)
        kept = held["slice_moments"][name]
        np.testing.assert_allclose(kept["mean"], slices.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(kept["covariance"], np.cov(slices.T, bias=True), atol=1e-5)


@pytest.mark.slow
def test_the_command_exports_and_translates(trained, domains, tmp_path, capsys):
    model, out = tmp_path / "model", tmp_path / "out.npz"
    given = ["--checkpoint", trained[0].best, "--output-dir", model, "--formats", "safetensors, pth"]
    said = done(capsys, "export", "--distilled", *given)
    assert "generator_AB_distilled.pth" in said and "2,328 parameters" in said
    assert "generator_BA_distilled.safetensors" in said
    given = ["--model", model, "--direction", "AB", "--input", domains[0], "--output", out]
    done(capsys, "translate", "--distilled", *given)
    source = FeatureSet.load(domains[0])
    written, translator = FeatureSet.load(out), Translator.load(model, "AB")
    expected = Translator.load(model, "AB", distilled=True).translate_set(source)
    np.testing.assert_array_equal(written.features, expected.features)
    assert written.device == "BATCH_UPLOAD"
    off = (written.features - translator.translate(source.features)) / translator.normalizer.std_b
    assert 0 < np.sqrt(np.square(off).mean()) < 0.1  # standard deviations
    card = (model / "README.md").read_text(encoding="utf-8")
    for error in Manifest.load(model).distilled.nmse.values():  # also without --int8
        assert error.keys() == {"float"} and 0 < error["float"] < 0.1
        assert f"| {error['float']:.5f} |\n" in card


def test_the_folder_says_how_far_they_are(everything):
    manifest = Manifest.load(everything)
    assert manifest.distilled.difference.keys() == {"AB", "BA"}
    card = (everything / "README.md").read_text(encoding="utf-8")
    for value in manifest.distilled.difference.values():
        assert 0 < value < 0.5
        assert f"{value:.3f}" in card
    for error in manifest.distilled.nmse.values():
        assert error.keys() == {"float", "int8"} and 0 < error["float"] < 0.1
        assert f"| {error['float']:.5f} |" in card
    assert (everything / "generator_AB_distilled.pth").stat().st_size < 40_000


@pytest.mark.parametrize("direction", ["AB", "BA"])
def test_the_script_and_onnx_translate_as_the_library(direction, everything, script_of):
    x = make_set("x", n=20, shift=5, seed=3).features
    translator = Translator.load(everything, direction, distilled=True)
    distilled, large = translator.translate(x), Translator.load(everything, direction).translate(x)
    assert deviations_apart(translator, distilled, large) > 1e-3  # another generator
    of_script = script_of(everything)["translate"]
    assert deviations_apart(translator, of_script(x, direction, True), distilled) < 1e-4
    assert deviations_apart(translator, of_script(x, direction), large) < 1e-4
    session = onnxruntime.InferenceSession(everything / f"generator_{direction}_distilled.onnx")
    (of_onnx,) = session.run(None, {"features": x})
    assert deviations_apart(translator, of_onnx, distilled) < 1e-4


def test_where_there_are_none_they_are_asked_for_in_vain(exported, domains, tmp_path, capsys):
    out = tmp_path / "out.npz"
    given = ["--model", exported, "--direction", "AB", "--input", domains[0], "--output", out]
    said = refusal(capsys, "translate", "--distilled", *given)
    assert "holds no distilled generators; export again with --distilled" in said and not out.exists()


def test_a_checkpoint_of_an_earlier_version_is_exported_without(trained, tmp_path, capsys):
    content = torch.load(trained[0].best, weights_only=True)
    del content["slice_moments"]
    torch.save(content, tmp_path / "old.ckpt")
    model = tmp_path / "model"
    command = ["export", "--checkpoint", tmp_path / "old.ckpt", "--output-dir", model]
    said = refusal(capsys, *command, "--distilled")
    assert "does not keep what distilling needs; train again" in said and not model.exists()
    done(capsys, *command)
