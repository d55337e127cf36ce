"""What it costs that one device's recordings are half as long: BATCH_UPLOAD with 5 s, cpc006 with 10 s.

    python benchmarks/lengths.py
    python benchmarks/lengths.py --pairs simulated --seeds 0,1,2 --workers 2

For each pair of devices (those of `cyclegan benchmark`) and each seed a CycleGAN is trained with its default
settings twice: on recordings of 10 s of both devices, and with those of BATCH_UPLOAD cut to 5 s. Both
translate the test recordings of 10 s. Printed are their errors against the truth, and by how much the second
is larger; it should be by 10 % at most.
"""

import argparse
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cyclegan_lib.benchmark.pairs import PAIRS, DevicePair, build
from cyclegan_lib.benchmark.run import parse_names, parse_seeds
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.training import train

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SECONDS, SLICES = 5.0, 25


def shortened(given: FeatureSet) -> FeatureSet:
    """What is extracted from the first 5 s of each recording: sequences of 25 slices that end within them."""
    settings = given.settings.model_copy(update={"slices": SLICES})
    within = given.start_s + settings.needed_s <= SECONDS + 1e-6
    return replace(given.select(within).first(SLICES), settings=settings)


def error(pair: str, seed: int, data: Path, short: bool) -> float:
    """The NMSE on the test recordings, the mean over the rotations of one training each."""
    torch.set_num_threads(1)
    return float(np.mean([of_rotation(rotation, seed, short) for rotation in build(pair, seed, data)]))


def of_rotation(devices: DevicePair, seed: int, short: bool) -> float:
    """The NMSE of one training on the test recordings."""
    target = shortened(devices.train_b) if short else devices.train_b
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a, b = devices.train_a.save(folder / "a.npz"), target.save(folder / "b.npz")
        run = train(a, b, folder / "checkpoints", TrainingSettings(seed=seed), progress=False)
        translated = Translator.of_checkpoint(run.best, "AB").translate(devices.test_a.features)
    return nmse(translated, devices.test_b.features)


def main() -> None:
    """Train, translate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", default="simulated,sensors", help="comma-separated")
    parser.add_argument("--seeds", default="0", help="comma-separated")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real recordings")
    parser.add_argument("--workers", type=int, default=1, help="trainings at once, each on one core")
    options = parser.parse_args()
    try:
        pairs, seeds = parse_names(options.pairs, PAIRS, "pair"), parse_seeds(options.seeds)
    except InputError as wrong:
        parser.error(str(wrong))
    wanted = [(pair, seed) for pair in pairs for seed in seeds]
    print("| pair | seed | NMSE, 10 s | NMSE, 5 s | above |\n| :--- | ---: | ---: | ---: | ---: |")
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        jobs = [[pool.submit(error, *one, options.data, short) for short in (False, True)] for one in wanted]
        for (pair, seed), both in zip(wanted, jobs, strict=True):
            whole, short = (job.result() for job in both)
            print(f"| {pair} | {seed} | {whole:.3f} | {short:.3f} | {short / whole - 1:+.0%} |", flush=True)


if __name__ == "__main__":
    main()
