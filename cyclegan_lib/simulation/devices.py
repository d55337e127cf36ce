"""Two recording devices: what each makes of the sound one metre from a machine.

References
----------
.. [1] R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients" (W3C Note "Audio
   EQ Cookbook").
.. [2] J. Timmer and M. Koenig, "On generating power law noise", Astronomy and Astrophysics 300, 1995,
   707-710.
.. [3] U. Zoelzer (ed.), "DAFX: Digital Audio Effects", 2nd edition, Wiley, 2011.
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from cyclegan_lib.config import DEVICE_A, DEVICE_B

# What each recorder makes of a level of 1 (a machine at full load, one metre away). The laboratory recorder
# leaves 23 dB for peaks. cpc006 has as much of its converter's range left, but no use of it: its preamplifier
# runs from one cell and saturates 24 dB below, so that near machines clip.
FULL_SCALE_A = 0.05
SATURATION_A = 0.0625
FULL_SCALE_B = 0.07
# Distances at which people fasten a recorder; with sound falling as 1/r, gains differ by 8.5 dB.
DISTANCE_M = (0.6, 1.6)
SNR_DB = (5.0, 15.0)
MAINS_HZ = 50.0
# Capsule in a plastic box behind a hole: Helmholtz resonance of the hole, and the box's own mode.
RESONANCES = ((900.0, 4.0, 8.0), (2300.0, 5.0, 8.0))  # (Hz, quality, gain dB)
BAND_HZ = (200.0, 3000.0)


def cpc006(sound: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The edge recorder: at some distance, band-limited and resonant, noisy, softly clipping.

    Makes of the pressure at one metre, `sound` (samples,), as from `machine_sound`, a recording, float64
    (samples,) within -1 to 1; its distance, noise and signal-to-noise ratio are drawn from `rng`.
    """
    distance = DISTANCE_M[0] * (DISTANCE_M[1] / DISTANCE_M[0]) ** rng.uniform()
    heard = response_a(sound, sample_rate) / distance
    # The noise of the hall does not get weaker with the distance to the machine: far is also noisier.
    far = np.log(distance / DISTANCE_M[0]) / np.log(DISTANCE_M[1] / DISTANCE_M[0])  # 0 near, 1 far
    snr_db = np.clip(SNR_DB[1] - (SNR_DB[1] - SNR_DB[0]) * far + rng.normal(0, 1.0), *SNR_DB)
    noise = pink_noise(len(sound), sample_rate, rng) + 0.3 * mains_hum(len(sound), sample_rate, rng)
    noise *= np.std(heard) / np.std(noise) * 10 ** (-snr_db / 20)
    return soft_clip(FULL_SCALE_A * (heard + noise))


def batch_upload(sound: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The laboratory recorder: flat, at one metre, its own noise 60 dB below a machine.

    Parameters and result are those of `cpc006`.
    """
    noise = 1e-3 * rng.standard_normal(len(sound))
    return np.clip(FULL_SCALE_B * (sound + noise), -1.0, 1.0)


DEVICES: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    DEVICE_A: cpc006,
    DEVICE_B: batch_upload,
}


def response_a(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """The linear part of cpc006: band limits and two resonances; (samples,) in and out."""
    heard = sosfilt(butter(2, BAND_HZ[0], "highpass", fs=sample_rate, output="sos"), sound)
    high = min(BAND_HZ[1], 0.45 * sample_rate)
    heard = sosfilt(butter(8, high, "lowpass", fs=sample_rate, output="sos"), heard)
    for hz, quality, gain_db in RESONANCES:
        heard = lfilter(*peaking(hz, quality, gain_db, sample_rate), heard)
    return heard


def peaking(hz: float, quality: float, gain_db: float, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of a filter with gain `gain_db` at `hz` and 0 dB far off [1]_."""
    angle = 2 * np.pi * hz / sample_rate
    alpha = np.sin(angle) / (2 * quality)
    root = 10 ** (gain_db / 40)
    numerator = np.array([1 + alpha * root, -2 * np.cos(angle), 1 - alpha * root])
    denominator = np.array([1 + alpha / root, -2 * np.cos(angle), 1 - alpha / root])
    return numerator / denominator[0], denominator / denominator[0]


def pink_noise(samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Noise whose power density falls as 1/f above 20 Hz, drawn in the frequency domain [2]_.

    float64 (samples,), with a standard deviation of 1.
    """
    hz = np.fft.rfftfreq(samples, 1 / sample_rate)
    spectrum = rng.standard_normal(len(hz)) + 1j * rng.standard_normal(len(hz))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 100.0)), samples)
    return noise / np.std(noise)


def mains_hum(samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The mains and its harmonics, 50 to 450 Hz, the odd ones stronger (saturated iron).

    float64 (samples,), with a standard deviation of 1.
    """
    time = np.arange(samples) / sample_rate  # seconds
    hum = np.zeros(samples)
    for order in range(1, 10):
        amplitude = (1.0 if order % 2 else 0.4) / order * rng.lognormal(0.0, 0.3)
        hum += amplitude * np.cos(2 * np.pi * order * MAINS_HZ * time + rng.uniform(0, 2 * np.pi))
    return hum / np.std(hum)


def soft_clip(wave: np.ndarray, limit: float = SATURATION_A) -> np.ndarray:
    """Saturation of an amplifier: tanh, linear for small waves and never beyond `limit` [3]_."""
    return limit * np.tanh(wave / limit)
