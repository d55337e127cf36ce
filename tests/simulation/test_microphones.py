"""Measured microphones: calibration at 1 kHz, and what the surroundings add."""

from functools import partial

import numpy as np
import pytest
import sounds
from scipy.signal import fftconvolve
from sounds import RATE, rng, tone

from cyclegan_lib.errors import InputError
from cyclegan_lib.simulation.microphones import LABORATORY, LEVEL, PLANT, Surroundings, hear, load_response

write = partial(sounds.write, subtype="FLOAT")
FLAT = np.array([1.0])
CLEAN = Surroundings(snr_db=(200.0, 200.0))


def decaying(rate, seconds=0.02):
    """Return a made-up impulse response: noise that dies away."""
    n = round(seconds * rate)
    return rng(1).standard_normal(n) * np.exp(-np.arange(n) / (0.002 * rate)) * 0.1


@pytest.mark.parametrize("rate", [RATE, 44100, 96000])
@pytest.mark.parametrize("level", [1e-4, 1.0])
def test_the_gain_at_1_khz_is_0_db(tmp_path, rate, level):
    response = load_response(write(tmp_path / "a.wav", level * decaying(rate), rate), RATE)
    assert response.dtype == np.float64 and response.ndim == 1
    assert len(response) == pytest.approx(0.02 * RATE, abs=2)
    hz = np.linspace(1000 / 2 ** (1 / 6), 1000 * 2 ** (1 / 6), 200)
    phases = np.exp(-2j * np.pi * hz[:, None] * np.arange(len(response)) / RATE)
    power = np.mean(np.abs(phases @ response) ** 2)
    assert 10 * np.log10(power) == pytest.approx(0, abs=0.1)


def test_the_level_of_the_measurement_does_not_matter_and_its_shape_stays(tmp_path):
    given = decaying(RATE)
    quiet, loud = (
        load_response(write(tmp_path / f"{i}.wav", level * given, RATE), RATE)
        for i, level in enumerate((0.01, 1))
    )
    np.testing.assert_allclose(quiet, loud, rtol=1e-4, atol=1e-6)
    assert np.corrcoef(loud, given)[0, 1] > 0.9999


def test_channels_are_averaged(tmp_path):
    given = decaying(RATE)
    both = load_response(write(tmp_path / "2.wav", np.stack([given, 3 * given], axis=1), RATE), RATE)
    one = load_response(write(tmp_path / "1.wav", given, RATE), RATE)
    np.testing.assert_allclose(both, one, rtol=1e-4, atol=1e-6)


def test_a_response_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "text.raw").write_text("no sound")
    write(tmp_path / "silent.wav", np.zeros(500), RATE)
    write(tmp_path / "gap.wav", np.array([1.0, np.nan, 0.5] * 100), RATE)
    write(tmp_path / "empty.wav", np.zeros(0), RATE)
    write(tmp_path / "low.wav", decaying(8000), 8000)
    for name, says in (
        ("text.wav", "not a sound file"),
        ("text.raw", "not a sound file"),
        ("silent.wav", "silent around 1 kHz"),
        ("gap.wav", "silent around 1 kHz"),
        ("empty.wav", "silent around 1 kHz"),
        ("low.wav", "measured at 8000 Hz"),
        ("no_such.wav", "does not exist"),
    ):
        with pytest.raises(InputError, match=f"{name} .*{says}"):
            load_response(tmp_path / name, RATE)


def test_without_surroundings_it_is_the_convolution():
    response = decaying(RATE)
    sound = LEVEL * rng(2).standard_normal(RATE)
    heard = hear(sound, response, RATE, CLEAN, rng())
    np.testing.assert_allclose(heard, fftconvolve(sound, response)[:RATE], atol=1e-8)
    np.testing.assert_allclose(hear(sound, FLAT, RATE, CLEAN, rng()), sound, atol=1e-8)


def measured(surroundings, seeds=200):
    """Return the gain and the signal-to-noise ratio in dB of many recordings of one sound."""
    sound = LEVEL * rng(3).standard_normal(2000)
    gains, snrs = [], []
    for seed in range(seeds):
        heard = hear(sound, FLAT, RATE, surroundings, rng(seed))
        quiet = hear(sound, FLAT, RATE, Surroundings((200.0, 200.0), surroundings.gain_db), rng(seed))
        # the same draws without noise: what is left is the noise
        gains.append(20 * np.log10(np.std(quiet) / np.std(sound)))
        snrs.append(20 * np.log10(np.std(quiet) / np.std(heard - quiet)))
    return np.array(gains), np.array(snrs)


@pytest.mark.parametrize(
    "surroundings",
    [Surroundings((5.0, 15.0), (-14.0, -6.0)), Surroundings((30.0, 31.0), (0.0, 0.0)), LABORATORY],
)
def test_noise_and_gain_are_as_asked(surroundings):
    for found, (low, high) in zip(
        measured(surroundings), (surroundings.gain_db, surroundings.snr_db), strict=True
    ):
        assert found.min() >= low - 1e-3 and found.max() <= high + 1e-3
        assert found.mean() == pytest.approx((low + high) / 2, abs=0.1 * (high - low) + 1e-3)
        assert found.std() == pytest.approx((high - low) / 12**0.5, abs=0.1 * (high - low) + 1e-3)


def test_noise_is_measured_against_what_the_microphone_hears():
    deaf = 1e-3 * FLAT  # to the machine; the noise is added behind it
    sound = LEVEL * rng(3).standard_normal(RATE)
    asked = Surroundings((10.0, 10.0))
    noise = hear(sound, deaf, RATE, asked, rng()) - hear(sound, deaf, RATE, CLEAN, rng())
    assert 20 * np.log10(np.std(1e-3 * sound) / np.std(noise)) == pytest.approx(10, abs=1e-3)


def test_amplifiers_that_clip_stay_below_full_scale_and_others_do_not():
    loud = 30 * tone(500)
    quiet = 1e-3 * tone(500)
    clips = Surroundings((60.0, 60.0), (0.0, 0.0), clips=True)
    heard = hear(loud, FLAT, RATE, clips, rng())
    assert 0.99 < np.abs(heard).max() <= 1
    spectrum = np.abs(np.fft.rfft(heard))  # 1 Hz bins
    assert spectrum[1500] > 0.1 * spectrum[500]  # odd harmonics
    linear = hear(quiet, FLAT, RATE, Surroundings((60.0, 60.0)), rng())
    np.testing.assert_allclose(hear(quiet, FLAT, RATE, clips, rng()), linear, atol=1e-8)
    assert np.abs(hear(loud, FLAT, RATE, Surroundings((60.0, 60.0)), rng())).max() > 20


@pytest.mark.parametrize("surroundings", [PLANT, LABORATORY])
def test_the_seed_decides(surroundings):
    sound, response = LEVEL * rng(2).standard_normal(RATE), decaying(RATE)
    first, again, other = (hear(sound, response, RATE, surroundings, rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == sound.shape


def test_silence_stays_silent():
    assert not hear(np.zeros(RATE), decaying(RATE), RATE, PLANT, rng()).any()
