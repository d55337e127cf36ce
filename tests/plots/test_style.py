"""Colours that colour-blind readers tell apart."""

import io
from itertools import combinations

import matplotlib.colors
import matplotlib.font_manager
import numpy as np
import pytest
from PIL import Image

from cyclegan_lib.plots.style import (
    COLOUR_OTHER,
    COLOURS,
    DIFFERENCE_MAP,
    ERROR_MAP,
    LEVEL_MAP,
    fonts,
    installed_fonts,
    new_figure,
    page_png,
)

# linear sRGB as people without one kind of cones see it: G. M. Machado et al., "A Physiologically-based Model
# for Simulation of Color Vision Deficiency", IEEE TVCG 15, 2009, table of severity 1.0
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
# from linear sRGB to CIE XYZ, IEC 61966-2-1; its row sums are the white point D65
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
DISTINCT = 20  # CIE76 colour differences above this are seen at a glance, 2.3 can just be seen


def lab(colour: str | np.ndarray, vision: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of a colour as someone with this vision sees it."""
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(vision @ linear, 0, 1) / XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_devices_translation_and_baselines_are_told_apart(vision):
    shown = [*COLOURS, COLOUR_OTHER]
    seen = [lab(colour, VISION[vision]) for colour in shown]
    apart = {
        pair: np.linalg.norm(np.subtract(*both))
        for pair, both in zip(combinations(shown, 2), combinations(seen, 2), strict=True)
    }
    assert min(apart.values()) > DISTINCT, apart


def test_the_check_notices_colours_that_are_not():
    red, green = (lab(colour, VISION["deuteranopia"]) for colour in ("#b06040", "#7a7a30"))
    assert np.linalg.norm(red - green) < DISTINCT


def test_chinese_names_have_a_font_where_there_is_one_and_nothing_else_changes():
    assert fonts(["SimHei", "Arial", "DejaVu Sans"]) == ["DejaVu Sans", "SimHei"]
    assert fonts([]) == ["DejaVu Sans"]
    _, (axis,) = new_figure(2, 2, 1)
    assert axis.text(0, 0, "x").get_fontfamily() == fonts(matplotlib.font_manager.get_font_names())


def test_a_font_that_is_newer_than_the_list_of_fonts_is_found(monkeypatch):
    path = matplotlib.font_manager.findfont("DejaVu Sans")
    monkeypatch.setattr(matplotlib.font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr("cyclegan_lib.plots.style.findSystemFonts", lambda: [__file__, path])
    assert installed_fonts() == ["DejaVu Sans"]


def test_a_font_of_one_weight_is_taken_without_a_word(caplog):
    matplotlib.font_manager.findfont(matplotlib.font_manager.FontProperties(family="DejaVu Sans", weight=1))
    assert caplog.text == ""


def test_maps_are_lighter_the_more_there_is_and_a_difference_of_0_is_grey():
    for name in (LEVEL_MAP, DIFFERENCE_MAP, ERROR_MAP):
        colours = matplotlib.colormaps[name](np.linspace(0, 1, 32))
        for vision in VISION.values():
            lightness = np.array([lab(colour, vision)[0] for colour in colours])
            assert (np.diff(lightness) > 0).all(), name
    assert np.ptp(matplotlib.colormaps[DIFFERENCE_MAP](0.5)[:3]) < 0.02


def test_pictures_in_a_page_have_150_dots_per_inch_the_figure_s_size_and_its_colours():
    figure, (axis,) = new_figure(4, 3, 1)
    axis.imshow(np.linspace(0, 1, 400).reshape(20, 20), cmap="magma")
    axis.plot([0, 19], [0, 19], color=COLOUR_OTHER)
    png, shown = page_png(figure)
    figure.savefig(drawn := io.BytesIO(), bbox_inches="tight", dpi=150)
    with Image.open(io.BytesIO(png)) as page, Image.open(drawn) as exact:
        assert page.size == exact.size
        assert shown["width"] == pytest.approx(page.width * 0.6, abs=1)  # 90 to an inch
        pixels = [np.asarray(picture.convert("RGB"), dtype=int) for picture in (page, exact)]
    assert np.abs(pixels[0] - pixels[1]).max() <= 12, "nobody sees that"
    assert page_png(figure)[0] == png
