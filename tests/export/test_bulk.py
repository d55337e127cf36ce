"""Translating many at once: what the generator does one by one, whatever its size and the sound."""

import numpy as np
import pytest
import torch
from helpers import make_set

from cyclegan_lib.export import Translator
from cyclegan_lib.features import Normalizer
from cyclegan_lib.models import Generator


def far_from_start(normalizer: Normalizer, direction: str = "AB", **sizes) -> Translator:
    """With a generator of which every part counts."""
    torch.manual_seed(0)
    generator = Generator(**sizes)
    with torch.no_grad():
        for value in (*generator.parameters(), *generator.buffers()):
            value += 0.05 * torch.randn_like(value)
    return Translator(generator.eval(), normalizer, direction, "a", "b", None)


SIZES = [
    {},
    {"members": 1},
    {"members": 3, "hidden_layers": 1, "hidden_dim": 16, "strength": 0.9},
    {"members": 2, "hidden_layers": 4, "strength": 0.0},
    {"members": 2, "hidden_layers": 3, "hidden_dim": 37},
    {"members": 1, "hidden_layers": 1, "hidden_dim": 8, "strength": 1.0},  # as distilled
]


def difference(translator: Translator, x: np.ndarray) -> float:
    """How far `translate` is from normalise, generate, denormalise at most, in the target's deviations."""
    source, target = translator.direction
    z = torch.from_numpy(translator.normalizer.normalize(x, source))
    with torch.no_grad():
        y = translator.generator(z).numpy()  # z-scores
    assert not x.size or y.std() > 0.5  # it does translate
    mean, std = translator.normalizer.moments(target)
    return float(np.abs((translator.translate(x) - mean) / std - y).max(initial=0))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("special", ["nothing", "the other direction", "no oneDNN", "a band far from 0 dB"])
def test_translation_in_bulk_is_that_of_the_generator(sizes, special, monkeypatch):
    direction = "BA" if special == "the other direction" else "AB"
    if special == "no oneDNN":
        monkeypatch.setattr("torch.backends.mkldnn.is_available", lambda: False)
    rng = np.random.default_rng(0)
    moments = [rng.uniform(low, high, 40) for low, high in ((-60, -20), (2, 9), (-70, -10), (1, 8))]
    if special == "a band far from 0 dB":
        moments[0][7], moments[1][7] = -100, 0.005  # dB: it hardly varies
    translator = far_from_start(Normalizer(*moments), direction, **sizes)
    x = translator.normalizer.denormalize(rng.normal(size=(300, 50, 40)), direction[0])
    assert difference(translator, x) < 3e-5


@pytest.mark.parametrize("sizes", [SIZES[0], SIZES[-1]])
@pytest.mark.parametrize("shape", [(3, 50, 40), (7, 1, 40), (2, 7001, 40), (0, 50, 40)])
def test_translation_is_that_of_the_generator_whatever_the_slices(shape, sizes):
    rng = np.random.default_rng(0)
    normalizer = Normalizer(*(rng.uniform(1, 5, 40) for _ in range(4)))
    x = normalizer.denormalize(rng.normal(size=shape), "A")
    translator = far_from_start(normalizer, **sizes)
    assert difference(translator, x) < 1e-5
    assert translator.translate(x).shape == shape


@pytest.mark.parametrize("sizes", [SIZES[0], SIZES[-1]])
def test_silence_and_outliers_are_translated_as_the_generator_does(sizes):
    """Where nothing varies, rounding must not become a deviation."""
    rng = np.random.default_rng(0)
    normalizer = Normalizer(*(np.full(40, value) for value in (-60.0, 5.0, -50.0, 6.0)))
    x = normalizer.denormalize(rng.normal(size=(6, 50, 40)), "A")
    x[0] = -100  # digital silence
    x[1] = x[1, :1]  # the same slice all the time
    x[2, :, 7:20] = -99.99  # bands without sound
    x[3, 20] += 80  # a knock
    x[4] += 60  # loud, 12 deviations from what is usual
    x[5] = x[5, :1] + (x[5] - x[5, :1]) / 50 + 40  # loud and steady
    translator = far_from_start(normalizer, **sizes)
    assert difference(translator, x) < 1e-4
    assert np.ptp(translator.translate(x)[:2], axis=1).max() < 1e-3  # dB


def test_arrays_of_other_types_and_read_only_ones_are_translated(translator, tmp_path, recwarn):
    x = make_set("cpc006", n=5, shift=10).features
    np.save(tmp_path / "x.npy", x)
    expected = translator.translate(x)
    for other in (x.astype(float), np.asfortranarray(x), np.load(tmp_path / "x.npy", mmap_mode="r")):
        translated = translator.translate(other)
        assert translated.dtype == np.float32
        np.testing.assert_array_equal(translated, expected)
    assert not recwarn.list  # torch warns of arrays that it could change
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), x)
