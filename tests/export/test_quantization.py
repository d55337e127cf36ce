"""Distilled generators in 8 bits: small files, near the large generators, and what the card says of that."""

from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.export import Translator
from cyclegan_lib.export.distillation import drawn_sequences, nmse
from cyclegan_lib.export.formats import RawUnits
from cyclegan_lib.export.manifest import Manifest
from cyclegan_lib.export.quantization import run_onnx, write_int8


@pytest.mark.parametrize("direction", ["AB", "BA"])
def test_eight_bits_are_near_the_large_generator_and_the_card_says_how_near(direction, everything):
    path = everything / f"generator_{direction}_distilled_int8.onnx"
    assert path.stat().st_size < 20_000
    kinds = {value.data_type for value in onnx.load(path).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    translator = Translator.load(everything, direction)
    mean, std = translator.normalizer.moments(direction[0])
    x = (mean + 0.5 * std * np.random.default_rng(0).standard_normal((40, 50, 40))).astype(np.float32)
    (y,) = onnxruntime.InferenceSession(path).run(None, {"features": x})
    expected = translator.translate(x)
    error = np.square(y - expected).sum() / np.square(expected - expected.mean(axis=(0, 1))).sum()
    assert 0 < error < 0.1
    nmse = Manifest.load(everything).distilled.nmse[direction]
    assert 0 < nmse["float"] < nmse["int8"] < 0.1
    card = (everything / "README.md").read_text(encoding="utf-8")
    assert f"| {nmse['float']:.5f} | {nmse['int8']:.5f} |" in card and f"| {path.name} |" in card


def test_the_same_slices_give_the_same_bytes(everything, far_checkpoint, tmp_path):
    content, translator = read_checkpoint(far_checkpoint), Translator.load(everything, "AB")
    large = RawUnits(translator.generator, translator.normalizer, "AB").eval()
    ranges, judged = drawn_sequences(large, **content["slice_moments"]["A"], seed=0)
    small, path = everything / "generator_AB_distilled.onnx", tmp_path / "again.onnx"
    write_int8(small, path, ranges)
    assert path.read_bytes() == (everything / "generator_AB_distilled_int8.onnx").read_bytes()
    said = Manifest.load(everything).distilled.nmse["AB"]
    for kind, written in (("float", small), ("int8", path)):
        assert nmse(large, partial(run_onnx, written), judged) == pytest.approx(said[kind], rel=1e-3)
