"""How many times faster than real time `cyclegan extract` is, on one core.

    python benchmarks/extract_speed.py
    python benchmarks/extract_speed.py --recordings 60 --json extract_speed.json

Measures on the same synthetic recordings: 16 kHz mono, which needs no resampling, and 44.1 kHz stereo, which
is mixed and resampled to 16 kHz. The goal is 100 times real time.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.extract import extract

CASES = {"16 kHz mono WAV": (16000, 1, "wav"), "44.1 kHz stereo FLAC": (44100, 2, "flac")}
SECONDS = 10.0


def times_real_time(
    folder: Path, recordings: int, rate: int, channels: int, suffix: str, rounds: int
) -> float:
    """Seconds of sound extracted in a second, the best of some rounds (others may use the machine too)."""
    rng = np.random.default_rng(0)
    for i in range(recordings):
        sound = 0.1 * rng.standard_normal((round(SECONDS * rate), channels))
        soundfile.write(folder / f"{i:03d}.{suffix}", sound, rate)
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        _, report = extract(folder, "benchmark", FeatureSettings(), progress=False)
        best = min(best, time.perf_counter() - start)
    return report.recordings * SECONDS / best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=30, help="recordings of 10 s in each case")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of so many rounds counts")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # one core, whatever threads the libraries start
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    speeds = {}
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            speeds[name] = times_real_time(Path(folder), options.recordings, *case, options.rounds)
        print(f"{name:>22}: {speeds[name]:5.0f} times faster than real time")
    if options.json:
        options.json.write_text(json.dumps(speeds, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
