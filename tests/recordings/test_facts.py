"""What is said of a recording's sound and channels."""

import tracemalloc

import numpy as np
import pytest
from sounds import RATE, rng, tone, write

from cyclegan_lib.recordings import reading
from cyclegan_lib.recordings.reading import Reading, RecordingStream

BLOCK = 1 << 14

NOISE = 0.1 * rng().standard_normal(2 * RATE)
SINE = tone(300, 0.5, 2)


def facts(tmp_path, sound, how=Reading(), subtype="FLOAT"):
    stream = RecordingStream(write(tmp_path / "a.wav", sound, subtype=subtype), 8000, how)
    for _ in stream.blocks():
        pass
    return stream.facts


def test_levels_are_those_of_the_scaled_sound(tmp_path):
    found = facts(tmp_path, SINE + 0.25, Reading(scale=2.0))
    assert (found.sample_rate, found.channels, found.averaged, found.seconds) == (RATE, 1, 1, 2.0)
    assert (found.peak, found.offset) == pytest.approx((1.5, 0.5), abs=1e-3)
    assert found.rms == pytest.approx(2 * 0.5 / np.sqrt(2), rel=1e-3)
    assert found.faults == found.remarks == []


def half(sound):
    return np.where(np.arange(len(sound)) < len(sound) / 2, sound, 0)


@pytest.mark.parametrize(
    ("sound", "subtype", "says"),
    [
        (0 * NOISE, "PCM_16", "silent"),
        (0 * NOISE + 0.25, "PCM_16", "constant: all samples are 0.25"),
        (half(NOISE), "PCM_16", "half silent: 50%"),
        (half(NOISE) + 0.5, "FLOAT", "half silent: 50%"),
        (half(NOISE) + np.arange(len(NOISE)) % 3 / 32768, "PCM_16", "half silent: 50%"),  # of dither
        (np.where(np.arange(len(NOISE)) // (RATE // 20) % 2, NOISE, 0.03), "PCM_16", "half silent: 50%"),
        (SINE.clip(-0.4, 0.4), "PCM_16", "clipped: 41"),
        (NOISE.clip(-0.2, 0.2), "PCM_16", "clipped: 4"),
        (np.stack([NOISE, SINE.clip(-1, 0.4)], axis=1), "PCM_16", "clipped: 20"),
        # and what only looks like it
        (NOISE, "PCM_16", ""),
        (SINE, "PCM_16", ""),
        (tone(50, 0.03, 2), "PCM_16", ""),
        (tone(50, 10 / 32768, 2), "PCM_16", ""),
        (NOISE, "PCM_U8", ""),
        (1e-6 * NOISE, "FLOAT", ""),
    ],
)
def test_sound_that_is_doubtful_is_named(tmp_path, sound, subtype, says):
    found = facts(tmp_path, sound, subtype=subtype).faults
    assert len(found) == bool(says) and "".join(found).startswith(says)


@pytest.mark.parametrize(
    ("channels", "says"),
    [
        ((NOISE, -NOISE), "channels that cancel"),
        ((NOISE, -0.8 * NOISE), "channels that cancel: their mean is 19 dB below them"),
        ((NOISE, 0 * NOISE), "channels without sound: 2 of 2, which makes the mean 6 dB quieter"),
        ((NOISE, *[0.1 + 0 * NOISE] * 7), "channels without sound: 2, 3, 4, 5, 6, 7, 8 of 8"),
        ((NOISE, NOISE, NOISE, -NOISE), "channels turned against the mean of all: 4 of 4"),
        ((NOISE, SINE), ""),
        ((NOISE, NOISE), ""),
        ((NOISE, np.roll(NOISE, 9), 0.01 * SINE), ""),
        ((0 * NOISE, 0 * NOISE), ""),
    ],
)
def test_channels_that_make_the_mean_wrong_are_named(tmp_path, channels, says):
    found = facts(tmp_path, np.stack(channels, axis=1))
    assert found.averaged == found.channels == len(channels)
    assert len(found.remarks) == bool(says) and "".join(found.remarks).startswith(says)
    alone = facts(tmp_path, np.stack(channels, axis=1), Reading(1))
    assert (alone.averaged, alone.channels, alone.remarks) == (1, len(channels), [])


def test_blocks_give_the_facts_of_the_whole_and_memory_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_FRAMES", BLOCK)
    seconds = 60 * BLOCK / 44100
    sound = (1 + np.arange(round(seconds * 44100)) / 1e6) * tone(440, 0.2, seconds, 44100)
    sound = np.stack([sound.clip(-0.3, 0.3), sound.clip(-0.3, 0.3)], axis=1).astype(np.float32)
    path = write(tmp_path / "long.wav", sound, 44100)
    stream = RecordingStream(path, 16000)
    tracemalloc.start()
    samples = sum(map(len, stream.blocks()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 4 * BLOCK < sound.nbytes / 5
    found = stream.facts
    assert abs(samples - 16000 * seconds) <= 2 and found.seconds == pytest.approx(seconds)
    assert found.peak == pytest.approx(0.3, abs=1e-4) and found.rms == pytest.approx(sound.std(), rel=1e-4)
    assert found.clipped == pytest.approx((np.abs(sound[:, 0]) >= 0.3).mean(), rel=0.02)
