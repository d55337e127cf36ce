"""How near distilled generators come to the large ones, on test recordings with hidden truth.

    python benchmarks/distilled.py
    python benchmarks/distilled.py --pairs simulated,sensors --seeds 0,1,2 --workers 2 --json distilled.json

For each rotation of each pair of devices (those of `cyclegan benchmark`) and each seed a CycleGAN is trained
with its default settings and exported with `--distilled`. Both generators then translate the test recordings
of A. Printed are the errors against the truth, the accuracies of fault classifiers trained on B, and how far
the two translations are from each other, in standard deviations of the target. The distilled generator saw no
recording at all.
"""

import argparse
import json
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cyclegan_lib.benchmark.pairs import PAIRS, DevicePair, build, lacking
from cyclegan_lib.benchmark.run import parse_names, parse_seeds
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.export import Translator, export
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.training import train

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COLUMNS = ("NMSE", "forest", "logistic")


Row = dict[str, float | str]


def measured(pair: str, seed: int, data: Path) -> list[Row]:
    """A row for each rotation of the pair."""
    torch.set_num_threads(1)
    return [{"pair": pair, "seed": seed, **of_rotation(devices, seed)} for devices in build(pair, seed, data)]


def of_rotation(devices: DevicePair, seed: int) -> Row:
    """One training, and what both of its generators do with the test recordings."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a, b = devices.train_a.save(folder / "a.npz"), devices.train_b.save(folder / "b.npz")
        run = train(a, b, folder / "checkpoints", TrainingSettings(seed=seed), progress=False)
        export(run.best, folder / "model", distilled=True)
        large, small = (Translator.load(folder / "model", "AB", distilled) for distilled in (False, True))
    classifier = FaultModels(seed).fit(devices.train_b)
    row: Row = {}
    translated = {}
    for kind, translator in (("large", large), ("distilled", small)):
        found = translated[kind] = translator.translate(devices.test_a.features)
        accuracy = classifier.accuracy(devices.test_b.with_features(found, devices.test_b.device))
        figures = {"NMSE": nmse(found, devices.test_b.features), **accuracy}
        row |= {f"{name}, {kind}": float(figures[name]) for name in COLUMNS}
    apart = (translated["distilled"] - translated["large"]) / large.normalizer.std_b
    return row | {
        "apart, root mean square": float(np.sqrt(np.square(apart).mean())),
        "apart, 99 % below": float(np.quantile(np.abs(apart), 0.99)),
    }


def table(rows: list[Row]) -> str:
    """Markdown: a line for each pair, means over its trainings; what is apart is that of the worst one."""
    names = [f"{name}, {kind}" for name in COLUMNS for kind in ("large", "distilled")]
    apart = ["apart, root mean square", "apart, 99 % below"]
    lines = [
        f"| pair | trainings | {' | '.join([*names, *apart])} |",
        "| :--- |" + " ---: |" * (1 + len(names) + len(apart)),
    ]
    for pair in dict.fromkeys(row["pair"] for row in rows):
        ours = [row for row in rows if row["pair"] == pair]
        values = [np.mean([row[name] for row in ours]) for name in names]
        values += [max(row[name] for row in ours) for name in apart]
        lines.append(f"| {pair} | {len(ours)} | {' | '.join(f'{value:.3f}' for value in values)} |")
    return "\n".join(lines)


def main() -> None:
    """Train, distil, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", default=",".join(PAIRS), help="comma-separated; default: all")
    parser.add_argument("--seeds", default="0", help="comma-separated")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real recordings")
    parser.add_argument("--workers", type=int, default=1, help="trainings at once, each on one core")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    try:
        pairs, seeds = parse_names(options.pairs, PAIRS, "pair"), parse_seeds(options.seeds)
    except InputError as error:
        parser.error(str(error))
    missing = lacking(pairs, options.data)
    for name, what in missing.items():
        print(f"{name} is left out: {what}")
    wanted = [(name, seed) for name in pairs if name not in missing for seed in seeds]
    rows = {}
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        jobs = {pool.submit(measured, *one, options.data): one for one in wanted}
        for job in tqdm(as_completed(jobs), total=len(jobs), unit="training"):
            rows[jobs[job]] = job.result()
    ordered = [row for one in wanted for row in rows[one]]
    print(table(ordered))
    if options.json:
        options.json.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
