"""Sequences of any length: each is translated as if there were no others, by whatever translates it."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from helpers import deviations_apart, make_set

from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet

LENGTHS = (5, 7, 25, 50, 173)


@pytest.fixture(scope="module")
def mixed() -> FeatureSet:
    """Three sequences of each length, in no order; what is behind them is 0."""
    x, rng = make_set("cpc006", n=15, shift=10), np.random.default_rng(1)
    features = np.concatenate([x.features] * 4, axis=1)[:, :173] + rng.normal(size=(15, 173, 40))
    slices = rng.permutation(np.repeat(LENGTHS, 3))
    features[np.arange(173) >= slices[:, None]] = 0
    return replace(x, features=features.astype(np.float32), slices=slices)


@pytest.fixture(scope="module", params=[False, True], ids=["large", "distilled"])
def each(request, everything) -> Translator:
    return Translator.load(everything, "AB", distilled=request.param)


def test_a_set_is_translated_length_by_length(each, mixed):
    translated = each.translate_set(mixed)
    assert translated.device == "BATCH_UPLOAD" and translated.slices is mixed.slices
    apart = each.disagreements(mixed)
    for length in LENGTHS:
        rows = np.flatnonzero(mixed.slices == length)
        alone = mixed.features[rows, :length]
        np.testing.assert_array_equal(translated.features[rows, :length], each.translate(alone))
        np.testing.assert_array_equal(apart[rows], each.disagreement(alone))
        assert not translated.features[rows, length:].any()


def lists(x: FeatureSet) -> list:
    return [features[:length].tolist() for features, length in zip(x.features, x.lengths, strict=True)]


def save(x: FeatureSet, path) -> None:
    if path.suffix.lower() == ".json":
        path.write_text(json.dumps(lists(x)), encoding="utf-8")
    else:
        x.save(path)


def read(path) -> FeatureSet:
    return FeatureSet.load(path, least=1)


@pytest.mark.parametrize("given", ["in.npz", "in.json", "in.NPZ", "in.JSON"])
@pytest.mark.parametrize("written", ["out.npz", "out.json", "out.NPZ"])
def test_files_keep_their_lengths(given, written, each, mixed, tmp_path, monkeypatch, run_script, everything):
    save(mixed, tmp_path / given)
    monkeypatch.setattr("cyclegan_lib.export.inputs.PART_BYTES", 1)  # one chunk
    monkeypatch.setattr("cyclegan_lib.export.bulk.CHUNK_BYTES", 4 * 4 * each._bulk.width * 173)
    each.translate_file(tmp_path / given, tmp_path / written, progress=False)
    expected = each.translate_set(mixed)
    out = read(tmp_path / written)
    np.testing.assert_array_equal(out.slices, mixed.slices)
    np.testing.assert_allclose(out.features, expected.features, atol=2e-4)  # dB
    # and so does the exported script
    small = ["--distilled"] if each.generator.members == 1 else []
    code, _, error = run_script(
        everything, "--input", tmp_path / given, "--output", tmp_path / written, *small
    )
    assert (code, error) == (0, "")
    if written == "out.json":
        of_script = read(tmp_path / written)
    else:
        with np.load(tmp_path / written) as arrays:
            of_script = replace(mixed, features=arrays["features"], slices=arrays["slices"])
    np.testing.assert_array_equal(of_script.slices, mixed.slices)
    assert deviations_apart(each, of_script.real_slices(), expected.real_slices()) < 1e-4


def test_lists_of_one_length_are_written_as_such(each, tmp_path):
    x = make_set("cpc006", n=3)
    x.save(tmp_path / "in.npz")
    each.translate_file(tmp_path / "in.npz", tmp_path / "out.json", progress=False)
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    np.testing.assert_array_equal(np.float32(written), each.translate(x.features))


def test_onnx_gives_for_each_length_what_the_library_gives(each, mixed, everything):
    kind = "_distilled" if each.generator.members == 1 else ""
    session = onnxruntime.InferenceSession(everything / f"generator_AB{kind}.onnx")
    for _, x in mixed.by_length():
        (translated,) = session.run(None, {"features": x})
        assert deviations_apart(each, translated, each.translate(x)) < 1e-4


def test_what_cannot_hold_different_lengths_is_refused(mixed, everything, tmp_path, run_script):
    mixed.save(tmp_path / "in.npz")
    code, _, error = run_script(everything, "--input", tmp_path / "in.npz", "--output", tmp_path / "out.npy")
    assert code == 2 and "out.npy cannot hold sequences of different lengths" in error
    bad = {**mixed.arrays(), "slices": mixed.slices + 200}
    np.savez(tmp_path / "bad.npz", **bad)
    code, _, error = run_script(everything, "--input", tmp_path / "bad.npz")
    assert code == 2 and error.count("\n") == 1
