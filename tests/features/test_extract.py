"""Recordings to feature sets, and the sentences about what cannot be one."""

import tracemalloc

import numpy as np
import pytest
import sounds
from extracting import SETTINGS, extracted, refused, rows, write
from helpers import CWRU
from sounds import rng

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features import FeatureSet, sound_files
from cyclegan_lib.features.extract import OFFSET_S, SoundFiles, slice_recording
from cyclegan_lib.features.log_mel import log_mel_slices
from cyclegan_lib.recordings import read_recording


def test_every_sequence_of_every_recording_is_in_the_set(folder, tmp_path):
    _, report = extracted(folder, output=tmp_path / "cpc006.npz")
    heard = FeatureSet.load(tmp_path / "cpc006.npz")
    assert heard.features.shape == (4, 50, 40) and heard.features.dtype == np.float32
    assert heard.recording.tolist() == ["a", "b", "b", "day2/a"]
    assert heard.start_s.tolist() == [0.0, 0.0, 10.0, 0.0]
    assert heard.device == "cpc006" and heard.label is None
    assert heard.settings == SETTINGS.model_copy(update={"channel": 1})  # they have no other
    direct = log_mel_slices(read_recording(folder / "b.flac", 8000), SETTINGS)[0]
    assert np.array_equal(heard.features[1:3], direct)
    assert (report.recordings, report.sequences, report.too_short) == (3, 4, ())
    assert report.left_over_s == pytest.approx(0.04 + 5.04 + 0.04)
    assert report.sound_s == pytest.approx(45.0)


def test_recordings_too_short_are_skipped_counted_and_named(folder, tmp_path):
    write(folder / "short.wav", 0.9)
    heard, report = extracted(folder, output=tmp_path / "a.npz")
    assert "short" not in heard.recording
    assert str(report) == (
        "4 sequences from 3 recordings; 5.1 s of 45.9 s left over at their ends;"
        " skipped 1 recording shorter than 0.96 s: short"
    )
    short = rows(tmp_path / "a.npz")["short"]
    assert (short["status"], short["sequences"]) == ("too short", "0") and "0.96 s" in short["reason"]
    refused("short.wav", "0.96 s", source=folder / "short.wav")


def test_shorter_recordings_are_sequences_of_the_slices_they_have(folder, tmp_path):
    write(folder / "five.wav", 5.0, seed=4)
    heard, report = extracted(folder, output=tmp_path / "a.npz")
    assert heard.features.shape == (5, 50, 40) and heard.recording[4] == "five"
    assert heard.slices.tolist() == [50, 50, 50, 50, 25]
    assert not heard.features[4, 25:].any()
    five = log_mel_slices(read_recording(folder / "five.wav", 8000), SETTINGS)[0]
    assert np.array_equal(heard.features[4:, :25], five)
    assert "5 sequences from 4 recordings, 1 of them with fewer than 50 slices;" in str(report)
    assert FeatureSet.load(tmp_path / "a.npz").slices.tolist() == heard.slices.tolist()
    heard, _ = extracted(folder, SETTINGS.model_copy(update={"slices": 25}))
    assert heard.features.shape == (10, 25, 40) and heard.slices is None
    assert heard.start_s.tolist() == [0, 5, 0, 5, 10, 15, 20, 0, 5, 0]


def test_a_list_chooses_the_recordings(folder, tmp_path):
    names = tmp_path / "list.txt"
    names.write_text("b\n", encoding="utf-8")
    heard, report = extracted(folder, recordings_list=names)
    assert heard.recording.tolist() == ["b", "b"] and report.recordings == 1


