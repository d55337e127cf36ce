"""What each figure draws: axes, labels, data."""

import numpy as np
import pytest

from cyclegan_lib import plots
from cyclegan_lib.config import FeatureSettings

SETTINGS = FeatureSettings()
RNG = np.random.default_rng(0)
A, B = RNG.normal(-30, 5, (6, 50, 40)), RNG.normal(-50, 2, (6, 50, 40))


def labels(axis) -> tuple[str, str]:
    return axis.get_xlabel(), axis.get_ylabel()


def test_band_frequencies_are_the_filters_centres():
    import librosa

    filters = librosa.filters.mel(sr=16000, n_fft=16384, n_mels=40, fmin=60)
    centres = filters.argmax(axis=1) * 16000 / 16384
    np.testing.assert_allclose(plots.band_frequencies(SETTINGS), centres, atol=2)


def test_recordings_show_seconds_of_each_device():
    sound = np.sin(np.arange(16000) / 10)
    figure = plots.recordings({"cpc006": sound, "BATCH_UPLOAD": sound / 2}, SETTINGS, seconds=0.25)
    lines = [axis.lines[0] for axis in figure.axes]
    assert [axis.get_title() for axis in figure.axes] == ["cpc006", "BATCH_UPLOAD"]
    assert lines[0].get_xdata()[-1] == pytest.approx(0.25, abs=1e-3)
    assert [line.get_color() for line in lines] == [plots.COLOUR_A, plots.COLOUR_B]
    assert labels(figure.axes[1]) == ("time (s)", "amplitude")


def test_panels_share_one_scale():
    figure = plots.feature_panels({"cpc006": A[0], "BATCH_UPLOAD": B[0]}, SETTINGS)
    images = [axis.images[0] for axis in figure.axes[:2]]
    assert images[0].get_clim() == images[1].get_clim()
    np.testing.assert_array_equal(images[0].get_array(), A[0].T)
    assert images[0].get_extent()[1] == pytest.approx(10.0)
    assert figure.axes[0].get_ylabel() == "Hz"


def test_spectra_show_mean_and_spread():
    (axis,) = plots.spectra({"cpc006": A, "BATCH_UPLOAD": B}, SETTINGS).axes
    np.testing.assert_allclose(axis.lines[0].get_ydata(), A.mean(axis=(0, 1)))
    np.testing.assert_allclose(axis.lines[0].get_xdata(), plots.band_frequencies(SETTINGS))
    assert len(axis.collections) == 2
    assert labels(axis) == ("frequency (Hz)", "level (dB)")
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["cpc006", "BATCH_UPLOAD"]


def test_distributions_share_their_edges_in_a_panel():
    sets = {"cpc006": A, "BATCH_UPLOAD": B}
    figure = plots.distributions({"raw": sets, "normalised": sets}, (3, 30), ("dB", "z-score"))
    assert len(figure.axes) == 4
    assert figure.axes[2].get_xlabel() == "dB"
    a, b = figure.axes[0].containers
    assert [p.get_x() for p in a] == [p.get_x() for p in b]
    assert sum(p.get_height() * p.get_width() for p in a) == pytest.approx(1, abs=0.02)


def test_training_curves_mark_the_chosen_epoch():
    history = [{"epoch": 0, "val_distance": 3.0}] + [
        {"epoch": e, "val_distance": 3.0 / e, "val_cycle_A": 0.1, "train_cycle": 0.2} for e in (1, 2)
    ]
    figure = plots.training_curves(history, best_epoch=2)
    top, middle, _ = figure.axes
    assert list(top.lines[0].get_ydata()) == [3.0, 3.0, 1.5]
    assert list(middle.lines[0].get_xdata()) == [1, 2]
    assert "chosen: epoch 2" in [text.get_text() for text in top.get_legend().get_texts()]
    assert plots.training_curves([]).axes


def test_translation_shows_source_translation_truth_and_difference():
    figure = plots.translation(A[0], B[0], B[1], ("cpc006", "BATCH_UPLOAD"), SETTINGS)
    panels = [axis for axis in figure.axes if axis.images]
    assert len(panels) == 4
    np.testing.assert_allclose(panels[3].images[0].get_array(), (B[0] - B[1]).T)
    assert panels[3].images[0].get_clim() == (-15, 15)
    without = plots.translation(A[0], B[0], None, ("cpc006", "BATCH_UPLOAD"), SETTINGS)
    assert len([axis for axis in without.axes if axis.images]) == 2


def test_embedding_separates_what_is_apart():
    (axis,) = plots.embedding({"cpc006": A, "BATCH_UPLOAD": B, "translated": B}).axes
    a, b, c = (points.get_offsets() for points in axis.collections)
    assert abs(a[:, 0].mean() - b[:, 0].mean()) > 5 * (a[:, 0].std() + b[:, 0].std())
    assert len(a) == 300
    assert "principal component" in axis.get_xlabel()


def test_rows_show_every_method_and_the_null():
    table = [
        ("real B", {"nmse": 0.0, "d": 0.3}),
        ("identity", {"nmse": 9.0, "d": 4.0}),
        ("CycleGAN", {"nmse": 0.2, "d": 0.5}),
    ]
    figure = plots.rows(table, {"nmse": "NMSE", "d": "distance"}, null="real B")
    nmse, distance = figure.axes
    assert [bar.get_width() for bar in distance.patches] == [4.0, 0.5]
    assert distance.lines[0].get_xdata()[0] == 0.3
    assert nmse.get_xscale() == "log"
    assert [t.get_text() for t in nmse.get_yticklabels()] == ["identity", "CycleGAN"]
