"""The figure of errors and their signs."""

from dataclasses import replace

import numpy as np

from cyclegan_lib import plots
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.reliability import Reliability

SETTINGS = FeatureSettings()
JUDGED = Reliability(
    recording=np.array([f"r{i}" for i in range(8)]),
    label=np.array(["normal", "ball"] * 4),
    difference=np.random.default_rng(0).normal(size=(8, 50, 40)) * np.arange(1, 9)[:, None, None],
    heard=np.linspace(1, 0, 40),
    disagreement=np.arange(8) / 10,
    novelty=np.ones(8),
)


def test_all_four_panels_show_their_data():
    slices, signs, bands, heard = plots.reliability(JUDGED, SETTINGS).axes[:4]
    np.testing.assert_allclose(slices.images[0].get_array(), JUDGED.slice_error[::-1])
    points = np.concatenate([group.get_offsets() for group in signs.collections])
    np.testing.assert_allclose(np.sort(points[:, 0]), JUDGED.disagreement)
    assert [text.get_text() for text in signs.get_legend().get_texts()] == ["ball", "normal"]
    assert "Spearman 1.00" in signs.get_title(loc="left")
    np.testing.assert_allclose(bands.lines[0].get_ydata(), JUDGED.band_error[0])
    np.testing.assert_allclose(heard.lines[0].get_ydata(), JUDGED.heard)
    assert heard.get_ylim() == (0, 1)
    assert (bands.get_xlabel(), bands.get_ylabel()) == ("frequency (Hz)", "error (dB)")
    assert slices.get_xlabel() == "time (s)"


def test_without_a_truth_only_the_signs_are_shown():
    (axis,) = plots.reliability(replace(JUDGED, difference=None, heard=None, label=None), SETTINGS).axes
    np.testing.assert_allclose(axis.collections[0].get_offsets()[:, 0], JUDGED.disagreement)
    assert "disagreement" in axis.get_xlabel() and "novelty" in axis.get_ylabel()
