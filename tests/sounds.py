"""Sounds that are known, and sound files."""

import os
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tone(hz: float, level: float = 1.0, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def write(path: Path, sound: np.ndarray, rate: int = RATE, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(os.fsencode(path), sound, rate, **options)
    return path


def record(*paths: Path) -> None:
    """Write recordings of noise, just long enough for a sequence."""
    for seed, path in enumerate(paths):
        write(path, rng(seed).normal(size=163_840) / 10)


def drifting(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Noise, quiet in its middle, with a tone, on an offset that drifts, float32 (samples,)."""
    times = np.arange(round(seconds * rate)) / rate
    noise = rng(seed).standard_normal(len(times))
    noise *= np.where(np.abs(times / seconds - 0.5) < 0.1, 0.001, 0.1)
    made = noise + 0.2 * np.sin(2 * np.pi * 440 * times) + 0.3 + 0.1 * np.sin(2 * np.pi * times)
    return made.astype(np.float32)
