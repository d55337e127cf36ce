"""`cyclegan listen`: the source re-coloured is what the translation says, and refused is what cannot be."""

import numpy as np
import pytest
import soundfile
from helpers import done, refusal
from sounds import RATE, rng, write

from cyclegan_lib.config import DEVICE_A, FeatureSettings, SimulationSettings
from cyclegan_lib.export import Translator
from cyclegan_lib.export.listening import listen, recoloured_as
from cyclegan_lib.features.log_mel import log_mel_slices
from cyclegan_lib.simulation.dataset import render

SETTINGS = FeatureSettings()


@pytest.fixture(scope="module")
def moments() -> list[dict[str, np.ndarray]]:
    """Four machines, as both simulated devices heard them."""
    heard = [render(SimulationSettings(), "test", index) for index in range(4)]
    return [{device: sound / np.float32(32768) for device, sound in moment.items()} for moment in heard]


def features(sound: np.ndarray) -> np.ndarray:
    return log_mel_slices(sound, SETTINGS)[0][0]


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.mark.parametrize("direction", ["AB", "BA"])
def test_features_of_the_re_coloured_sound_are_those_of_the_translation(direction, moments, exported):
    """Beside the source's, seven times as near to the truth; to a model's, five in the mean, four each."""
    translator, nearer = Translator.load(exported, direction), []
    for moment in moments:
        source = features(moment[translator.source])
        said, truth = translator.translate(source[None])[0], features(moment[translator.target])
        for wanted in (said, truth):
            made = features(recoloured_as(moment[translator.source], source, wanted, SETTINGS))
            nearer.append(rms(source - wanted) / rms(made - wanted))
    to_said, to_truth = np.reshape(nearer, (-1, 2)).T
    assert to_truth.min() > 7 and to_said.mean() > 5 and to_said.min() > 4


def test_the_command_writes_the_whole_of_what_was_translated(moments, exported, tmp_path, capsys):
    sound = np.tile(moments[0][DEVICE_A], 3)[: 25 * RATE]
    source, output = write(tmp_path / "a.wav", sound), tmp_path / "out.flac"
    text = done(capsys, "listen", "--model", exported, "--input", source, "--output", output)
    assert "5.0 s of 25.0 s left over" in text and "20.0 s, cpc006 -> BATCH_UPLOAD" in text
    assert "the source re-coloured, not invented sound" in text
    heard, rate = soundfile.read(output)
    assert rate == RATE and len(heard) == 20 * RATE
    # what a model that was trained on noise makes of it is another matter, but as loud and in phase
    assert np.abs(heard).max() <= 1 and np.corrcoef(heard, sound[: len(heard)])[0, 1] > 0.3


def test_what_is_told_is_what_is_so_and_nothing_clips(moments, exported, tmp_path):
    sound = 0.99 * moments[1][DEVICE_A] / np.abs(moments[1][DEVICE_A]).max()
    source, translator = write(tmp_path / "a.wav", sound, subtype="FLOAT"), Translator.load(exported, "AB")
    told = listen(translator, source, tmp_path / "out.wav")
    wanted = translator.translate(features(sound)[None])[0]
    assert told.before == pytest.approx(rms(wanted - features(sound)), abs=0.01)
    heard, _ = soundfile.read(tmp_path / "out.wav")
    back = heard * 10 ** (told.quieter_db / 20)
    assert told.quieter_db > 0 and np.abs(heard).max() == pytest.approx(0.9, abs=1e-3)
    # but for a gain, which is the same at all times and in all bands, it is as near as it says
    apart = features(back) - wanted
    assert rms(apart - apart.mean()) <= told.after + 0.01 < told.before


def sounds_in(folder) -> None:
    write(folder / "a.wav", rng().normal(size=10 * RATE) / 10)
    write(folder / "low.wav", rng().normal(size=80_000) / 10, 8000)
    write(folder / "short.wav", rng().normal(size=8000) / 10)
    write(folder / "two.wav", rng().normal(size=(RATE * 2, 2)) / 10)
    for name in ("damaged.wav", "there.wav"):
        (folder / name).write_text("not a sound", encoding="utf-8")
    (folder / "column.csv").write_text("\n".join(["0.1", "0.2"] * RATE), encoding="utf-8")


REFUSED = {
    "--input no.wav --output o.wav": "no.wav does not exist; give a recording",
    "--input . --output o.wav": "is a folder, not a file; give a recording",
    "--input damaged.wav --output o.wav": "damaged.wav is not a sound file",
    "--input SET --output o.wav": "is a feature set, no recording; give recordings",
    "--input low.wav --output o.wav": "low.wav was recorded at 8000 Hz, so its bands above 4000 Hz",
    "--input short.wav --output o.wav": "short.wav holds no recording of at least 0.96 s",
    "--input two.wav --output o.wav --channel 3": "two.wav has 2 channels and no channel 3",
    "--input column.csv --output o.wav": "give it with --sample-rate-of-files HZ",
    "--input a.wav --output o.xyz": "o.xyz must end in one of .wav, .flac, .ogg, .mp3",
    "--input a.wav --output there.wav": "there.wav exists, and may be a recording",
    "--input a.wav --output a.wav": "a.wav exists, and may be a recording",
    "--input a.wav --output there.wav/o.wav": "there.wav cannot be written",
    "--input a.wav --output o.wav --direction XY": "the direction 'XY' is unknown",
}


@pytest.mark.parametrize("command", REFUSED)
def test_what_cannot_be_heard_is_refused(command, domains, exported, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sounds_in(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    words = [str(domains[0]) if word == "SET" else word for word in command.split()]
    assert REFUSED[command] in refusal(capsys, "listen", "--model", exported, *words)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_one_of_several_channels_is_heard(exported, tmp_path, capsys):
    left, right = rng(1).normal(size=(2, 2 * RATE)) / 10
    both, one = (
        write(tmp_path / "both.wav", np.stack([left, right], axis=1)),
        write(tmp_path / "one.wav", right),
    )
    for source, channel in ((both, ("--channel", 2)), (one, ())):
        out = source.with_suffix(".flac")
        done(capsys, "listen", "--model", exported, "--input", source, "--output", out, *channel)
    assert np.array_equal(soundfile.read(tmp_path / "both.flac")[0], soundfile.read(tmp_path / "one.flac")[0])
