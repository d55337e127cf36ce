"""Sentences are computed: what is put into the data comes out of them, under the devices' names."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation import findings
from cyclegan_lib.evaluation.reliability import Reliability
from cyclegan_lib.evaluation.report import Evaluation, Row
from cyclegan_lib.features.log_mel import band_frequencies, hertz

SETTINGS = FeatureSettings()
RNG = np.random.default_rng(0)


def at(band: int) -> str:
    return f"at {hertz(band_frequencies(SETTINGS)[band])}"


@pytest.fixture
def devices():
    """`hall` is 6 dB louder than `bench`, but 4 dB quieter in band 9, and constant in bands 0 to 2."""
    bench = make_set("bench", 12)
    features = bench.features + 6
    features[..., :3] = bench.features[..., :3].mean(axis=(0, 1)) + 0.1 * RNG.normal(size=(12, 50, 3))
    features[..., 9] = bench.features[..., 9] - 4
    return bench.with_features(features, "hall"), bench


def test_levels_of_devices_and_where_one_varies_less(devices):
    level, spread, narrow = findings.of_devices(*devices)
    mean = (36 * 6 - 4) / 40
    assert level.startswith(f"hall is {mean:.1f} dB louder than bench on average over the bands:")
    assert f"from -4.0 dB {at(9)} to +6.0 dB at " in level
    assert "at hall and by" in spread and "at bench" in spread
    last = hertz(band_frequencies(SETTINGS)[2])
    first = hertz(band_frequencies(SETTINGS)[0])
    assert narrow == f"hall varies less than two thirds as much as bench at {first} to {last}."
    quieter, *_ = findings.of_devices(*devices[::-1])
    assert quieter.startswith("bench is ") and "quieter than hall" in quieter


def test_what_a_translation_adds(devices):
    before = devices[1]
    added = np.zeros((12, 1, 40), np.float32)
    added[..., 5], added[..., 7] = -9, 12
    added[::2, :, 20] = 8  # of every other recording
    after = before.with_features(before.features + added, "hall")
    mean, spread = findings.of_change(before, after)
    assert mean == f"The translation from bench to hall adds -9 dB {at(5)} to +12 dB {at(7)} on average."
    assert spread.endswith(f"most, 4 dB {at(20)}.")


def test_where_it_errs():
    difference = np.ones((8, 50, 40))
    difference[..., 11] = 5 * np.where(np.arange(50) % 2, 1, -1)[:, None].T  # not constant
    difference[..., 3] = 0
    heard = np.where((np.arange(40) >= 30) & (np.arange(40) < 33), 0.1, 0.9)
    names = np.array([f"r{i}" for i in range(8)])
    found = Reliability(names, None, difference, heard, np.arange(8.0), np.ones(8))
    said = findings.of_errors(found, "hall", "bench", SETTINGS)
    error = np.sqrt((25 + 38) / 40)
    assert said[0] == f"The error is {error:.1f} dB, largest, 5.0 dB {at(11)}; smallest, 0.0 dB {at(3)}."
    ends = [hertz(band_frequencies(SETTINGS)[band]) for band in (30, 32)]
    assert said[1].startswith(f"hall hears little of what is loud at bench at {ends[0]} to {ends[1]} (")
    assert said[2].startswith(f"{38 / 63:.0%} of the squared error")
    assert "holds 25% of the squared error; 25% would be chance" in said[3]
    everywhere = findings.of_errors(replace(found, heard=np.ones(40)), "hall", "bench", SETTINGS)
    assert everywhere[1].startswith("In every band the levels at hall tell of those at bench")
    (doubt,) = findings.of_errors(replace(found, difference=None), "hall", "bench", SETTINGS)
    assert "disagree most on r7 of hall" in doubt


@pytest.mark.parametrize(("ours", "words"), [(0.2, ("nearer", "better")), (0.9, ("not nearer", "no better"))])
def test_whether_it_is_better(ours, words):
    rows = [
        Row("identity", sliced_wasserstein=0.8, nmse=1.5, baseline=True),
        Row("CORAL", sliced_wasserstein=0.4, nmse=0.4, baseline=True),
        Row("CycleGAN", sliced_wasserstein=ours, nmse=ours),
    ]
    result = Evaluation(rows, "hall", "bench", {}, 20, 5, "training sets", 0)
    assert findings.of_evaluation(result) == [
        f"The translation is {words[0]} to bench than no translation: sliced Wasserstein {ours:.2f},"
        " untranslated 0.80.",
        f"NMSE against the pairs: {ours:.2f}, {words[1]} than the best baseline (CORAL, 0.40).",
    ]
