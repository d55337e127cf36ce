"""The peers of extraction: librosa in a loop, and decoding with FFT alone; for performance.py."""

import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
import soundfile

from cyclegan_lib.config import FeatureSettings


def seconds_of(folder: Path, features: Callable[[np.ndarray, int], object]) -> float:
    """Seconds of the processor for reading a folder's recordings and something on each, as ours are timed."""
    taken = []
    for _ in range(6):  # the first imports, and makes what is kept
        start = time.process_time()
        for path in sorted(folder.glob("*.wav")):
            features(*soundfile.read(path, dtype="float32"))
        taken.append(time.process_time() - start)
    return min(taken[1:])


def by_librosa(sound: np.ndarray, rate: int) -> np.ndarray:
    """Log-mel features as they are usually computed."""
    settings = FeatureSettings()
    window, hop = round(settings.window_s * rate), round(settings.hop_s * rate)
    mel = librosa.feature.melspectrogram(
        y=sound, sr=rate, n_fft=512, win_length=window, hop_length=hop, n_mels=40, fmin=settings.f_min
    )
    return librosa.power_to_db(mel)


def by_fft_alone(sound: np.ndarray, rate: int) -> np.ndarray:
    """The spectra of all windows."""
    settings = FeatureSettings()
    window, hop = round(settings.window_s * rate), round(settings.hop_s * rate)
    return scipy.fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, window)[::hop], n=512)
