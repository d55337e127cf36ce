"""How training grows with the number of recordings: processor time and memory.

    python benchmarks/training_growth.py
    python benchmarks/training_growth.py --recordings 500 2000 --folder /tmp

Each number of recordings a device is trained on in a process of its own and one thread, on synthetic
sequences, one a recording. `read` is both files read, checked and remembered, which takes as long as they
are large; `start` all that is done once besides; `epoch` an epoch of 25 steps with its choice and files.
Memory is the most that the process had beyond its imports and the features themselves. Figures are of this
machine; ratios to 500 recordings may be compared.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from cyclegan_lib.config import N_FEATURES, SLICES, TrainingSettings
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.stream import writing

RECORDINGS = (50, 500, 5_000, 50_000)
PART = 5_000  # recordings written at once


def write(path: Path, device: str, recordings: int, seed: int) -> None:
    """Noise, each recording at a spectrum of its own."""
    rng = np.random.default_rng(seed)
    with writing(path, recordings) as append:
        for start in range(0, recordings, PART):
            n = min(PART, recordings - start)
            features = rng.normal(-40, 3, (n, 1, N_FEATURES)).astype(np.float32)
            features = features + rng.standard_normal((n, SLICES, N_FEATURES), dtype=np.float32)
            names = np.array([f"{device}-{i:06d}" for i in range(start, start + n)])
            append(FeatureSet(features, names, np.zeros(n), device).arrays())


def measure(a: Path, b: Path, folder: Path) -> None:
    """Train and print the seconds of each part, and MB beyond imports and features."""
    from cyclegan_lib.training import fit

    ends, load = [], fit.load_domains

    def loaded(*given: object) -> object:
        domains = load(*given)
        ends.append(time.process_time())
        return domains

    fit.load_domains = loaded
    before, began = psutil.Process().memory_info().rss, time.process_time()
    # all are trained on, more than are drawn of a lake
    settings = TrainingSettings(max_epochs=1, max_recordings=10**9, accelerator="cpu")
    fit.train(a, b, folder, settings, progress=False, on_epoch=lambda _: ends.append(time.process_time()))
    most = int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) * 1024
    features = a.stat().st_size + b.stat().st_size
    print(*np.diff([began, *ends]), max(0, most - before - features) / 1e6)


def main() -> None:
    """Print a line for each number of recordings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, nargs="+", default=RECORDINGS, help="of each device")
    parser.add_argument("--folder", type=Path, help="for the files, 800 MB for 50,000 recordings")
    parser.add_argument("--measure", type=Path, nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
        return
    print("recordings a device    read   start   epoch   start and epoch   memory beyond the features")
    for recordings in options.recordings:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            paths = [Path(name) / file for file in ("a.npz", "b.npz", "checkpoints")]
            for seed, path in enumerate(paths[:2]):
                write(path, path.stem, recordings, seed)
            command = [sys.executable, __file__, "--measure", *map(str, paths)]
            alone = {**os.environ, "OMP_NUM_THREADS": "1"}
            said = subprocess.run(command, env=alone, check=True, capture_output=True, text=True).stdout
        read, start, epoch, memory = map(float, said.splitlines()[-1].split())
        seconds = "".join(f"{part:6.1f} s" for part in (read, start, epoch))
        print(f"{recordings:>19,}{seconds} {start + epoch:15.1f} s {memory:10,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
