"""Finding and reading recordings, and the sentences about those that cannot be read."""

import os

import numpy as np
import pytest
import soundfile

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings import find_recordings, read_recording, recording_name
from cyclegan_lib.recordings.reading import BLOCK_FRAMES, read_header


def tone(hz, rate, seconds=1.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def write(path, sound, rate, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, **options)
    return path


def message(error):
    text = str(error.value)
    assert "\n" not in text
    return text


# Finding


def test_finds_wav_and_flac_in_subfolders_in_order_and_leaves_out_the_rest(tmp_path):
    for name in ("b.wav", "a.FLAC", "sub/c.flac", "._b.wav", ".hidden/d.wav"):
        write(tmp_path / name, tone(100, 8000), 8000)
    (tmp_path / "notes.txt").write_text("no sound")
    found = find_recordings(tmp_path)
    assert [recording_name(path, tmp_path) for path in found] == ["a", "b", "sub/c"]


def test_one_sound_file_is_a_source_too(tmp_path):
    path = write(tmp_path / "machine.2.wav", tone(100, 8000), 8000)
    assert find_recordings(path) == [path]
    assert recording_name(path, path) == "machine.2"


def test_a_list_names_recordings_with_or_without_suffix_in_its_order(tmp_path):
    for name in ("a.wav", "v1.5.flac", "sub/c.wav", "not-listed.wav"):
        write(tmp_path / name, tone(100, 8000), 8000)
    names = tmp_path / "list.txt"
    names.write_text("# chosen\nsub/c.wav\n\n v1.5 \na\n")
    assert [recording_name(path, tmp_path) for path in find_recordings(tmp_path, names)] == [
        "sub/c",
        "v1.5",
        "a",
    ]


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ("a\nmissing\n", ["line 2", "no recording 'missing'"]),
        ("a\na.wav\n", ["listed twice"]),
        ("../outside.wav\n", ["lies outside"]),
        ("twice\n", ["with its suffix"]),
        ("# nothing\n", ["names no recording"]),
    ],
)
def test_a_list_that_cannot_be_followed_is_refused(tmp_path, listed, words):
    folder = tmp_path / "folder"
    for name in ("folder/a.wav", "outside.wav", "folder/twice.wav", "folder/twice.flac"):
        write(tmp_path / name, tone(100, 8000), 8000)
    names = tmp_path / "list.txt"
    names.write_text(listed)
    with pytest.raises(InputError) as error:
        find_recordings(folder, names)
    assert all(word in message(error) for word in words)
    assert "list.txt" in message(error) or "listed twice" in words


def test_missing_and_empty_sources_and_duplicate_names_are_refused(tmp_path):
    with pytest.raises(InputError, match="absent does not exist"):
        find_recordings(tmp_path / "absent")
    with pytest.raises(InputError, match="holds no .wav or .flac file"):
        find_recordings(tmp_path)
    with pytest.raises(InputError, match="list.txt does not exist"):
        find_recordings(tmp_path, tmp_path / "list.txt")
    for name in ("a.wav", "a.flac"):
        write(tmp_path / name, tone(100, 8000), 8000)
    with pytest.raises(InputError, match=r"a\.flac and .*a\.wav have one name, 'a'"):
        find_recordings(tmp_path)


# Reading


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_any_rate_becomes_the_rate_asked_for(tmp_path, suffix, rate):
    sound = read_recording(write(tmp_path / f"a.{suffix}", tone(440, rate), rate), 16000)
    assert sound.dtype == np.float32 and sound.shape == (16000,)
    middle = slice(2000, 14000)  # a resampler rings at the ends
    assert sound[middle] == pytest.approx(tone(440, 16000)[middle], abs=2e-3)


def test_long_recordings_are_joined_without_a_seam(tmp_path):
    rate, seconds = 44100, 3 * BLOCK_FRAMES / 44100
    path = write(tmp_path / "long.wav", tone(440, rate, seconds), rate, subtype="FLOAT")
    sound = read_recording(path, 16000)
    wanted = tone(440, 16000, seconds)
    assert abs(len(sound) - len(wanted)) <= 1
    assert sound[500:-500] == pytest.approx(wanted[500 : len(sound) - 500], abs=1e-3)


def test_what_the_lower_rate_cannot_hold_is_not_folded_back(tmp_path):
    sound = read_recording(write(tmp_path / "a.wav", tone(15000, 44100), 44100), 16000)
    assert np.abs(sound[500:-500]).max() < 1e-3


def test_channels_count_from_one_and_without_one_they_are_averaged(tmp_path):
    left, right = tone(100, 16000), tone(300, 16000, level=0.2)
    path = write(tmp_path / "a.wav", np.stack([left, right], axis=1), 16000, subtype="FLOAT")
    assert read_recording(path, 16000, channel=1) == pytest.approx(left, abs=1e-6)
    assert read_recording(path, 16000, channel=2) == pytest.approx(right, abs=1e-6)
    assert read_recording(path, 16000) == pytest.approx((left + right) / 2, abs=1e-6)
    for channel in (0, 3, -1):
        with pytest.raises(InputError, match="has 2 channels and no channel"):
            read_recording(path, 16000, channel)


def test_a_rate_below_the_one_asked_for_is_refused_with_the_rate_to_ask_for(tmp_path):
    path = write(tmp_path / "slow.wav", tone(100, 12000), 12000)
    with pytest.raises(InputError) as error:
        read_recording(path, 16000)
    assert "slow.wav" in message(error) and "--sample-rate 12000" in message(error)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    sound = tone(100, 16000)
    sound[5000] = value
    path = write(tmp_path / "gap.wav", sound, 16000, subtype="FLOAT")
    with pytest.raises(InputError, match="gap.wav holds NaN or infinite samples"):
        read_recording(path, 16000)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"this is a text file", b"\0" * 5000])
def test_a_file_that_is_no_sound_is_refused(tmp_path, content):
    (tmp_path / "fake.wav").write_bytes(content)
    with pytest.raises(InputError, match="fake.wav is not a sound file"):
        read_recording(tmp_path / "fake.wav", 16000)


def test_a_wav_file_that_was_cut_off_is_refused_but_not_one_from_a_pipe(tmp_path):
    path = write(tmp_path / "cut.wav", np.full(1000, 0.5), 16000)
    whole = path.read_bytes()
    at = whole.index(b"data") + 4
    for claimed in (0xFFFFFFFF, 0x7FFFF024):  # what ffmpeg and sox write where they cannot go back
        path.write_bytes(whole[:at] + claimed.to_bytes(4, "little") + whole[at + 4 :])
        assert read_header(path).frames == len(read_recording(path, 16000)) == 1000
    for size in (len(whole) - 2, at + 4):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="cut.wav ends before its header says"):
            read_header(path)


def test_a_flac_file_cut_in_half_is_refused(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(160000)
    path = write(tmp_path / "cut.flac", noise, 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="cut.flac"):
        read_recording(path, 16000)


def test_a_missing_file_and_a_broken_link_are_refused(tmp_path):
    with pytest.raises(InputError, match="absent.wav does not exist"):
        read_recording(tmp_path / "absent.wav", 16000)
    (tmp_path / "link.wav").symlink_to(tmp_path / "absent.wav")
    with pytest.raises(InputError, match="link.wav"):
        read_recording(find_recordings(tmp_path)[0], 16000)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(tmp_path):
    path = write(tmp_path / "locked.wav", tone(100, 16000), 16000)
    path.chmod(0)
    with pytest.raises(InputError, match="locked.wav cannot be read"):
        read_recording(path, 16000)
