"""How fast `cyclegan extract` is: on one core, against the way it was done before, and in several processes.

    python benchmarks/extract_speed.py
    python benchmarks/extract_speed.py --recordings 60 --many 4000 --workers 2 --json extract_speed.json

Synthetic recordings of 10 s (noise, seed 0): 16 kHz mono, which needs no resampling, and 44.1 kHz stereo,
which is mixed and resampled to 16 kHz. Both ways take turns in one run; the shortest processor time of each
counts. Before, a recording was read whole, no offset removed and nothing asked about its sound. The goals: at
most 1.05 times as long as before, and with N workers at least 0.8 N times as fast as with one.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.extract import extract
from cyclegan_lib.features.log_mel import FLOOR, fft_length, mel_filters, window_starts
from cyclegan_lib.parallel import processors

CASES = {"16 kHz mono WAV": (16000, 1, "wav"), "44.1 kHz stereo FLAC": (44100, 2, "flac")}
SECONDS, SEED = 10.0, 0
SETTINGS = FeatureSettings()


def write_recordings(folder: Path, recordings: int, rate: int, channels: int, suffix: str) -> None:
    """Recordings of noise, as `CASES` say."""
    rng = np.random.default_rng(SEED)
    for i in range(recordings):
        sound = 0.1 * rng.standard_normal((round(SECONDS * rate), channels))
        soundfile.write(folder / f"{i:05d}.{suffix}", sound, rate)


def now(folder: Path, workers: int = 1) -> None:
    """What the command does."""
    extract(folder, "benchmark", SETTINGS, progress=False, workers=workers)


def before(folder: Path) -> None:
    """What it did before recordings were read as streams: `f_stop` 0, no facts."""
    filters, rate = mel_filters(SETTINGS), SETTINGS.sample_rate
    samples, n_fft = round(SETTINGS.window_s * rate), fft_length(SETTINGS)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)
    slices = np.round(np.arange(SETTINGS.slices) * SETTINGS.slice_hop_s * rate).astype(int)
    starts = slices[:, None] + window_starts(SETTINGS)  # (slices, windows)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        soundfile.info(path)
    for path in paths:
        sound, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
        sound = sound.mean(axis=1)
        if own_rate != rate:
            sound = soxr.resample(sound, own_rate, rate, quality="HQ")
        places = starts[..., None] + np.arange(samples)  # (slices, windows, samples)
        power = np.abs(np.fft.rfft(sound[places] * hann, n_fft)) ** 2  # (slices, windows, bins)
        (10 * np.log10(power @ filters.T + FLOOR)).mean(axis=1).astype(np.float32)  # (slices, n_features)


def one_core(folder: Path, recordings: int, rounds: int) -> tuple[float, float]:
    """Milliseconds of the processor for a recording, now and before."""
    ways: dict[Callable, float] = {now: np.inf, before: np.inf}
    for _ in range(rounds):
        for way in ways:
            start = time.process_time()
            way(folder)
            ways[way] = min(ways[way], time.process_time() - start)
    return ways[now] / recordings * 1e3, ways[before] / recordings * 1e3


def speed_up(folder: Path, many: int, workers: int, rounds: int) -> tuple[float, float]:
    """How many times faster `workers` processes are than one, with and without the seconds of their start."""
    write_recordings(folder, 1, *CASES["16 kHz mono WAV"])
    one, few = folder / "00000.wav", folder / "few"
    for place, number in ((few, 2 * workers), (folder / "many", many)):
        place.mkdir()
        for i in range(number):
            os.link(one, place / f"{i:05d}.wav")
    best = dict.fromkeys((1, workers, "start"), np.inf)
    for _ in range(rounds):
        for name, place, processes in (
            ("start", few, workers),
            (1, folder / "many", 1),
            (workers, folder / "many", workers),
        ):
            start = time.perf_counter()
            now(place, processes)
            best[name] = min(best[name], time.perf_counter() - start)
    return best[1] / best[workers], best[1] / (best[workers] - best["start"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=30, help="recordings of 10 s in each case")
    parser.add_argument("--many", type=int, default=4000, help="recordings shared by the processes")
    parser.add_argument("--workers", type=int, default=processors(), help="processes; default: the cores")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of so many rounds counts")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    print(f"noise, seed {SEED}, recordings of {SECONDS:g} s")
    result: dict[str, float] = {}
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
    if cores is not None:  # one core, whatever threads the libraries start
        os.sched_setaffinity(0, {min(cores)})
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            write_recordings(Path(folder), options.recordings, *case)
            took, took_before = one_core(Path(folder), options.recordings, options.rounds)
        result |= {
            f"{name}, ms": took,
            f"{name}, ms before": took_before,
            f"{name}, ratio": took / took_before,
        }
        print(
            f"{name:>22}: {took:5.1f} ms a recording, {took_before:.1f} before: {took / took_before:.2f}"
            f" times; {SECONDS * 1e3 / took:.0f} times faster than real time"
        )
    if cores is not None:
        os.sched_setaffinity(0, cores)
    if options.workers > 1:
        with tempfile.TemporaryDirectory() as folder:
            whole, running = speed_up(Path(folder), options.many, options.workers, options.rounds)
        result |= {"workers": options.workers, "speed-up": whole, "speed-up without start": running}
        print(
            f"{options.workers} workers, {options.many} recordings: {whole:.2f} times as fast as one"
            f" ({whole / options.workers:.2f} N), {running:.2f} once started"
            f" ({running / options.workers:.2f} N)"
        )
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
