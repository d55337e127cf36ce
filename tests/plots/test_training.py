"""Figures of a training run and of its files."""

import pytest

from cyclegan_lib import plots
from cyclegan_lib.plots.style import COLOUR_A

NAMES = ("cpc006", "BATCH_UPLOAD")


def test_training_curves_mark_the_chosen_epoch():
    history = [{"epoch": 0, "val_distance": 3.0, "val_distance_AB": 2.0}] + [
        {"epoch": e, "val_distance": 3.0 / e, "val_cycle_A": 0.1, "train_cycle": 0.2} for e in (1, 2)
    ]
    top, middle, bottom = plots.training_curves(history, NAMES, best_epoch=2).axes
    lines = {line.get_label(): line for line in top.lines}
    assert list(lines["mean"].get_ydata()) == [3.0, 3.0, 1.5]
    assert list(lines["cpc006 → BATCH_UPLOAD"].get_ydata()) == [2.0]
    chosen = lines["chosen: epoch 2"]
    assert (list(chosen.get_xdata()), list(chosen.get_ydata())) == ([2], [1.5])
    assert "chosen: epoch 2" in [text.get_text() for text in top.get_legend().get_texts()]
    assert list(middle.lines[0].get_xdata()) == [1, 2]
    assert middle.lines[0].get_color() == COLOUR_A
    assert bottom.get_xlabel() == "epoch" and top.get_title(loc="left")


def test_an_empty_history_is_an_empty_figure():
    assert [len(axis.lines) for axis in plots.training_curves([], NAMES).axes] == [0, 0, 0]


def test_file_sizes_are_bars_in_megabytes():
    (axis,) = plots.file_sizes({"best.ckpt": 11.0004, "generator_AB.pth": 0.5}).axes
    assert [bar.get_width() for bar in axis.patches] == [11.0, 0.5]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["best.ckpt", "generator_AB.pth"]
    assert [text.get_text() for text in axis.texts] == ["11.00", "0.50"]
    assert axis.get_xlabel() == "size (MB)"
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "the checkpoint comes first, on top"
    assert axis.get_xlim()[0] == pytest.approx(0)
