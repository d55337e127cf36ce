"""Sound re-coloured by gains that change over time and frequency, and made fit to be heard side by side."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr
from scipy.interpolate import RectBivariateSpline

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import name_for_c, replacing, writable_file

if TYPE_CHECKING:
    import torch

WINDOW_S = 0.032  # of the short-time spectrum that gains are applied to
AT_ONCE_S = 60  # seconds whose spectrum is in memory
MAX_GAIN_DB = 60.0  # where the source holds hardly anything, more would be rounding made loud
PEAK = 0.9  # of full scale: encoders overshoot a little
# rates of MP3, which leaves out the highest tones, and what libsndfile is to compress by for 64 kbit/s
MP3_HZ = {24000: 0.615, 32000: 0.885, 48000: 0.885}
FLAC_HZ = 24000  # at most: what is above 12 kHz, such an MP3 has not either
WRITTEN_AT_ONCE = 1 << 16  # samples: libsndfile has those of OGG on its stack, and many end the process
WRITTEN = (".wav", ".flac", ".ogg", ".mp3")


def recoloured(
    sound: np.ndarray, rate: int, change: np.ndarray, times_s: np.ndarray, frequencies: np.ndarray
) -> np.ndarray:
    """The `sound`, its short-time spectrum amplified by `change`; phases stay, and nothing is added.

    `sound` is mono, float (samples,), at `rate` Hz; `change` (times, frequencies) in dB holds at `times_s`
    and `frequencies` (Hz), both increasing, is interpolated between them, and goes on as it is beyond.
    Returns float32 (samples,).
    """
    import torch  # which takes seconds to import, but transforms all slices at once, unlike SciPy's

    window, hop = _window(rate)
    margin = 2 * len(window)
    limited = np.clip(change, -MAX_GAIN_DB, MAX_GAIN_DB)
    gains = RectBivariateSpline(times_s, frequencies, limited, kx=1, ky=1)
    parts = [np.empty(0, np.float32)]
    for start, block in _blocks(sound, AT_ONCE_S * rate // hop * hop):
        first = max(0, start - margin)
        near = sound[first : start + len(block) + margin]
        spectrum, hz = _short_time(near, rate)
        frames_s = (first + hop * np.arange(spectrum.shape[1])) / rate
        spectrum *= torch.from_numpy(10 ** (gains(frames_s, hz).T.astype(np.float32) / 20))
        heard = torch.istft(spectrum, len(window), hop, window=window, length=len(near)).numpy()
        parts.append(heard[start - first :][: len(block)])
    return np.concatenate(parts)


def equally_loud(sounds: Sequence[np.ndarray], rate: int) -> list[np.ndarray]:
    """The `sounds`, float (samples,) each, amplified to be as loud as the first one: of one A-weighted power.

    What is silent stays so. Samples may be beyond full scale then.
    """
    powers = [_weighted_power(sound, rate) for sound in sounds]
    return [
        sound * np.float32((powers[0] / power) ** 0.5 if power else 1.0)
        for sound, power in zip(sounds, powers, strict=True)
    ]


def within_full_scale(sounds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The `sounds`, all amplified alike, so that the highest peak among them is just below full scale."""
    peak = max((float(np.abs(sound).max(initial=0)) for sound in sounds), default=0)
    return [sound * np.float32(PEAK / peak if peak else 1.0) for sound in sounds]


def mp3(sound: np.ndarray, rate: int) -> bytes:
    """A sound as a small file that every browser plays, 8 kB a second; within full scale."""
    hz = next((hz for hz in MP3_HZ if hz >= 1.5 * rate), max(MP3_HZ))
    return _file(sound, rate, hz, format="MP3", bitrate_mode="CONSTANT", compression_level=MP3_HZ[hz])


def flac(sound: np.ndarray, rate: int) -> bytes:
    """The same, made thirty times as fast, and two or three times as large."""
    return _file(sound, rate, min(rate, FLAC_HZ), format="FLAC")


def _file(sound: np.ndarray, rate: int, hz: int, **how: object) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(sound, rate, hz).clip(-1, 1), hz, **how)
    return file.getvalue()


def new_sound_file(path: Path) -> None:
    """Raise InputError if no sound file can be written at `path`, in none of `WRITTEN`, or one is there."""
    if path.suffix.lower() not in WRITTEN:
        raise InputError(f"{path} must end in one of {', '.join(WRITTEN)}, the formats of sound")
    writable_file(path)
    if path.exists() or path.is_symlink():
        raise InputError(f"{path} exists, and may be a recording; give another output, or remove it first")


def write_sound(path: Path, sound: np.ndarray, rate: int) -> None:
    """Write a sound within full scale, whole or not at all, as `path` says; InputError if it cannot be."""
    new_sound_file(path)
    try:
        with replacing(path) as part:
            with soundfile.SoundFile(name_for_c(part), "w", rate, channels=1) as file:
                for _, block in _blocks(sound, WRITTEN_AT_ONCE):
                    file.write(block)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"{path} could not be written: {path.suffix} may not hold sound at {rate} Hz; give a name that"
            " ends in .wav"
        ) from error


def _window(rate: int) -> "tuple[torch.Tensor, int]":
    """Of the short-time spectrum: its window (samples,), and the samples from one frame to the next."""
    import torch

    samples = 1 << (round(WINDOW_S * rate) - 1).bit_length()
    return torch.hann_window(samples), samples // 4


def _short_time(sound: np.ndarray, rate: int) -> "tuple[torch.Tensor, np.ndarray]":
    """The short-time spectrum of a sound (bins, frames), frames centred on their hops, and its Hz (bins,)."""
    import torch

    window, hop = _window(rate)
    samples = torch.from_numpy(np.asarray(sound, np.float32))
    spectrum = torch.stft(samples, len(window), hop, window=window, pad_mode="constant", return_complex=True)
    return spectrum, np.fft.rfftfreq(len(window), 1 / rate)


def _blocks(sound: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Parts of a sound, and where each begins."""
    return ((start, sound[start : start + size]) for start in range(0, len(sound), size))


def _weighted_power(sound: np.ndarray, rate: int) -> float:
    from librosa import A_weighting, db_to_power  # which takes a second to import

    total = 0.0
    for _, block in _blocks(sound, AT_ONCE_S * rate):
        spectrum, hz = _short_time(block - block.mean(), rate)
        power = spectrum.abs().square().sum(1).numpy()  # (bins,)
        total += float(power @ db_to_power(A_weighting(np.maximum(hz, 1))))
    return total / max(1, len(sound))
