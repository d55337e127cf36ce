"""Players of sounds: what is heard beside what, and how large it is in a page."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile
from bs4 import BeautifulSoup
from sounds import RATE

from cyclegan_lib.config import DEVICE_A, DEVICE_B, FeatureSettings, SimulationSettings
from cyclegan_lib.explorer import Explorer
from cyclegan_lib.export import Translator
from cyclegan_lib.features.extract import extract
from cyclegan_lib.features.sounds import Sounds
from cyclegan_lib.players import CAPTION, NO_SOUND, examples, side_by_side
from cyclegan_lib.simulation import simulate

NAMES = [f"as {DEVICE_A} heard it", f"translated to {DEVICE_B}", f"as {DEVICE_B} heard it"]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> tuple[Sounds, Sounds]:
    """Of eight moments that both simulated devices heard; the last one's is gone at the target."""
    folder = tmp_path_factory.mktemp("sounds") / "recordings"
    simulate(folder, SimulationSettings(train_recordings=8, test_recordings=8), workers=1, progress=False)
    heard = []
    for device in (DEVICE_A, DEVICE_B):
        features, _ = extract(folder / device / "test", device, FeatureSettings(), progress=False)
        heard.append(Sounds(features, folder / device / "test"))
    (folder / DEVICE_B / "test" / "test-0008.wav").unlink()
    return tuple(heard)


def heard(html: str) -> dict[str, tuple[np.ndarray, int]]:
    """What the players play, and at which rate, by their captions."""
    figures = BeautifulSoup(html, "html.parser").select("figure")
    files = [figure.audio.source["src"] for figure in figures]
    assert all(file.startswith("data:audio/flac;base64,") for file in files)
    played = [soundfile.read(io.BytesIO(base64.b64decode(file.partition(",")[2]))) for file in files]
    return dict(zip((figure.figcaption.get_text() for figure in figures), played, strict=True))


def test_recorded_translated_and_true_are_side_by_side_and_equally_loud(sounds, exported):
    translator = Translator.load(exported, "AB")
    played = heard(side_by_side(translator, *sounds, 3))
    assert list(played) == NAMES
    assert all(len(sound) == pytest.approx(10 * rate, rel=0.02) for sound, rate in played.values())
    for name, own in ((NAMES[0], sounds[0]), (NAMES[2], sounds[1])):
        sound, rate = played[name]
        spectra = [
            np.abs(np.fft.rfft(x, n)[:20000]) for x, n in ((sound, 10 * rate), (own.sequence(3), 10 * RATE))
        ]
        assert np.corrcoef(*spectra)[0, 1] > 0.95
    assert list(heard(side_by_side(translator, *sounds, 7))) == NAMES[:2], "no truth, where its sound is gone"


def test_three_examples_are_small_and_say_what_they_are(sounds, exported):
    page = examples(Translator.load(exported, "AB"), *sounds, [2, 0, 2, 1]).data
    parts = page.split("<p><b>")[1:]
    assert [part.partition(" ")[0] for part in parts] == ["test-0003", "test-0001", "test-0002"]
    assert all(20_000 < len(part) <= 200_000 for part in parts)
    assert page.count("data:audio/mpeg;base64,") == 9
    text = BeautifulSoup(page, "html.parser").get_text()
    assert text.endswith("no invented sound, nothing that the source did not hear.") and CAPTION in text
    assert not re.search(r"https?:", page)


def test_without_the_recordings_it_says_so(sounds, exported, tmp_path):
    nowhere = [Sounds(part.features, tmp_path) for part in sounds]
    assert examples(Translator.load(exported, "AB"), *nowhere, [0]).data == f"<p>{NO_SOUND}</p>"


def test_choosing_in_the_explorer_changes_what_is_heard(sounds, trained):
    features = [part.features for part in sounds]
    widget = Explorer(*features, trained[1], sounds).widget("AB", 0)
    controls = {control.description: control for control in widget.children[0].children}
    *_, players = widget.children
    seen = [players.value]
    for name, value in (("recording", 2), ("direction", "BA"), ("checkpoint", "cyclegan-last")):
        controls[name].value = value
        seen.append(players.value)
    assert len(set(seen)) >= 3, "recording and direction; the last checkpoint may be the best"
    assert list(heard(seen[0])) == NAMES
    assert list(heard(seen[2])) == [
        f"as {DEVICE_B} heard it",
        f"translated to {DEVICE_A}",
        f"as {DEVICE_A} heard it",
    ]
    assert Explorer(*features, trained[1]).widget("AB", 0).children[-1].value == ""
