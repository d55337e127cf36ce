"""The two devices: what each must do to a known sound."""

import numpy as np
import pytest
from sounds import RATE, rng, tone

from cyclegan_lib.config import DEVICE_B
from cyclegan_lib.simulation import devices
from cyclegan_lib.simulation.devices import DEVICES


def gain_db(hz):
    heard = devices.response_a(tone(hz, seconds=2.0), RATE)[RATE:]
    return 20 * np.log10(np.std(heard) / np.std(tone(hz)))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("level", [1e-6, 1.0, 1e3])
def test_every_recording_fits_into_16_bits(device, level):
    wave = DEVICES[device](level * rng(1).standard_normal(RATE), RATE, rng())
    assert np.isfinite(wave).all()
    assert np.abs(wave).max() <= 1


def test_the_laboratory_recorder_is_flat():
    for hz in (50, 500, 5000, 7500):
        wave = DEVICES[DEVICE_B](tone(hz), RATE, rng())
        assert np.std(wave) / np.std(tone(hz)) == pytest.approx(devices.FULL_SCALE_B, rel=0.01)


def test_cpc006_is_band_limited_and_resonant():
    for hz, _, gain in devices.RESONANCES:
        assert gain_db(hz) > gain - 3
    low, high = devices.BAND_HZ
    assert gain_db(low / 3) < -17
    assert gain_db(1.8 * high) < -30


def test_peaking_filter_has_its_gain_at_its_frequency_and_none_far_off():
    numerator, denominator = devices.peaking(1000.0, 4.0, 9.0, RATE)
    for hz, gain in ((1000.0, 9.0), (0.0, 0.0), (RATE / 2, 0.0)):
        z = np.exp(-2j * np.pi * hz / RATE) ** np.arange(3)
        assert 20 * np.log10(abs(numerator @ z / (denominator @ z))) == pytest.approx(gain, abs=1e-6)


def test_cpc006_has_5_to_15_db_over_noise_and_a_gain_that_varies(monkeypatch):
    monkeypatch.setattr(devices, "soft_clip", lambda wave: wave)
    sound = rng(2).standard_normal(2 * RATE)
    clean = devices.response_a(sound, RATE)
    gains, snrs = [], []
    for seed in range(40):
        wave = devices.cpc006(sound, RATE, rng(seed))
        gain = wave @ clean / (clean @ clean)
        gains.append(gain / devices.FULL_SCALE_A)
        snrs.append(20 * np.log10(np.std(gain * clean) / np.std(wave - gain * clean)))
    assert 4.8 < min(snrs) < 7.5 and 12.5 < max(snrs) < 15.2
    near, far = devices.DISTANCE_M
    assert 0.95 / far < min(gains) and max(gains) < 1.05 / near
    assert max(gains) > 1.5 * min(gains)
    assert np.corrcoef(gains, snrs)[0, 1] > 0.7  # far is also noisier


def test_soft_clipping_is_linear_when_quiet_and_makes_odd_harmonics_when_loud():
    limit = devices.SATURATION_A
    assert devices.soft_clip(tone(500, 0.01 * limit)) == pytest.approx(tone(500, 0.01 * limit), abs=1e-6)
    assert limit / 2 < np.abs(devices.soft_clip(tone(500, 9.0))).max() <= limit
    spectrum = np.abs(np.fft.rfft(devices.soft_clip(tone(500, 2.0 * limit))))  # 1 Hz bins
    assert spectrum[1500] > 0.1 * spectrum[500]
    assert spectrum[1000] < 1e-6 * spectrum[500]


def test_pink_noise_falls_3_db_an_octave():
    power = np.abs(np.fft.rfft(devices.pink_noise(1 << 18, RATE, rng()))) ** 2
    hz = np.fft.rfftfreq(1 << 18, 1 / RATE)
    octaves = [10 * np.log10(power[(hz >= f) & (hz < 2 * f)].mean()) for f in (500, 1000, 2000, 4000)]
    assert np.diff(octaves) == pytest.approx([-3.01] * 3, abs=0.3)


def test_mains_hum_lies_at_multiples_of_the_mains_only():
    power = np.abs(np.fft.rfft(devices.mains_hum(RATE, RATE, rng()))) ** 2  # 1 Hz bins
    multiples = np.arange(50, 451, 50)
    assert power[multiples].sum() == pytest.approx(power.sum(), rel=1e-6)
    assert np.argmax(power) == 50
