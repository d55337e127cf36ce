"""What a year of slow drift does to a model, on a million synthetic sequences, with the library's own code.

    python benchmarks/drift.py
    python benchmarks/drift.py --sequences 120000 --epochs 10

Two simulated devices; device A's sensor ages: from month to month its highest band loses `--loss` dB more,
lower ones in proportion (a layer of dust, a mounting that gets softer). Each month's sequences are drawn from
simulated test recordings that both devices heard, each with a level and a slope over the bands of its own, so
that the truth is known. They are translated and judged as `cyclegan translate --report` does it, by three
ways to live with drift: the model of the first month; a model trained anew each quarter, on that month's
recordings of A and the laboratory's old ones of B; and the first model, given A with the drift of its mean
spectrum taken off. Printed is, for each month: NMSE against the truth, novelty, and the part accepted.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cyclegan_lib.benchmark.device_pair import DevicePair
from cyclegan_lib.benchmark.pairs import build
from cyclegan_lib.config import N_FEATURES, TrainingSettings
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.export import Translator
from cyclegan_lib.export.judgement import Judgement
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.training import train

MONTHS = 12
QUARTER = 3
LEVEL_DB, SLOPE_DB = 1.0, 1.0  # standard deviations of what each sequence has of its own
PART = 5000  # sequences drawn at once
WAYS = ("first model", "trained each quarter", "first model, mean restored")


def drift(month: int, loss: float) -> np.ndarray:
    """What A's features have lost in a month, (40,) dB."""
    return (-loss * month * np.linspace(0, 1, N_FEATURES)).astype(np.float32)


def drawn(pair: DevicePair, number: int, month: int, loss: float) -> Iterator[tuple[FeatureSet, np.ndarray]]:
    """`number` sequences of A in a month, in parts, and what B would have heard, (n, slices, 40) dB."""
    rng = np.random.default_rng([month, number])
    for first in range(0, number, PART):
        n = min(PART, number - first)
        rows = rng.integers(len(pair.test_a), size=n)
        own = LEVEL_DB * rng.normal(size=(n, 1)) + SLOPE_DB * rng.normal(size=(n, 1)) * np.linspace(
            -1, 1, N_FEATURES
        )
        own = own.astype(np.float32)[:, None]
        names = np.array([f"{month:02d}-{first + i:07d}" for i in range(n)])
        source = FeatureSet(
            pair.test_a.features[rows] + own + drift(month, loss),
            names,
            np.zeros(n),
            pair.test_a.device,
            pair.test_a.settings,
        )
        yield source, pair.test_b.features[rows] + own


def trained(pair: DevicePair, month: int, loss: float, epochs: int, folder: Path) -> Translator:
    """A model trained on A's recordings as they are in a month, and B's as they always were."""
    aged = replace(pair.train_a, features=pair.train_a.features + drift(month, loss))
    paths = aged.save(folder / "a.npz"), pair.train_b.save(folder / "b.npz")
    settings = TrainingSettings(max_epochs=epochs)
    run = train(*paths, folder / f"month-{month}", settings, progress=False)
    return Translator.of_checkpoint(run.best, "AB")


def of_month(
    translator: Translator, parts: Iterator[tuple[FeatureSet, np.ndarray]], off: np.ndarray
) -> list[float]:
    """NMSE, mean novelty, and the part accepted of a month's sequences, `off` (40,) dB taken off before."""
    novelties: list[float] = []
    errors, weights = [], []
    judgement = Judgement(translator, lambda rows: novelties.extend(float(row["novelty"]) for row in rows))
    for source, truth in parts:
        source = replace(source, features=source.features - off)
        translated = translator.translate_set(source)
        judgement.add(source, translated)
        errors.append(nmse(translated.features, truth))
        weights.append(len(source))
    accepted = judgement.accepted / judgement.sequences
    return [float(np.average(errors, weights=weights)), float(np.mean(novelties)), accepted]


def main() -> None:
    """Age, translate, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=1_000_000, help="in the year")
    parser.add_argument("--loss", type=float, default=0.5, help="dB a month in the highest band")
    parser.add_argument("--epochs", type=int, default=TrainingSettings().max_epochs, help="of each training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    (pair,) = build("simulated", 0, Path("."))
    print(f"| month | {' | '.join(f'{way}: NMSE | novelty | accepted' for way in WAYS)} |")
    print("| ---: |" + " ---: |" * 3 * len(WAYS))
    translated, began = 0, time.process_time()
    with tempfile.TemporaryDirectory() as name:
        first = recent = trained(pair, 0, options.loss, options.epochs, Path(name))
        usual = pair.train_a.real_slices().mean(axis=0)
        for month in tqdm(range(MONTHS), unit="month"):
            if month and month % QUARTER == 0:
                recent = trained(pair, month, options.loss, options.epochs, Path(name))
            aged = (pair.train_a.real_slices() + drift(month, options.loss)).mean(axis=0)
            cells: list[str] = []
            for translator, off in ((first, 0 * usual), (recent, 0 * usual), (first, aged - usual)):
                n = options.sequences // MONTHS
                figures = of_month(translator, drawn(pair, n, month, options.loss), off)
                cells += [f"{figures[0]:.3f}", f"{figures[1]:.2f}", f"{figures[2]:.0%}"]
                translated += n
            print(f"| {month} | {' | '.join(cells)} |", flush=True)
    seconds = time.process_time() - began
    trainings = MONTHS // QUARTER
    print(f"\n{translated:,} translated and judged, {trainings} trainings: {seconds:,.0f} s of one core")


if __name__ == "__main__":
    main()
