"""Measured microphones: what a recording would sound like through another one, in other surroundings.

The impulse responses are those of the Microphone Impulse Response Project (MicIRP), one file a microphone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.signal import fftconvolve

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file
from cyclegan_lib.recordings.reading import read_header
from cyclegan_lib.simulation.devices import mains_hum, pink_noise, soft_clip

MAX_RESPONSE_S = 60  # of an impulse response, of all channels
REFERENCE_HZ = 1000.0  # levels of the measurements are not calibrated: all are made equal here
THIRD_OCTAVE = 2 ** (1 / 6)  # from the centre to an edge
# Root mean square of a recording of middle loudness, before the gain: 20 dB below full scale.
LEVEL = 0.1


@dataclass(frozen=True)
class Surroundings:
    """What a recording device adds besides its microphone, drawn anew for each recording."""

    snr_db: tuple[float, float]  # (low, high): machine to plant noise, both after the microphone
    gain_db: tuple[float, float] = (0.0, 0.0)  # (low, high)
    clips: bool = False  # whether the amplifier saturates softly at full scale


PLANT = Surroundings(snr_db=(5.0, 15.0), gain_db=(-14.0, -6.0), clips=True)
LABORATORY = Surroundings(snr_db=(35.0, 45.0))


def load_response(path: str | Path, sample_rate: int) -> np.ndarray:
    """Read a measured impulse response and make its gain at 1 kHz 0 dB (mean power over a third octave).

    Returns float64 (samples,) at `sample_rate`, in Hz. Raises InputError if the file is missing, is no sound,
    is silent around 1 kHz, or has a lower rate.
    """
    header = read_header(existing_file(path, "give the impulse response of a microphone as a WAV file"))
    if header.frames is None or header.frames * header.channels > MAX_RESPONSE_S * header.sample_rate:
        lasts = "any time" if header.frames is None else f"{header.frames / header.sample_rate:g} s"
        raise InputError(f"{path} lasts {lasts} and is no impulse response; give that of a microphone")
    try:
        response, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path} is damaged; give an impulse response as a WAV file") from error
    if rate < sample_rate:
        raise InputError(f"{path} was measured at {rate} Hz; ask for a sample rate of at most that")
    response = soxr.resample(response.mean(axis=1), rate, sample_rate, quality="VHQ")
    power = np.abs(np.fft.rfft(response, max(len(response), sample_rate))) ** 2
    hz = np.fft.rfftfreq(max(len(response), sample_rate), 1 / sample_rate)
    around = (hz > REFERENCE_HZ / THIRD_OCTAVE) & (hz < REFERENCE_HZ * THIRD_OCTAVE)
    gain = np.sqrt(power[around].mean())
    if not 0 < gain < np.inf:
        raise InputError(f"{path} is silent around 1 kHz; give the impulse response of a microphone")
    return response / gain


def hear(
    sound: np.ndarray,
    response: np.ndarray,
    sample_rate: int,
    surroundings: Surroundings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Hear `sound` through a microphone, with the noise, gain and saturation of its surroundings.

    `sound`, (samples,), is scaled so that a recording of middle loudness has root mean square `LEVEL`;
    `response`, (taps,), is from `load_response`. Returns float64 (samples,).
    """
    heard = fftconvolve(sound, response)[: len(sound)]
    noise = pink_noise(len(sound), sample_rate, rng) + 0.3 * mains_hum(len(sound), sample_rate, rng)
    snr_db = rng.uniform(*surroundings.snr_db)
    noise *= np.std(heard) / np.std(noise) * 10 ** (-snr_db / 20)
    heard = (heard + noise) * 10 ** (rng.uniform(*surroundings.gain_db) / 20)
    return soft_clip(heard, 1.0) if surroundings.clips else heard
