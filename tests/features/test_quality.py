"""What is said of recordings that can be read and are doubtful, and the table beside a set."""

import numpy as np
import pytest
import sounds
from extracting import SETTINGS, extracted, refused, rows, write
from sounds import rng


def test_the_table_says_what_every_file_is(folder, tmp_path):
    sound = 0.1 * rng().standard_normal((80000, 2))
    sounds.write(folder / "offset.wav", 0.02 * sound[:, 0] + 0.5, 8000, subtype="FLOAT")
    sounds.write(folder / "stereo.wav", sound + 0.1 * rng(1).standard_normal((80000, 1)), 8000)
    extracted(folder, output=tmp_path / "a.npz")
    of_files = rows(tmp_path / "a.npz")
    assert list(of_files) == ["a", "b", "day2/a", "offset", "stereo"]
    numbers = {name: float(value) for name, value in of_files["offset"].items() if _is_number(value)}
    assert numbers == pytest.approx(
        {"seconds": 10, "sequences": 1, "rate": 8000, "channels": 1, "averaged": 1, "clipped": 0, "floor": 0}
        | {"peak": 0.508, "rms_db": -54, "dc_offset": 0.5},
        rel=0.01,
    )
    assert of_files["offset"]["path"] == str(folder / "offset.wav")
    assert of_files["stereo"]["channels"] == of_files["stereo"]["averaged"] == "2"


def _is_number(text):
    try:
        return np.isfinite(float(text))
    except ValueError:
        return False


def sine(level=0.1, offset=0.0):
    return sounds.tone(440, level, 10, 8000) + offset + level * rng().standard_normal(80000) / 10


ODD = {
    "silent": np.zeros(80000),
    "constant": np.full(80000, 0.25),
    "half silent": np.where(np.arange(80000) < 40000, 0, sine()),
    "clipped": np.clip(sine(1.5), -1, 1),
}


@pytest.mark.parametrize("kind", ODD)
def test_doubtful_recordings_are_named_and_may_be_left_out(folder, tmp_path, kind):
    sounds.write(folder / "odd.wav", ODD[kind], 8000)
    _, report = extracted(folder)
    assert f"1 recording is {kind}: odd; --quality-checks skip leaves them out" in str(report)
    assert report.recordings == 4
    heard, report = extracted(folder, quality_checks="skip", output=tmp_path / "a.npz")
    assert "odd" not in heard.recording and f"left out: 1 recording is {kind}: odd" in str(report)
    assert rows(tmp_path / "a.npz")["odd"]["status"] == kind
    _, report = extracted(folder, quality_checks="off")
    assert report.recordings == 4 and "\n" not in str(report)
    refused("no recording that can be used", kind, source=folder / "odd.wav", quality_checks="skip")


def test_copies_are_named_and_may_be_left_out(folder, tmp_path):
    for name in ("c", "d", "e"):
        (folder / f"{name}.wav").write_bytes((folder / "a.wav").read_bytes())
    for name in ("off1", "off2"):  # silence resembles silence
        sounds.write(folder / f"{name}.wav", np.zeros(80000), 8000)
    _, report = extracted(folder, output=tmp_path / "a.npz")
    assert "3 recordings are copies of others: c, d, e" in str(report)
    assert rows(tmp_path / "a.npz")["d"]["remarks"] == "a copy of a"
    heard, _ = extracted(folder, quality_checks="skip")
    assert heard.recording.tolist() == ["a", "b", "b", "day2/a"]


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ((1, -1), "channels that cancel in 1 recording (odd); choose one with --channel"),
        ((1, 0, 0, 0), "channels without sound in 1 recording (odd); choose one with --channel"),
        ((1, 0.9), "the mean of 2 channels was read; --channel 1 reads the first alone"),
    ],
)
def test_what_is_lost_by_averaging_channels_is_said(tmp_path, channels, said):
    sounds.write(tmp_path / "odd.wav", sine()[:, None] * channels, 8000)
    _, report = extracted(tmp_path)
    assert said in str(report).split("\n")
    _, report = extracted(tmp_path, SETTINGS.model_copy(update={"channel": 1}))
    assert "channel" not in str(report)


def test_numbers_of_channels_that_differ_are_said(folder):
    write(folder / "z.wav", channels=2)
    assert "differ in number (1 in 3 recordings, 2 in 1 recording)" in str(extracted(folder)[1])


def test_an_offset_larger_than_the_sound_is_said(tmp_path):
    sounds.write(tmp_path / "gravity.wav", sine(0.05, 0.5), 8000)
    _, report = extracted(tmp_path)
    assert "an offset larger than the sound, up to 0.5, was removed from 1 recording (gravity)" in str(report)
    _, report = extracted(tmp_path, SETTINGS.model_copy(update={"f_stop": 0.0}))
    assert "stays in 1 recording" in str(report)


def test_quiet_recordings_get_a_scale_that_keeps_their_range(tmp_path):
    loud = tmp_path / "loud"
    sounds.write(loud / "a.wav", sine(), 8000, subtype="FLOAT")
    sounds.write(tmp_path / "volts" / "a.wav", 1e-6 * sine(), 8000, subtype="FLOAT")
    wanted, _ = extracted(loud)
    heard, report = extracted(tmp_path / "volts")
    assert np.abs(heard.features - wanted.features + 120).max() > 40
    assert "of the features lie at the floor of -100 dB in 1 recording (a); --scale 1e+06" in str(report)
    heard, report = extracted(tmp_path / "volts", SETTINGS.model_copy(update={"scale": 1e6}))
    assert np.abs(heard.features - wanted.features).max() < 0.01 and heard.settings.scale == 1e6
    assert "floor" not in str(report)