def test_rates_and_channels_may_differ_and_the_lowest_rate_is_the_one_to_ask_for(tmp_path):
    write(tmp_path / "a.wav", rate=44100, channels=2)
    write(tmp_path / "b.flac", rate=48000)
    given = {"source": tmp_path, "settings": FeatureSettings()}
    heard, _ = extracted(**given)
    assert heard.recording.tolist() == ["a", "b"]
    of_second = FeatureSettings(channel=2)
    refused("b.flac", "1 channel", "no channel 2", source=tmp_path, settings=of_second)
    heard, _ = extracted(tmp_path, of_second, on_damaged="skip")
    assert heard.recording.tolist() == ["a"] and heard.settings.channel == 2
    write(tmp_path / "c.wav", rate=12000)
    write(tmp_path / "d.wav", rate=11025)
    refused("d.wav", "--sample-rate 11025", **given)
    heard, report = extracted(**given, on_damaged="skip")
    assert heard.recording.tolist() == ["a", "b"]
    assert "left out: 2 recordings are recorded at too low a rate: c, d" in str(report)


def test_the_rate_that_is_advised_is_accepted_or_said_to_be_too_low(tmp_path):
    slow = write(tmp_path / "slow.wav", rate=2000)
    refused("slow.wav", "ask for --sample-rate 2000", source=tmp_path, settings=FeatureSettings())
    heard, _ = extracted(slow, FeatureSettings(sample_rate=2000))
    assert heard.features.shape == (1, 50, 40) and (heard.features > -99).all()
    for rate in (1000, 400):
        write(slow, rate=rate)
        refused(f"{rate} Hz, too low for 40 mel bands", source=tmp_path, settings=FeatureSettings())
    refused("ask for a higher sample rate", source=tmp_path, settings=FeatureSettings(sample_rate=1000))


def test_nothing_is_read_before_every_header_is_known_to_be_good(folder, tmp_path, monkeypatch):
    (folder / "z.wav").write_text("not sound", encoding="utf-8")
    monkeypatch.setattr(sound_files, "hear", None)
    refused("z.wav is not a sound file", "--on-damaged skip", source=folder)
    (folder / "y.wav").write_bytes(b"")
    refused("2 of 5 recordings", "y.wav", "z.wav", source=folder, output=tmp_path / "a.npz")
    assert {row["status"] for row in rows(tmp_path / "a.npz").values()} == {"not read", "damaged"}
    assert not (tmp_path / "a.npz").exists()


def test_damaged_files_are_refused_together_or_left_out(folder, tmp_path):
    (folder / "empty.wav").write_bytes(b"")
    for name in ("gap1", "gap2"):  # which only shows when it is read
        sound = 0.1 * rng().standard_normal(80000)
        sound[70000] = np.nan
        sounds.write(folder / f"{name}.wav", sound, 8000, subtype="FLOAT")
    heard, report = extracted(folder, on_damaged="skip", output=tmp_path / "a.npz")
    assert heard.recording.tolist() == ["a", "b", "b", "day2/a"]
    assert "left out: 3 recordings are damaged: empty, gap1, gap2" in str(report)
    of_files = rows(tmp_path / "a.npz")
    assert {name for name, row in of_files.items() if row["status"] == "damaged"} == {"empty", "gap1", "gap2"}
    assert "NaN" in of_files["gap1"]["reason"] and of_files["b"]["sequences"] == "2"
    (folder / "empty.wav").unlink()
    refused("2 of 5 recordings", "gap1", "gap2", "NaN", "--on-damaged skip", source=folder)
    for path in folder.rglob("*.*"):
        path.write_text("no sound", encoding="utf-8")
    refused("5 of 5 recordings", source=folder, on_damaged="skip")


def test_other_files_are_counted(folder):
    (folder / "notes.txt").write_text("", encoding="utf-8")
    (folder / "day2" / "b.txt").write_text("", encoding="utf-8")
    assert "passed over by suffix: 2 files (2 .txt)" in str(extracted(folder)[1])


