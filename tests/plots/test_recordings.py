"""Figures of recordings and features: axes, labels, data."""

import librosa
import numpy as np
import pytest

from cyclegan_lib import plots
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.log_mel import band_frequencies, hertz
from cyclegan_lib.plots.style import COLOUR_A, COLOUR_B

SETTINGS = FeatureSettings()
RNG = np.random.default_rng(0)
A, B = RNG.normal(-30, 5, (6, 50, 40)), RNG.normal(-50, 2, (6, 50, 40))
SETS = {"cpc006": A, "BATCH_UPLOAD": B}


def labels(axis) -> tuple[str, str]:
    return axis.get_xlabel(), axis.get_ylabel()


def legend_of(axis) -> list[str]:
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_band_frequencies_are_the_filters_centres_and_written_for_people():
    filters = librosa.filters.mel(sr=16000, n_fft=16384, n_mels=40, fmin=60)
    centres = filters.argmax(axis=1) * 16000 / 16384
    np.testing.assert_allclose(band_frequencies(SETTINGS), centres, atol=2)
    assert [hertz(f) for f in (421.3, 2434)] == ["421 Hz", "2.4 kHz"]


def test_recordings_show_seconds_of_each_device_on_one_scale():
    sound = np.sin(np.arange(16000) / 10)
    figure = plots.recordings({"cpc006": sound, "BATCH_UPLOAD": sound / 2}, SETTINGS, seconds=0.25)
    lines = [axis.lines[0] for axis in figure.axes]
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["cpc006", "BATCH_UPLOAD"]
    assert lines[0].get_xdata()[-1] == pytest.approx(0.25, abs=1e-3)
    assert [line.get_color() for line in lines] == [COLOUR_A, COLOUR_B]
    assert labels(figure.axes[1]) == ("time (s)", "amplitude (full scale 1)")
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_panels_share_one_scale_and_their_ticks_stand_at_their_frequencies():
    figure = plots.feature_panels({"cpc006": A[0], "BATCH_UPLOAD": B[0]}, SETTINGS)
    images = [axis.images[0] for axis in figure.axes[:2]]
    assert images[0].get_clim() == images[1].get_clim()
    np.testing.assert_array_equal(images[0].get_array(), A[0].T)
    assert images[0].get_extent()[1] == pytest.approx(10.0)
    assert labels(figure.axes[1]) == ("time (s)", "frequency (Hz)")
    assert figure.axes[2].get_ylabel() == "level (dB)"
    ticks = {text.get_text(): text.get_position()[1] for text in figure.axes[0].get_yticklabels()}
    below = np.searchsorted(band_frequencies(SETTINGS), 2000)  # bands whose centre is lower
    assert ticks["2000"] == pytest.approx(below, abs=0.5)


def test_panels_of_different_lengths_are_all_whole():
    first, second = plots.feature_panels({"cpc006": A[0], "BATCH_UPLOAD": B[0, :25]}, SETTINGS).axes[:2]
    assert first.get_xlim() == second.get_xlim() == (0, 10)
    assert second.images[0].get_extent()[1] == 5


def test_spectra_show_mean_and_spread():
    (axis,) = plots.spectra({**SETS, "translated": B + 1}, SETTINGS).axes
    np.testing.assert_allclose(axis.lines[0].get_ydata(), A.mean(axis=(0, 1)))
    np.testing.assert_allclose(axis.lines[2].get_ydata(), B.mean(axis=(0, 1)) + 1)
    np.testing.assert_allclose(axis.lines[0].get_xdata(), band_frequencies(SETTINGS))
    assert len(axis.collections) == 3
    assert labels(axis) == ("frequency (Hz)", "level (dB)")
    assert legend_of(axis) == ["cpc006", "BATCH_UPLOAD", "translated"]
    assert axis.lines[2].get_linestyle() == "--"


def test_distributions_share_their_scale_where_the_unit_is_the_same():
    columns = {"before": SETS, "after": {**SETS, "translated": B + 3}}
    figure = plots.distributions(columns, (3, 30), ("level (dB)", "level (dB)"), SETTINGS)
    first, second = figure.axes[:2]
    assert (first.get_xlim(), first.get_ylim()) == (second.get_xlim(), second.get_ylim())
    assert [first.get_title(loc="left"), second.get_title(loc="left")] == ["before", "after"]
    assert labels(figure.axes[2])[0] == "level (dB)"
    assert first.get_ylabel() == hertz(band_frequencies(SETTINGS)[3])
    assert legend_of(second) == ["cpc006", "BATCH_UPLOAD", "translated"]


def test_distributions_in_other_units_have_their_own_scale_and_a_density_of_1():
    columns = {"raw": SETS, "normalised": {"cpc006": A / 50, "BATCH_UPLOAD": B / 50}}
    first, second = plots.distributions(columns, (3,), ("level (dB)", "z-score"), SETTINGS).axes
    assert first.get_xlim() != second.get_xlim()
    x, y = first.patches[0].get_path().vertices.T
    assert np.abs(np.trapezoid(y, x)) == pytest.approx(1, abs=0.05)


def test_embedding_shows_source_and_translation_against_the_target_on_one_scale():
    before, after = plots.embedding(A, B + 0.1, B, ("cpc006", "BATCH_UPLOAD")).axes
    assert legend_of(before) == ["BATCH_UPLOAD", "cpc006"]
    assert legend_of(after) == ["BATCH_UPLOAD", "cpc006, translated"]
    target, source = (points.get_offsets() for points in before.collections)
    same, translated = (points.get_offsets() for points in after.collections)
    np.testing.assert_array_equal(target, same)
    assert abs(source[:, 0].mean() - target[:, 0].mean()) > 5 * (source[:, 0].std() + target[:, 0].std())
    assert abs(translated[:, 0].mean() - target[:, 0].mean()) < target[:, 0].std()
    assert len(source) == 300
    assert before.get_xlim() == after.get_xlim()
    assert "principal component (dB)" in before.get_xlabel()
