"""Reading recordings, and the sentences about those that cannot be read."""

import os

import numpy as np
import pytest
from sounds import rng, tone, write

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings import Reading, find_recordings, read_recording, reading
from cyclegan_lib.recordings.reading import BLOCK_FRAMES, read_header
from cyclegan_lib.recordings.recording import Recording


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_any_rate_becomes_the_rate_asked_for(tmp_path, suffix, rate):
    sound = read_recording(write(tmp_path / f"a.{suffix}", tone(440, 0.5, rate=rate), rate), 16000)
    assert sound.dtype == np.float32 and sound.shape == (16000,)
    middle = slice(2000, 14000)  # a resampler rings at the ends
    assert sound[middle] == pytest.approx(tone(440, 0.5)[middle], abs=2e-3)


def test_long_recordings_are_joined_without_a_seam(tmp_path):
    rate, seconds = 44100, 3 * BLOCK_FRAMES / 44100
    path = write(tmp_path / "long.wav", tone(440, 0.5, seconds, rate), rate, subtype="FLOAT")
    sound, wanted = read_recording(path, 16000), tone(440, 0.5, seconds)
    assert abs(len(sound) - len(wanted)) <= 1
    assert sound[500:-500] == pytest.approx(wanted[500 : len(sound) - 500], abs=1e-3)


def test_what_the_lower_rate_cannot_hold_is_not_folded_back(tmp_path):
    sound = read_recording(write(tmp_path / "a.wav", tone(15000, rate=44100), 44100), 16000)
    assert np.abs(sound[500:-500]).max() < 1e-3


def test_channels_count_from_one_and_without_one_they_are_averaged(tmp_path):
    left, right = tone(100), tone(300, level=0.2)
    path = write(tmp_path / "a.wav", np.stack([left, right], axis=1), 16000, subtype="FLOAT")
    for channel, wanted in ((1, left), (2, right), (None, (left + right) / 2)):
        assert read_recording(path, 16000, Reading(channel)) == pytest.approx(wanted, abs=1e-6)
    for channel in (0, 3, -1):
        with pytest.raises(InputError, match="has 2 channels and no channel"):
            read_recording(path, 16000, Reading(channel))


def test_a_rate_below_the_one_asked_for_is_refused_with_the_rate_to_ask_for(tmp_path):
    path = write(tmp_path / "slow.wav", tone(100), 12000)
    with pytest.raises(InputError, match="slow.wav was recorded at 12000 Hz.* --sample-rate 12000"):
        read_recording(path, 16000)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    path = write(tmp_path / "gap.wav", np.append(tone(100), value), 16000, subtype="FLOAT")
    with pytest.raises(InputError, match="gap.wav holds NaN or infinite samples"):
        read_recording(path, 16000)


def test_a_file_that_is_no_sound_or_half_of_one_is_refused(tmp_path):
    path = write(tmp_path / "cut.flac", 0.1 * rng().standard_normal(160000), 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="cut.flac"):
        read_recording(path, 16000)
    for content in (b"", b"RIFF", b"this is a text file", b"\0" * 5000):
        (tmp_path / "fake.wav").write_bytes(content)
        with pytest.raises(InputError, match="fake.wav is not a sound file"):
            read_recording(tmp_path / "fake.wav", 16000)


def test_a_wav_file_that_was_cut_off_is_refused_but_not_one_from_a_pipe(tmp_path):
    path = write(tmp_path / "cut.wav", np.full(1000, 0.5))
    whole = path.read_bytes()
    at = whole.index(b"data") + 4
    for claimed in (0xFFFFFFFF, 0x7FFFF024):  # what ffmpeg and sox write where they cannot go back
        path.write_bytes(whole[:at] + claimed.to_bytes(4, "little") + whole[at + 4 :])
        assert read_header(path).frames == len(read_recording(path, 16000)) == 1000
    for size in (len(whole) - 2, at + 4):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="cut.wav ends before its header says"):
            read_header(path)


def test_a_missing_file_and_a_broken_link_are_refused(tmp_path):
    with pytest.raises(InputError, match="absent.wav does not exist"):
        read_recording(tmp_path / "absent.wav", 16000)
    (tmp_path / "link.wav").symlink_to(tmp_path / "absent.wav")
    with pytest.raises(InputError, match="link.wav"):
        read_recording(find_recordings(tmp_path)[0], 16000)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(tmp_path):
    path = write(tmp_path / "locked.wav", tone(100), 16000)
    path.chmod(0)
    with pytest.raises(InputError, match="locked.wav cannot be read"):
        read_recording(path, 16000)


class Text(Recording):
    """The smallest reader of a format: the rate, then a line for each sample."""

    def __init__(self, path):
        self.sample_rate, *lines = map(float, path.read_text(encoding="utf-8").split())
        self.sound = np.array(lines, dtype=np.float32)[:, None]
        self.frames, self.channels = len(self.sound) + ("cut" in path.name), int("deaf" not in path.name)

    def blocks(self, frames, column):
        return (self.sound[start : start + frames] for start in range(0, len(self.sound), frames))


def test_a_format_is_one_reader_and_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(reading.FORMATS, ".txt", Text)
    for name in ("a.txt", "cut.txt", "deaf.txt"):
        (tmp_path / name).write_text("\n".join(map(str, (16000, *tone(100)))), encoding="utf-8")
    assert read_recording(tmp_path / "a.txt", 16000) == pytest.approx(tone(100), abs=1e-6)
    assert len(read_recording(tmp_path / "a.txt", 8000)) == 8000
    with pytest.raises(InputError, match="cut.txt ends before its header says"):
        read_recording(tmp_path / "cut.txt", 16000)
    with pytest.raises(InputError, match="deaf.txt claims 16000 samples in 0 channels"):
        read_header(tmp_path / "deaf.txt")
    (tmp_path / "a.txt").write_text("16000 loud", encoding="utf-8")
    with pytest.raises(InputError, match="a.txt is not a .txt file"):
        read_recording(tmp_path / "a.txt", 16000)
