"""The explorer: what its controls change, and what is shown where nobody is there."""

import re
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
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.features import FeatureSet


@pytest.fixture(scope="module")
def sets():
    a = make_set("cpc006", n=6, seed=5, shift=10)
    return a, a.with_features(a.features - 8, "BATCH_UPLOAD")


@pytest.fixture
def explorer(sets, trained) -> Explorer:
    return Explorer(*sets, trained[1])


def controls(widget) -> dict:
    return {control.description: control for control in widget.children[0].children}


def panels(figure) -> dict:
    """The panels' pictures by the first words of their titles."""
    axes = [axis for axis in figure.axes if axis.images and axis.get_visible()]
    return {axis.get_title(loc="left").split(":")[0]: axis.images[0] for axis in axes}


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
    shown = {name: image.get_array() for name, image in panels(figure).items()}
    translated = Translator.load(exported, "AB").translate(sets[0].features[2:3])[0]
    np.testing.assert_allclose(shown["cpc006, translated to BATCH_UPLOAD"], translated.T, atol=1e-4)
    np.testing.assert_allclose(shown["difference"], (translated - sets[1].features[2]).T, atol=1e-4)
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
        shown = panels(figure)
        np.testing.assert_array_equal(shown["cpc006, as recorded"].get_array(), a.features[row, :length].T)
        assert shown["difference"].get_extent()[1] == shown["difference"].axes.get_xlim()[1] == length / 5


def test_recordings_without_a_pair_have_no_truth(sets, trained):
    other = replace(sets[1], recording=np.array([f"other-{i}" for i in range(6)]))
    figure, table = Explorer(sets[0], other, trained[1]).draw("AB", 2, "best")
    assert len(panels(figure)) == 3
    assert "truth" not in table and "nearest" in table


def test_recordings_are_sorted_by_what_tells_of_errors(sets, explorer, trained, exported):
    translator = Translator.load(exported, "AB")
    errors = np.sqrt(((translator.translate(sets[0].features) - sets[1].features) ** 2).mean(axis=(1, 2)))
    worst_first = np.argsort(-errors)
    listed = explorer.recordings("AB", "best", by="error")
    assert [row for _, row in listed] == worst_first.tolist()
    assert listed[0][0].endswith(f": {errors[worst_first[0]]:.2f}"), "the figure is in the name"
    apart = translator.disagreements(sets[0])
    rows = [row for _, row in explorer.recordings("AB", "best", by="disagreement")]
    assert apart[rows].tolist() == sorted(apart, reverse=True) and len(set(apart)) > 1
    novel = translator.seen.novelties(sets[0].mean_spectra())
    assert explorer.recordings("AB", "best", by="novelty")[0][1] == novel.argmax()

    half = sets[1].select(np.arange(3))  # of the others the truth is not known
    listed = Explorer(sets[0], half, trained[1]).recordings("AB", "best", by="error")
    assert [row for _, row in listed] == [*sorted(range(3), key=lambda row: -errors[row]), 3, 4, 5]
    other = replace(sets[1], recording=np.array([f"other-{i}" for i in range(6)]))
    assert "error" not in Explorer(sets[0], other, trained[1]).signs("AB", "best")


def test_sorting_and_a_label_show_the_first_of_the_list_and_a_turn_stays_at_the_moment(sets, trained):
    a, b = (replace(part, label=np.array(["ball", "normal"] * 3)) for part in sets)
    b = b.select(np.arange(6)[::-1])
    chosen = controls(Explorer(a, b, trained[1]).widget("AB", 2))
    assert list(chosen) == ["direction", "checkpoint", "sort by", "label", "recording"]
    assert chosen["label"].options == ("all", "ball", "normal")
    chosen["direction"].value = "BA"
    assert "cpc006-002" in chosen["recording"].label and chosen["recording"].value == 3
    chosen["sort by"].value = "error"
    assert chosen["recording"].index == 0
    chosen["label"].value = "normal"
    assert len(chosen["recording"].options) == 3 and chosen["recording"].index == 0
    assert all("(normal): " in text for text, _ in chosen["recording"].options)
    chosen["recording"].index = 1
    kept = chosen["recording"].value
    chosen["checkpoint"].value = "cyclegan-last"
    assert chosen["recording"].value == kept
    chosen["direction"].value = "AB"
    assert chosen["label"].value == "normal" and chosen["recording"].value == 5 - kept


def test_a_classifier_of_the_target_says_what_it_hears_before_and_after(sets, trained, exported):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20, 50, 40)) + np.where(np.arange(20) % 2, 60.0, -60.0)[:, None, None]
    label = np.where(np.arange(20) % 2, "loud", "quiet")
    names = np.array([f"t{i}" for i in range(20)])
    train = FeatureSet(features.astype(np.float32), names, np.zeros(20), "BATCH_UPLOAD", label=label)
    explorer = Explorer(*sets, trained[1], training=(replace(sets[0], label=None), train))
    asked = [sets[0].sequence(2), Translator.load(exported, "AB").translate(sets[0].features[2:3])[0]]
    asked = train.select(np.arange(3)).with_features([*asked, sets[1].sequence(2)], "")
    votes = np.mean(list(FaultModels().fit(train).probabilities(asked).values()), axis=0)
    _, table = explorer.draw("AB", 2, "best")
    said = [f"{['loud', 'quiet'][vote.argmax()]} ({vote.max():.0%})" for vote in votes]
    assert re.findall(r"(?:loud|quiet) \(\d+%\)", table) == said
    assert "a classifier of BATCH_UPLOAD says" in table
    _, table = explorer.draw("BA", 2, "best")
    assert "classifier" not in table, "no labels to learn from"


def test_the_waveform_stands_above_its_slices(sets, trained):
    class Heard:
        def __init__(self, sound):
            self.sound = sound

        def sequence(self, row):
            return self.sound

    ramp = np.linspace(0, 1, 160_000, dtype=np.float32)
    figure, _ = Explorer(*sets, trained[1], (Heard(ramp), Heard(None))).draw("AB", 2, "best")
    wave, silent, source = figure.axes[:3]
    x, y = wave.lines[0].get_data()
    np.testing.assert_allclose(y, x / 10, atol=0.01)
    starts = [path.vertices[:, 0].min() for path in wave.collections[0].get_paths()]
    np.testing.assert_allclose(starts, 0.2 * np.arange(50))
    assert wave.get_xlim() == source.get_xlim() == (0, 10)
    assert not silent.lines and not silent.collections


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
