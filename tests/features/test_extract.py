"""Recordings to feature sets, and the sentences about what cannot be one."""

import numpy as np
import pytest
import sounds
from helpers import CWRU
from sounds import rng

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.extract import OFFSET_S, extract, slice_recording
from cyclegan_lib.features.log_mel import log_mel_slices
from cyclegan_lib.recordings import read_recording

SETTINGS = FeatureSettings(sample_rate=8000)


def extracted(source, settings=SETTINGS, **options):
    return extract(source, "cpc006", settings, progress=False, **options)


def write(path, seconds=10.0, rate=8000, seed=0, channels=1):
    return sounds.write(path, 0.1 * rng(seed).standard_normal((round(seconds * rate), channels)), rate)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "recordings"
    write(folder / "a.wav", 10.0, seed=1)
    write(folder / "b.flac", 25.0, seed=2)
    write(folder / "day2" / "a.wav", 10.0, seed=3)
    return folder


def refused(*words, **arguments):
    with pytest.raises(InputError) as error:
        extracted(**arguments)
    text = str(error.value)
    assert "\n" not in text
    assert all(word in text for word in words), text


def test_every_sequence_of_every_recording_is_in_the_set(folder, tmp_path):
    _, report = extracted(folder, output=tmp_path / "cpc006.npz")
    heard = FeatureSet.load(tmp_path / "cpc006.npz")
    assert heard.features.shape == (4, 50, 40) and heard.features.dtype == np.float32
    assert heard.recording.tolist() == ["a", "b", "b", "day2/a"]
    assert heard.start_s.tolist() == [0.0, 0.0, 10.0, 0.0]
    assert heard.device == "cpc006" and heard.settings == SETTINGS and heard.label is None
    direct = log_mel_slices(read_recording(folder / "b.flac", 8000), SETTINGS)[0]
    assert np.array_equal(heard.features[1:3], direct)
    assert (report.recordings, report.sequences, report.too_short) == (3, 4, ())
    assert report.left_over_s == pytest.approx(0.04 + 5.04 + 0.04)
    assert report.sound_s == pytest.approx(45.0)


def test_recordings_too_short_are_skipped_counted_and_named(folder):
    write(folder / "short.wav", 9.9)
    heard, report = extracted(folder)
    assert "short" not in heard.recording
    assert str(report) == (
        "4 sequences from 3 recordings; 5.1 s of 54.9 s left over at their ends;"
        " skipped 1 recording shorter than 9.96 s: short"
    )
    refused("short.wav", "9.96 s", source=folder / "short.wav")


def test_a_list_chooses_the_recordings(folder, tmp_path):
    names = tmp_path / "list.txt"
    names.write_text("b\n")
    heard, report = extracted(folder, recordings_list=names)
    assert heard.recording.tolist() == ["b", "b"] and report.recordings == 1


def test_rates_and_channels_may_differ_and_the_lowest_rate_is_the_one_to_ask_for(tmp_path):
    write(tmp_path / "a.wav", rate=44100, channels=2)
    write(tmp_path / "b.flac", rate=48000)
    given = {"source": tmp_path, "settings": FeatureSettings()}
    heard, _ = extracted(**given)
    assert heard.recording.tolist() == ["a", "b"]
    refused("b.flac", "1 channel", "no channel 2", channel=2, **given)
    write(tmp_path / "c.wav", rate=12000)
    write(tmp_path / "d.wav", rate=11025)
    refused("d.wav", "--sample-rate 11025", **given)


def test_nothing_is_read_before_every_header_is_known_to_be_good(folder, monkeypatch):
    (folder / "z.wav").write_text("not sound")
    monkeypatch.setattr("cyclegan_lib.features.extract.read_recording", None)
    refused("z.wav is not a sound file", source=folder)


def test_later_starts_slice_the_sound_that_is_left():
    sound = rng().standard_normal(round(20.1 * 8000))
    features, start_s, left_over_s = slice_recording(sound, SETTINGS, offsets=5)
    # two sequences need 19.96 s: there is room for the starts up to 0.12 s, and at 0.16 s for one sequence
    assert start_s == pytest.approx([0, 10, 0.04, 10.04, 0.08, 10.08, 0.12, 10.12, 0.16])
    assert left_over_s == pytest.approx(20.1 - 19.96)
    assert features.shape == (9, 50, 40) and features.dtype == np.float32
    for heard, start in zip(features, start_s, strict=True):
        assert np.array_equal(heard, log_mel_slices(sound[round(start * 8000) :], SETTINGS)[0][0])
    assert not np.array_equal(features[0], features[2])  # they resemble each other and are not equal
    assert np.corrcoef(features[0].mean(axis=0), features[2].mean(axis=0))[0, 1] > 0.8
    assert 5 * OFFSET_S == pytest.approx(SETTINGS.slice_hop_s)  # a sixth start is that of the next slice
    features, start_s, left_over_s = slice_recording(sound[:8000], SETTINGS, offsets=5)
    assert features.shape == (0, 50, 40) and start_s.shape == (0,)
    assert left_over_s == pytest.approx(1.0)


@pytest.mark.skipif(not CWRU.is_dir(), reason=f"the real recordings are not there: {CWRU}")
def test_every_real_recording_gives_a_sequence():
    settings = FeatureSettings(sample_rate=12000)
    for sensor in ("fan_end", "drive_end"):
        heard, report = extracted(CWRU / sensor, settings, labels=CWRU / "labels.csv")
        assert report.too_short == ()
        assert len(np.unique(heard.recording)) == len(list((CWRU / sensor).glob("*.flac")))
        assert set(heard.label) == {"ball", "inner_race", "outer_race"}
