"""What all figures share: colours, sizes, axes.

Colours are Okabe and Ito's [1]_, told apart by colour-blind readers too, and mean the same everywhere: domain
A orange, domain B blue, translated green. In grey they are alike: lines, markers or panels tell apart what
colours do, too. Where two panels are compared they have one scale.

.. [1] M. Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/
"""

import io
import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findSystemFonts, fontManager, get_font_names
from matplotlib.image import AxesImage
from PIL import Image

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.log_mel import band_frequencies

COLOUR_A, COLOUR_B, COLOUR_TRANSLATED, COLOUR_OTHER = "#D55E00", "#0072B2", "#009E73", "#BBBBBB"
COLOURS = (COLOUR_A, COLOUR_B, COLOUR_TRANSLATED)
LINES = (":", "-", "--")  # of the same
# Okabe and Ito's other colours, for what is neither a device nor a translation: faults, losses, seeds
OTHER_COLOURS = ("#000000", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442", COLOUR_OTHER)
MARKERS = ("o", "s", "^", "D", "v", "P")
# lighter is more in all of them, so that grey tells the sign of a difference, too; 0 is the middle's grey
LEVEL_MAP, DIFFERENCE_MAP, ERROR_MAP = "magma", "cividis", "viridis"
DOTS_PER_INCH, PALETTE = 150, 256  # of files, and in pages, where more colours would take thrice the room
FREQUENCIES = (100, 200, 500, 1000, 2000, 5000, 10000, 20000)  # ticks, in Hz
LARGEST_DIFFERENCE = 15.0  # dB at which the colours of a difference end

# fonts that have Chinese, as names of devices and faults may need, on Linux, Windows and macOS
CHINESE = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei")
CHINESE += ("WenQuanYi Micro Hei", "SimHei", "PingFang SC", "Hiragino Sans GB", "STHeiti", "Arial Unicode MS")
CHINESE += ("Droid Sans Fallback",)


def fonts(installed: Collection[str]) -> list[str]:
    """The fonts of figures, of which each letter takes the first that has it."""
    return ["DejaVu Sans", *(name for name in CHINESE if name in installed)]


def installed_fonts() -> list[str]:
    """Names of the fonts; where none has Chinese, of those too that matplotlib has not listed yet."""
    if len(fonts(get_font_names())) == 1:
        for path in set(findSystemFonts()) - {font.fname for font in fontManager.ttflist}:
            with suppress(Exception):  # as matplotlib itself passes by what is no font
                fontManager.addfont(path)
    return get_font_names()


# for the whole session: texts are made outside `new_figure` too
matplotlib.rcParams["font.family"] = fonts(installed_fonts())
matplotlib.rcParams["savefig.dpi"] = DOTS_PER_INCH
# most fonts with Chinese have one weight; each other one that is asked for would be a warning in the notebook
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "axes.axisbelow": True,
    # inches: a title stands apart from the axis above it, what is written beside a panel from the next
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.w_pad": 0.07,
}


def new_figure(
    width: float, height: float, nrows: int, ncols: int = 1, **sharing: object
) -> tuple[Figure, list[Axes]]:
    """A figure of this size in inches, and its panels in a flat list, row by row."""
    with matplotlib.rc_context(_STYLE):
        # not pyplot: figures that it makes are kept open for the whole session, and shown twice in a notebook
        figure = Figure(figsize=(width, height), layout="constrained", dpi=90)
        axes = figure.subplots(nrows, ncols, squeeze=False, **sharing)
    return figure, list(axes.ravel())


def page_png(figure: Figure) -> tuple[bytes, dict[str, int]]:
    """A figure as PNG for a notebook or a report, and the width and height to show it at, in CSS pixels."""
    drawn, file = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, bbox_inches="tight")
    with Image.open(drawn) as picture:
        few = picture.convert("RGB").quantize(PALETTE, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True)
    sides = dict(zip(("width", "height"), few.size, strict=True))
    return file.getvalue(), {name: round(x * figure.dpi / DOTS_PER_INCH) for name, x in sides.items()}


def title(axis: Axes, text: str) -> None:
    """Set a panel's title, at its left."""
    axis.set_title(text, loc="left", fontsize=_STYLE["axes.titlesize"])


def colour_bar(image: AxesImage, axes: Sequence[Axes], label: str, **options: object) -> None:
    """Name the colours of `image` beside `axes`, all of which share them."""
    with matplotlib.rc_context(_STYLE):
        axes[0].figure.colorbar(image, ax=list(axes), label=label, fraction=0.03, **options)


def beside(axis: Axes, place: float, text: str, **options: object) -> None:
    """Write to the right of a panel, at `place` of its y axis, where it lies over nothing."""
    at = axis.get_yaxis_transform()
    axis.annotate(text, (1.02, place), xycoords=at, va="center", fontsize=8, **options)


def legend(axis: Axes, **options: object) -> None:
    """A legend without a frame, where the panel has something to name."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False, fontsize=8, **options)


def frequency_axis(axis: Axes, settings: FeatureSettings) -> None:
    """Make the x axis one of frequency, logarithmic, in Hz."""
    frequencies = band_frequencies(settings)
    ticks = [f for f in FREQUENCIES if frequencies[0] <= f <= frequencies[-1]]
    axis.set(xscale="log", xlabel="frequency (Hz)")
    axis.set_xticks(ticks, [str(f) for f in ticks])
    axis.minorticks_off()


def panel(
    axis: Axes, x: np.ndarray, settings: FeatureSettings, colours: str, low: float, high: float
) -> AxesImage:
    """A sequence as an image, time against frequency; (slices, 40)."""
    end = len(x) * settings.slice_hop_s
    image = axis.imshow(
        x.T, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high, extent=(0, end, 0, x.shape[1])
    )
    frequencies = band_frequencies(settings)
    ticks = [f for f in FREQUENCIES if frequencies[0] <= f <= frequencies[-1]]
    places = np.interp(ticks, frequencies, np.arange(len(frequencies)) + 0.5)
    axis.set_yticks(places, [str(f) for f in ticks])
    axis.set_ylabel("frequency (Hz)")
    return image


def scale(arrays: Iterable[np.ndarray]) -> tuple[float, float]:
    """One range for several arrays, without the outermost half percent at either end."""
    values = np.concatenate([np.ravel(x) for x in arrays])
    return float(np.percentile(values, 0.5)), float(np.percentile(values, 99.5))
