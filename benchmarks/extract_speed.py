"""How fast `cyclegan extract` is: on one core, against another version of it, and in several processes.

    python benchmarks/extract_speed.py
    git worktree add ../before COMMIT
    python benchmarks/extract_speed.py --before ../before --many 4000 --workers 2

Synthetic recordings of 10 s (noise, seed 0): 16 kHz mono, which needs no resampling, and 44.1 kHz stereo,
which is mixed and resampled to 16 kHz. Versions take turns in one run, each in a process of its own; the
shortest processor time counts. The goals: 100 times real time, at most 1.05 times as long as before, and with
N workers at least 0.8 N times as fast as with one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.extract import extract
from cyclegan_lib.features.sound_files import TASK_FILES
from cyclegan_lib.system import processors

CASES = {"16 kHz mono WAV": (16000, 1, "wav"), "44.1 kHz stereo FLAC": (44100, 2, "flac")}
SECONDS, SEED = 10.0, 0
HERE = Path(__file__).resolve().parents[1]
# what every version understands; the first time imports and makes filters
TIMED = """
import sys, time
from pathlib import Path
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.extract import extract
took = []
for _ in range(6):
    start = time.process_time()
    extract(Path(sys.argv[1]), "benchmark", FeatureSettings(), progress=False)
    took.append(time.process_time() - start)
print(min(took[1:]))
"""


def write_recordings(folder: Path, recordings: int, rate: int, channels: int, suffix: str) -> None:
    """Recordings of noise, as `CASES` say."""
    rng = np.random.default_rng(SEED)
    for i in range(recordings):
        sound = 0.1 * rng.standard_normal((round(SECONDS * rate), channels))
        soundfile.write(folder / f"{i:05d}.{suffix}", sound, rate)


def seconds_of(project: Path, folder: Path) -> float:
    """Processor time in which a version of the project extracts the recordings of a folder."""
    environment = {**os.environ, "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", TIMED, str(folder)]
    return float(subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True).stdout)


def one_core(before: Path | None, recordings: int, rounds: int) -> dict[str, float]:
    """Milliseconds of the processor for a recording, by case; and how many times those of before."""
    result = {}
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            write_recordings(Path(folder), recordings, *case)
            projects = [HERE] if before is None else [HERE, before.resolve()]
            turns = [[seconds_of(project, Path(folder)) for project in projects] for _ in range(rounds)]
        now, *then = np.min(turns, axis=0) / recordings * 1e3
        result[f"{name}, ms"] = now
        text = f"{name:>22}: {now:5.1f} ms a recording, {SECONDS * 1e3 / now:.0f} times real time"
        if then:
            result |= {f"{name}, ms before": then[0], f"{name}, ratio": now / then[0]}
            text += f"; {then[0]:.1f} ms before: {now / then[0]:.2f} times"
        print(text)
    return result


def in_processes(many: int, workers: int, rounds: int) -> dict[str, float]:
    """How many times faster `workers` processes are than one, with and without the seconds of their start."""
    best = dict.fromkeys(("one", "start", "all"), np.inf)
    with tempfile.TemporaryDirectory() as place:
        few, folder = Path(place) / "few", Path(place) / "many"
        few.mkdir()
        folder.mkdir()
        number = TASK_FILES * workers
        write_recordings(few, number, *CASES["16 kHz mono WAV"])
        for i in range(many):
            os.link(few / f"{i % number:05d}.wav", folder / f"{i:05d}.wav")
        tasks = (("one", folder, 1), ("start", few, workers), ("all", folder, workers))
        for _ in range(rounds):
            for name, source, processes in tasks:
                start = time.perf_counter()
                extract(source, "benchmark", FeatureSettings(), progress=False, workers=processes)
                best[name] = min(best[name], time.perf_counter() - start)
    whole, running = best["one"] / best["all"], best["one"] / (best["all"] - best["start"])
    print(
        f"{workers} workers, {many} recordings: {whole:.2f} times as fast as one ({whole / workers:.2f} N);"
        f" {running:.2f} ({running / workers:.2f} N) without the {best['start']:.1f} s of their start"
    )
    return {"workers": workers, "speed-up": whole, "speed-up without start": running}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="folder of another version of the project")
    parser.add_argument("--recordings", type=int, default=30, help="recordings of 10 s in each case")
    parser.add_argument("--many", type=int, default=4000, help="recordings shared by the processes")
    parser.add_argument("--workers", type=int, default=processors(), help="processes; default: the cores")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of so many rounds counts")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    print(f"noise, seed {SEED}, recordings of {SECONDS:g} s")
    result = one_core(options.before, options.recordings, options.rounds)
    if options.workers > 1:
        result |= in_processes(options.many, options.workers, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
