"""The figure of errors and their signs."""

import numpy as np

from cyclegan_lib import plots
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.reliability import Reliability

SETTINGS = FeatureSettings()


def found(paired: bool = True, label: bool = True) -> Reliability:
    rng = np.random.default_rng(0)
    return Reliability(
        recording=np.array([f"r{i}" for i in range(8)]),
        label=np.array(["normal", "ball"] * 4) if label else None,
        difference=rng.normal(size=(8, 50, 40)) * np.arange(1, 9)[:, None, None] if paired else None,
        heard=np.linspace(1, 0, 40) if paired else None,
        disagreement=np.arange(8) / 10,
        novelty=np.ones(8),
    )


def test_all_four_panels_show_their_data():
    slices, signs, bands, heard = [axis for axis in plots.reliability(found(), SETTINGS).axes[:4]]
    np.testing.assert_allclose(slices.images[0].get_array(), found().slice_error[::-1])
    points = np.concatenate([group.get_offsets() for group in signs.collections])
    np.testing.assert_allclose(np.sort(points[:, 0]), found().disagreement)
    assert [text.get_text() for text in signs.get_legend().get_texts()] == ["ball", "normal"]
    assert "Spearman 1.00" in signs.get_title(loc="left")
    np.testing.assert_allclose(bands.lines[0].get_ydata(), found().band_error[0])
    np.testing.assert_allclose(heard.lines[0].get_ydata(), found().heard)
    assert heard.get_ylim() == (0, 1)
    assert (slices.get_xlabel(), bands.get_xlabel(), bands.get_ylabel()) == (
        "time (s)",
        "frequency (Hz)",
        "error (dB)",
    )


def test_without_a_truth_only_the_signs_are_shown():
    (axis,) = plots.reliability(found(paired=False, label=False), SETTINGS).axes
    np.testing.assert_allclose(axis.collections[0].get_offsets()[:, 0], found().disagreement)
    assert "disagreement" in axis.get_xlabel() and "novelty" in axis.get_ylabel()