def test_a_long_recording_is_split_into_several(tmp_path):
    sound = 0.1 * rng().standard_normal(65 * 8000)
    shift = sounds.write(tmp_path / "shift.wav", sound, 8000, subtype="FLOAT")
    labels = tmp_path / "labels.csv"
    labels.write_text("recording,fault\nshift,ball\n", encoding="utf-8")
    heard, report = extracted(shift, split_every=30, labels=labels)
    assert heard.recording.tolist() == ["shift@0000s"] * 3 + ["shift@0030s"] * 3 + ["shift@0060s"]
    assert heard.start_s.tolist() == [0, 10, 20, 0, 10, 20, 0] and set(heard.label) == {"ball"}
    assert heard.slices.tolist() == [50] * 6 + [25]
    assert (report.recordings, report.sequences) == (3, 7)
    whole = log_mel_slices(sound.astype(np.float32), SETTINGS)[0]
    assert np.array_equal(heard.features[:6], whole)
    refused("--split-every", source=shift, split_every=0)


def test_processes_give_the_same_set_in_the_same_order(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sound_files, "TASK_FILES", 2)
    for number in range(6):
        write(folder / f"{number}.wav", 3 + number, seed=10 + number)
    (folder / "4x.wav").write_text("no sound", encoding="utf-8")
    outputs = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for workers, output in enumerate(outputs, 1):
        extracted(folder, workers=workers, output=output, on_damaged="skip")
    one, two = (output.read_bytes() for output in outputs)
    assert one == two
    assert rows(outputs[0]) == rows(outputs[1])


def test_parts_have_equal_types_whatever_is_in_them(folder):
    for seconds, given in ((10, False), (5, True)):
        write(folder / "z_longer_name.wav", seconds)
        parts = list(SoundFiles(folder, SETTINGS).sliced("cpc006", progress=False))
        assert len({part.recording.dtype for part in parts}) == 1
        assert {part.features.shape[1:] for part in parts} == {(50, 40)}
        assert {part.slices is not None for part in parts} == {given}


def test_memory_does_not_grow_with_the_length_of_a_recording(tmp_path):
    peaks = []
    extracted(write(tmp_path / "first.wav"))  # filters are made
    for seconds in (60, 600):
        path = sounds.write(tmp_path / f"{seconds}.wav", np.zeros(seconds * 8000, np.int16), 8000)
        tracemalloc.start()
        extracted(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 4e6  # a few copies of the features: not the sound, 17 MB


def test_later_starts_slice_the_sound_that_is_left():
    sound = rng().standard_normal(round(20.1 * 8000))
    features, start_s, left_over_s = slice_recording(sound, SETTINGS, offsets=5)
    # two sequences need 19.96 s: there is room for the starts up to 0.12 s, and at 0.16 s for one sequence
    assert start_s == pytest.approx([0, 10, 0.04, 10.04, 0.08, 10.08, 0.12, 10.12, 0.16])
    assert left_over_s == pytest.approx(20.1 - 19.96)
    assert features.shape == (9, 50, 40) and features.dtype == np.float32
    for heard, start in zip(features, start_s, strict=True):
        later = sound[round(start % 10 * 8000) :]
        assert np.array_equal(heard, log_mel_slices(later, SETTINGS)[0][int(start // 10)])
    assert not np.array_equal(features[0], features[2])  # they resemble each other and are not equal
    assert np.corrcoef(features[0].mean(axis=0), features[2].mean(axis=0))[0, 1] > 0.8
    assert 5 * OFFSET_S == pytest.approx(SETTINGS.slice_hop_s)  # a sixth start is that of the next slice
    # one second is one sequence of 5 slices, and has room for one later start that gives as many
    features, start_s, left_over_s = slice_recording(sound[:8000], SETTINGS, offsets=5)
    assert features.shape == (2, 5, 40) and start_s.tolist() == [0, 0.04]
    assert left_over_s == pytest.approx(0.04)


@pytest.mark.skipif(not CWRU.is_dir(), reason=f"the real recordings are not there: {CWRU}")
def test_every_real_recording_gives_a_sequence():
    settings = FeatureSettings(sample_rate=12000)
    for sensor in ("fan_end", "drive_end"):
        heard, report = extracted(CWRU / sensor, settings, labels=CWRU / "labels.csv")
        assert report.too_short == ()
        assert len(np.unique(heard.recording)) == len(list((CWRU / sensor).glob("*.flac")))
        assert set(heard.label) == {"ball", "inner_race", "outer_race"}
