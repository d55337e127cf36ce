"""Figures of recordings and features: axes, labels, data."""

import librosa
import numpy as np
import pytest
from matplotlib.path import Path

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
    assert len({line.get_linestyle() for line in axis.lines}) == 3, "told apart in grey"


def test_distributions_share_their_scale_where_the_unit_is_the_same():
    columns = {"before": SETS, "after": {**SETS, "translated": B + 3}}
    figure = plots.distributions(columns, (3, 30), ("level (dB)", "level (dB)"), SETTINGS)
    first, second = figure.axes[:2]
    assert (first.get_xlim(), first.get_ylim()) == (second.get_xlim(), second.get_ylim())
    band = hertz(band_frequencies(SETTINGS)[3])
    titles = [axis.get_title(loc="left") for axis in (first, second)]
    assert titles == [f"before, {band}", f"after, {band}"]
    assert labels(figure.axes[2]) == ("level (dB)", "slices (%)")
    assert legend_of(second) == ["cpc006", "BATCH_UPLOAD", "translated"]
    assert len({line.get_linestyle() for line in second.lines}) == 3, "told apart in grey"
    highest = max(line.get_ydata().max() for axis in (first, second) for line in axis.lines)
    assert first.get_ylim()[0] == 0 and first.get_ylim()[1] >= highest, "nothing is cut off"


def test_distributions_in_other_units_have_their_own_scale_and_parts_that_sum_to_all():
    columns = {"raw": SETS, "normalised": {"cpc006": A / 50, "BATCH_UPLOAD": B / 50}}
    first, second = plots.distributions(columns, (3,), ("level (dB)", "z-score"), SETTINGS).axes
    assert first.get_xlim() != second.get_xlim()
    for axis in (first, second):
        for line in axis.lines:
            assert line.get_ydata()[:-1].sum() == pytest.approx(100, abs=2)  # but for the outermost


def test_embedding_shows_source_and_translation_within_lines_around_the_target_on_one_scale():
    figure = plots.embedding(A, B + 0.1, B, ("cpc006", "BATCH_UPLOAD"))
    before, after = figure.axes
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "cpc006, as recorded",
        "cpc006, translated",
        "around 50% of BATCH_UPLOAD",
        "around 95% of BATCH_UPLOAD",
    ]
    source, translated = (axis.collections[0].get_offsets() for axis in (before, after))
    assert len(source) == 300
    for axis in (before, after):
        inner, outer = (lines.get_paths()[0] for lines in axis.collections[1:])
        assert 0.4 < inside(inner, translated) < 0.7 and 0.9 < inside(outer, translated) <= 1
        assert inside(outer, source) == 0
    assert before.get_xlim() == after.get_xlim()
    assert "principal component (dB)" in before.get_xlabel()


def inside(lines, points) -> float:
    """The part of points that lines go around."""
    return np.any([Path(x).contains_points(points) for x in lines.to_polygons()], axis=0).mean()


def test_an_embedding_of_a_silent_target_is_drawn():
    figure = plots.embedding(A, B, np.full((3, 50, 40), -80.0), ("cpc006", "BATCH_UPLOAD"))
    assert len(figure.axes[0].collections[0].get_offsets()) == 300
