"""Speed of training: slices a second for each restart, and what four restarts cost beside four runs of one.

    python benchmarks/training_speed.py

Whole epochs are timed, the choice of the checkpoint and its files included, on 250 synthetic sequences a
device, in one thread; the restarts also in two processes beside one. The figures are of this machine and this
moment; only the ratios may be compared. On a GPU: `training_on_gpu.py`.
"""

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from cyclegan_lib.config import SLICES, TrainingSettings
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.training import train

SEQUENCES, EPOCHS = 250, 5


def seconds_an_epoch(folder: Path, restarts: int, devices: int = 1) -> np.ndarray:
    """Of the clock, of this process's processor and of all processes'; each in the epoch that took least.

    Other work on the machine only ever slows an epoch down.
    """
    settings = TrainingSettings(restarts=restarts, max_epochs=EPOCHS, accelerator="cpu", devices=devices)
    ends: list[tuple[float, float, float]] = []

    def mark(history: list) -> None:
        others = (psutil.Process(process.pid).cpu_times() for process in multiprocessing.active_children())
        own = time.process_time()
        ends.append((time.perf_counter(), own, own + sum(x.user + x.system for x in others)))

    sets = (folder / "a.npz", folder / "b.npz", folder / f"checkpoints-{restarts}")
    train(*sets, settings, progress=False, on_epoch=mark)
    return np.diff(ends, axis=0).min(axis=0)


def in_two_processes(folder: Path) -> np.ndarray:
    """The same of the usual restarts in two processes, as parts of what one takes."""
    one, two = (seconds_an_epoch(folder, TrainingSettings().restarts, devices=devices) for devices in (1, 2))
    return two / one


def slices() -> int:
    """In an epoch, for each restart, of both devices."""
    settings = TrainingSettings()
    return 2 * settings.steps_per_epoch * settings.batch_size * SLICES


def synthetic(device: str, seed: int) -> FeatureSet:
    """One sequence of noise a recording, at a level of its own."""
    rng = np.random.default_rng(seed)
    features = rng.normal(-40, 3, (SEQUENCES, 1, 40)) + rng.normal(0, 1, (SEQUENCES, SLICES, 40))
    names = np.array([f"{device}-{i}" for i in range(SEQUENCES)])
    return FeatureSet(features.astype(np.float32), names, np.zeros(SEQUENCES), device)


def main() -> None:
    """Print the figures."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    settings = TrainingSettings()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic("a", 0).save(folder / "a.npz")
        synthetic("b", 1).save(folder / "b.npz")
        one, all_of_them = (seconds_an_epoch(folder, restarts)[0] for restarts in (1, settings.restarts))
        clock, first, both = in_two_processes(folder)
    for restarts, seconds in ((1, one), (settings.restarts, all_of_them)):
        speed = f"{slices() / seconds:,.0f} slices/s for each restart"
        print(f"restarts side by side: {restarts}   {seconds:.2f} s an epoch   {speed}")
    ratio = all_of_them / (settings.restarts * one)
    print(f"{settings.restarts} restarts cost {ratio:.2f} times as much as {settings.restarts} runs of one")
    print(
        f"two processes take {clock:.2f} of the time of one; {first:.2f} of its processor's, {both:.2f} both"
    )


if __name__ == "__main__":
    main()
