"""Figures of a translation: panels, differences, measures."""

import numpy as np
import pytest

from cyclegan_lib import plots
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.evaluation.report import Row

SETTINGS = FeatureSettings()
RNG = np.random.default_rng(0)
A, B = RNG.normal(-30, 5, (6, 50, 40)), RNG.normal(-50, 2, (6, 50, 40))
NAMES = ("cpc006", "BATCH_UPLOAD")


def panels(figure) -> list:
    """Those that show something: source, truth (if there is one), translated, difference."""
    return [axis for axis in figure.axes if axis.images]


def test_translation_shows_source_translation_truth_and_difference():
    shown = panels(plots.translation(A[0], B[0], B[1], NAMES, SETTINGS))
    data = [axis.images[0].get_array() for axis in shown]
    np.testing.assert_allclose(data, [x.T for x in (A[0], B[1], B[0], B[0] - B[1])])
    titles = [axis.get_title(loc="left") for axis in shown[:3]]
    assert [title.split(",")[0] for title in titles] == ["cpc006", "BATCH_UPLOAD", "cpc006"]
    assert len({axis.images[0].get_clim() for axis in shown[:3]}) == 1
    assert shown[3].images[0].get_clim() == (-15, 15)
    assert (shown[2].get_xlabel(), shown[2].get_ylabel()) == ("time (s)", "frequency (Hz)")
    figure = shown[0].figure
    figure.draw_without_rendering()
    for above, below in zip(shown[:2], shown[2:], strict=True):  # no title lies over the panel above
        assert below._left_title.get_window_extent().y1 < above.get_window_extent().y0


def test_the_caption_says_how_far_the_translation_is_off_and_is_not_cut_off():
    truth = B[0].copy()
    truth[:, 1::2] += 10  # as many bands to name as there can be
    figure = plots.translation(A[0], B[0], truth, NAMES, SETTINGS)
    off = np.sqrt(((B[0] - truth) ** 2).mean())
    text = figure.get_supxlabel()
    assert f"is {off:.1f} dB off the truth" in text and "20 of 40" in text
    assert figure.draw_without_rendering() is None
    box = figure._supxlabel.get_window_extent()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width
    assert box.y1 < min(axis.get_tightbbox().y0 for axis in panels(figure))
    right = plots.translation(A[0], B[0], B[0], NAMES, SETTINGS)
    assert "on average: none." in right.get_supxlabel()


def test_without_a_pair_the_last_panel_is_what_changed():
    shown = panels(plots.translation(A[0], B[0], None, NAMES, SETTINGS))
    assert len(shown) == 3
    np.testing.assert_allclose(shown[2].images[0].get_array(), (B[0] - A[0]).T)
    assert "changed" in shown[2].get_title(loc="left")


def test_a_figure_that_is_filled_again_shows_the_new_sequence_as_a_new_figure_would():
    again = plots.TranslationFigure(SETTINGS, paired=True)
    again.show(A[0], B[0], B[1], NAMES)
    filled = again.show(B[2], A[2], A[3], NAMES[::-1])
    fresh = plots.translation(B[2], A[2], A[3], NAMES[::-1], SETTINGS)
    for one, other in zip(panels(filled), panels(fresh), strict=True):
        np.testing.assert_array_equal(one.images[0].get_array(), other.images[0].get_array())
        assert one.images[0].get_clim() == other.images[0].get_clim()
        assert one.get_title(loc="left") == other.get_title(loc="left")


def test_change_shows_what_is_added_to_each_band_and_its_spread_over_recordings():
    added = np.arange(40) + np.array([-1.0, 0, 0, 0, 0, 1])[:, None, None]
    (axis,) = plots.change(A, A + added, A.mean(axis=(0, 1)) + 7 + np.zeros((2, 50, 40)), SETTINGS).axes
    lines = {line.get_label(): line.get_ydata() for line in axis.lines}
    np.testing.assert_allclose(lines["translated, mean"], np.arange(40), atol=1e-9)
    np.testing.assert_allclose(lines["target"], 7)
    edges = axis.collections[0].get_paths()[0].vertices[:, 1]
    assert edges.max() == pytest.approx(39.75) and edges.min() == pytest.approx(-0.75)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("frequency (Hz)", "level above the source (dB)")


def test_rows_show_every_method_its_interval_and_the_null():
    table = [
        Row("real B", nmse=0.0, sliced_wasserstein=0.3),
        Row("identity", nmse=9.0, sliced_wasserstein=4.0, interval={"nmse": (8.0, 9.5)}),
        Row("CycleGAN", nmse=0.2, sliced_wasserstein=0.5, deviation={"sliced_wasserstein": 0.1}),
    ]
    measures = ("nmse", "sliced_wasserstein", "accuracy_forest")
    figure = plots.rows(table, measures, null="real B")
    nmse, distance = figure.axes  # what is not known has no panel
    assert [bar.get_width() for bar in distance.patches] == [4.0, 0.5]
    assert [text.get_text() for text in nmse.texts] == ["9.000", "0.200"]
    (interval, _), (deviation, null) = nmse.lines, distance.lines
    assert list(interval.get_xdata()) == [8.0, 9.5] and list(interval.get_ydata()) == [0, 0]
    np.testing.assert_allclose(deviation.get_xdata(), [0.4, 0.6])
    assert null.get_xdata()[0] == 0.3
    assert distance.get_xlim()[0] == pytest.approx(0)
    assert distance.get_xlabel() == "sliced Wasserstein\n← less is better"
    assert [t.get_text() for t in nmse.get_yticklabels()] == ["identity", "CycleGAN"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["real B"]


def test_values_lie_over_no_bar_and_no_line():
    table = [Row("real B", nmse=0.0), Row("identity", nmse=9.0), Row("CycleGAN", nmse=8.9)]
    figure = plots.rows(table, ("nmse",), null="real B")
    (axis,) = figure.axes
    figure.draw_without_rendering()
    inside = axis.get_window_extent()
    assert all(inside.x1 < text.get_window_extent().x0 < figure.bbox.width for text in axis.texts)
