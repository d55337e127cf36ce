"""The explorer: what its controls change, and what is shown where nobody is there."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set
from IPython.display import Image
from matplotlib.figure import Figure

from cyclegan_lib import explorer as module
from cyclegan_lib.errors import InputError
from cyclegan_lib.explorer import Explorer, explore, is_attended
from cyclegan_lib.export import Translator


@pytest.fixture(scope="module")
def sets():
    a = make_set("cpc006", n=6, seed=5, shift=10)
    return a, a.with_features(a.features - 8, "BATCH_UPLOAD")


@pytest.fixture
def explorer(sets, trained) -> Explorer:
    return Explorer(*sets, trained[1])


def controls(widget) -> dict:
    return {control.description: control for control in widget.children[0].children}


def test_the_chosen_checkpoint_comes_first_and_all_are_offered(explorer, trained):
    names = list(explorer.checkpoints)
    assert names[0] == "best"
    assert sorted(names) == sorted(path.stem for path in trained[1].glob("*.ckpt"))


def test_every_control_changes_the_picture(explorer):
    widget = explorer.widget("AB", 0)
    image = widget.children[1]
    seen = [image.value]
    for name, value in (("recording", 3), ("direction", "BA"), ("checkpoint", "cyclegan-last")):
        controls(widget)[name].value = value
        seen.append(image.value)
    assert controls(widget)["recording"].value == 3, "it stays when the direction turns"
    assert "cpc006-003" in controls(widget)["recording"].options[3][0]
    assert len(set(seen[:3])) == 3, "recording and direction"
    assert Image(seen[0], format="png")._repr_png_()
    back = explorer.widget("AB", 0).children[1].value
    assert back == seen[0], "the same choice gives the same picture"


def test_the_picture_is_the_exported_translation(explorer, exported, sets):
    figure, table = explorer.draw("AB", 2, "best")
    images = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    translated = Translator.load(exported, "AB").translate(sets[0].features[2:3])[0]
    np.testing.assert_allclose(images[1], translated.T, atol=1e-4)
    np.testing.assert_allclose(images[3], (translated - sets[1].features[2]).T, atol=1e-4)
    error = np.sqrt(np.mean((translated - sets[1].features[2]) ** 2))
    assert f">{error:.1f} dB<" in table


def test_of_sequences_of_different_lengths_real_slices_are_drawn(sets, trained):
    a, b = sets
    slices = np.array([50, 20, 30, 50, 50, 50])
    real = np.arange(50)[:, None] < slices[:, None, None]
    padded = replace(a, slices=slices, features=np.where(real, a.features, np.float32(1e3)))
    drawn = Explorer(padded, replace(b, slices=np.array([50, 25, 25, 50, 50, 50])), trained[1])
    for row, length in ((0, 50), (1, 20), (2, 25)):  # of a moment, as much as both have
        figure, table = drawn.draw("AB", row, "best")
        images = [axis.images[0] for axis in figure.axes if axis.images]
        np.testing.assert_array_equal(images[0].get_array(), a.features[row, :length].T)
        assert images[3].get_extent()[1] == images[3].axes.get_xlim()[1] == length / 5


def test_recordings_without_a_pair_have_no_truth(sets, trained):
    other = replace(sets[1], recording=np.array([f"other-{i}" for i in range(6)]))
    figure, table = Explorer(sets[0], other, trained[1]).draw("AB", 2, "best")
    assert len([axis for axis in figure.axes if axis.images]) == 3
    assert "truth" not in table and "nearest" in table


def test_headless_it_is_the_picture_that_it_would_show_first(sets, trained, monkeypatch):
    assert not is_attended(), "no notebook, nobody to click"
    assert isinstance(explore(*sets, trained[1], "BA", 1), Figure)
    monkeypatch.setattr(module, "is_attended", lambda: True)
    assert controls(explore(*sets, trained[1], "BA", 1))["direction"].value == "BA"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_front_end_that_could_ask_is_attended(allowed, monkeypatch):
    class Kernel:
        def get_parent(self, channel):
            return {"content": {"allow_stdin": allowed}}

    shell = type("Shell", (), {"kernel": Kernel()})()
    monkeypatch.setattr(module, "get_ipython", lambda: shell)
    assert is_attended() is allowed


def test_a_folder_without_checkpoints_is_named(sets, tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path} holds no checkpoint"):
        Explorer(*sets, tmp_path)
