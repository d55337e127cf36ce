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


def decaying(rate):
    """Return a made-up impulse response of 20 ms: noise that dies away."""
    n = round(0.02 * rate)
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


def test_the_level_does_not_matter_the_shape_stays_and_channels_are_averaged(tmp_path):
    given = decaying(RATE)
    measurements = (given, 0.01 * given, np.stack([given, 3 * given], axis=1))
    first, *others = (load_response(write(tmp_path / "a.wav", x, RATE), RATE) for x in measurements)
    assert np.corrcoef(first, given)[0, 1] > 0.9999
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-4, atol=1e-6)


def test_a_response_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "text.wav").write_text("no sound", encoding="utf-8")
    (tmp_path / "text.raw").write_text("no sound", encoding="utf-8")
    write(tmp_path / "low.wav", decaying(8000), 8000)
    write(tmp_path / "silent.wav", np.zeros(500), RATE)
    write(tmp_path / "gap.wav", np.array([1.0, np.nan] * 100), RATE)
    write(tmp_path / "empty.wav", np.zeros(0), RATE)
    says = dict.fromkeys(("text.wav", "text.raw"), "not a sound file")
    says |= dict.fromkeys(("silent.wav", "gap.wav", "empty.wav"), "silent around 1 kHz")
    says |= {"low.wav": "measured at 8000 Hz", "no_such.wav": "does not exist"}
    for name, sentence in says.items():
        with pytest.raises(InputError, match=f"{name} .*{sentence}"):
            load_response(tmp_path / name, RATE)


def test_without_surroundings_it_is_the_convolution():
    sound, response = LEVEL * rng(2).standard_normal(RATE), decaying(RATE)
    heard = hear(sound, response, RATE, CLEAN, rng())
    np.testing.assert_allclose(heard, fftconvolve(sound, response)[:RATE], atol=1e-8)


def measured(surroundings):
    """Return the gain and the signal-to-noise ratio in dB of many recordings of one sound."""
    sound = LEVEL * rng(3).standard_normal(2000)
    gains, snrs = [], []
    for seed in range(200):
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
    asked = (surroundings.gain_db, surroundings.snr_db)
    for drawn, (low, high) in zip(measured(surroundings), asked, strict=True):
        close = 0.1 * (high - low) + 1e-3
        assert drawn.min() >= low - 1e-3 and drawn.max() <= high + 1e-3
        assert drawn.mean() == pytest.approx((low + high) / 2, abs=close)
        assert drawn.std() == pytest.approx((high - low) / 12**0.5, abs=close)


def test_noise_is_measured_against_what_the_microphone_hears():
    deaf = 1e-3 * FLAT  # to the machine; the noise is added behind it
    sound = LEVEL * rng(3).standard_normal(RATE)
    asked = Surroundings((10.0, 10.0))
    noise = hear(sound, deaf, RATE, asked, rng()) - hear(sound, deaf, RATE, CLEAN, rng())
    assert 20 * np.log10(np.std(1e-3 * sound) / np.std(noise)) == pytest.approx(10, abs=1e-3)


def test_amplifiers_that_clip_stay_below_full_scale_and_others_do_not():
    def heard(level, clips):
        return hear(level * tone(500), FLAT, RATE, Surroundings((60.0, 60.0), clips=clips), rng())

    assert 0.99 < np.abs(heard(30, True)).max() <= 1 and np.abs(heard(30, False)).max() > 20
    np.testing.assert_allclose(heard(1e-3, True), heard(1e-3, False), atol=1e-8)


@pytest.mark.parametrize("surroundings", [PLANT, LABORATORY])
def test_the_seed_decides_and_silence_stays_silent(surroundings):
    sound, response = LEVEL * rng(2).standard_normal(RATE), decaying(RATE)
    first, again, other = (hear(sound, response, RATE, surroundings, rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first, again) and first.shape == sound.shape
    assert not np.array_equal(first, other)
    assert not hear(0 * sound, response, RATE, surroundings, rng()).any()
