"""Run the benchmark: every method on every pair with every seed, once; then one report of them all."""

import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from cyclegan_lib import documents, parallel, plots
from cyclegan_lib.benchmark import pairs as registry
from cyclegan_lib.benchmark.cells import CELLS, Cell, cell_key, cell_path, versions
from cyclegan_lib.benchmark.device_pair import DevicePair
from cyclegan_lib.benchmark.judge import RECOMMENDEDS, Judge, Measured, truth_variance
from cyclegan_lib.benchmark.methods import DEFAULT, METHODS
from cyclegan_lib.benchmark.numbers import BENCHMARK_JSON, Benchmark
from cyclegan_lib.benchmark.report import markdown
from cyclegan_lib.config import BENCHMARK_SEEDS, REAL_DATA
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.measures import TRANSLATED
from cyclegan_lib.files import replacing, writable_folder
from cyclegan_lib.names import check_written

BENCHMARK_MD, BENCHMARK_PNG = "benchmark.md", "benchmark.png"
DRAWN = ("nmse", *RECOMMENDEDS)


def benchmark(
    output: str | Path,
    pairs: Sequence[str] | None = None,
    seeds: Sequence[int] = BENCHMARK_SEEDS,
    methods: Sequence[str] | None = None,
    data: str | Path = REAL_DATA,
    workers: int = 1,
    progress: bool = True,
) -> Benchmark:
    """Run what is missing of the benchmark and report all of it.

    ``cyclegan benchmark --output DIR`` runs this and prints the report. Each pair, seed and method is one
    file under `output`/cells, so that an interrupted benchmark goes on where it was; files that were made
    with other settings, data, versions or code are made again.

    `pairs` and `methods` are keys of `PAIRS` and `METHODS`: all pairs and the methods in `DEFAULT` if left
    out; the report also has what an earlier run measured with other methods on these pairs and seeds. A seed
    decides the split, the initial weights and all noise. Pairs that the folder `data` of real recordings
    lacks are left out, and named in the report. `workers` processes, each with a thread, share pairs and
    seeds; the numbers do not depend on them.

    Raises InputError if a name or a seed is unusable, the folder cannot be written, lies in the real data or
    holds a file of somebody else's under a name of ours, the real data of all pairs are missing, or a pair
    cannot be learned from or measured.
    """
    output, data = Path(output), Path(data)
    pairs = parse_names(registry.PAIRS if pairs is None else pairs, registry.PAIRS, "pair")
    methods = parse_names(DEFAULT if methods is None else methods, METHODS, "method")
    seeds = parse_seeds(seeds)
    if workers < 1:
        raise InputError(f"{workers} workers cannot work; give at least 1")
    left_out = registry.lacking(pairs, data)
    pairs = [name for name in pairs if name not in left_out]
    if not pairs:
        raise InputError(
            f"no pair can be built because {next(iter(left_out.values()))}; give its folder with --data"
        )
    _check_output(output, [data / part for pair in pairs for part in registry.PAIRS[pair].needs])
    for pair, method in product(pairs, METHODS):
        check_written(cell_path(output, pair, max(seeds), method))
    writable_folder(output)

    key_of = cache(lambda pair, method: cell_key(pair, method, data))
    cells: dict[tuple[str, int, str], Cell | None] = {}
    missing: dict[tuple[str, int], dict[str, str]] = {}  # by pair and seed {method: key}
    for pair, seed, method in product(pairs, seeds, methods):
        key = key_of(pair, method)
        cell = cells[pair, seed, method] = Cell.load(output, pair, seed, method, key)
        if cell is None:
            missing.setdefault((pair, seed), {})[method] = key
    # what takes longest first, so that all workers end together
    waiting = sorted(missing.items(), key=lambda unit: not registry.PAIRS[unit[0][0]].rotated)
    others = [method for method in METHODS if method not in methods]
    for pair, seed, method in product(pairs, seeds, others):
        if cell_path(output, pair, seed, method).exists():
            cell = Cell.load(output, pair, seed, method, key_of(pair, method))
            if cell is not None:
                cells[pair, seed, method] = cell
    methods = [method for method in METHODS if method in {place[2] for place in cells}]
    kept = sum(cell is not None for cell in cells.values())
    with tqdm(total=len(cells), initial=kept, desc="benchmark", unit="cell", disable=not progress) as bar:
        compute = partial(_cells, output, data)
        for computed in parallel.each(compute, waiting, min(workers, len(missing))):
            for cell in computed:
                cells[cell.pair, cell.seed, cell.method] = cell
                bar.update()
    result = Benchmark(list(cells.values()), pairs, methods, seeds, left_out, versions())
    result.save(output)
    documents.write_text(output / BENCHMARK_MD, markdown(result))
    with replacing(output / BENCHMARK_PNG) as part:
        figure = plots.benchmark({pair: result.differences(pair) for pair in pairs}, DRAWN)
        figure.savefig(part, bbox_inches="tight")
    return result


def _check_output(output: Path, data: list[Path]) -> None:
    """Raise InputError if results in `output` would change the `data`, or replace what is somebody else's."""
    inside = Path(os.path.realpath(output))
    for path in data:
        if inside.is_relative_to(os.path.realpath(path)):
            raise InputError(f"{output} lies in {path}, which the benchmark reads; give another --output")
    there = [output / n for n in (BENCHMARK_JSON, BENCHMARK_MD, BENCHMARK_PNG) if os.path.lexists(output / n)]
    if there and not (output / CELLS).is_dir():
        raise InputError(
            f"{there[0]} would be replaced, and {output} holds no {CELLS}/ of an earlier benchmark;"
            " give another --output"
        )


def parse_names(names: Iterable[str] | str, registry: Iterable[str], what: str) -> list[str]:
    """Return `names`, a sequence or comma-separated text, in the order of `registry` and each once.

    Raises InputError if a name is not in `registry`, or there is none.
    """
    names = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    names = [name for name in names if name]
    for name in names:
        if name not in registry:
            raise InputError(f"the {what} '{name}' is unknown; choose from {', '.join(registry)}")
    if not names:
        raise InputError(f"no {what} is given; choose from {', '.join(registry)}")
    return [name for name in registry if name in names]


def parse_seeds(seeds: Iterable[int | str] | str) -> list[int]:
    """Return `seeds`, a sequence or comma-separated text, in order and each once."""
    numbers = set()
    for seed in seeds.split(",") if isinstance(seeds, str) else seeds:
        text = str(seed).strip()
        if not (text.isascii() and text.isdigit()):
            raise InputError(f"the seed '{text}' is no whole number from 0; give seeds as in 0,1,2")
        numbers.add(int(text))
    if not numbers:
        raise InputError("no seed is given; give seeds as in 0,1,2")
    return sorted(numbers)


def _cells(output: Path, data: Path, missing: tuple[tuple[str, int], dict[str, str]]) -> list[Cell]:
    """Build the pair's rotations, then run, measure and save one missing method after the other."""
    (name, seed), keys = missing
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # threads change the last digits
    cells = []
    try:
        with threadpool_limits(1):
            rotations = registry.build(name, seed, data)
            variance = truth_variance(rotations)
            judges = [Judge(pair, seed, variance) for pair in rotations]
            recordings = {
                f.name: [len(np.unique(getattr(pair, f.name).recording)) for pair in rotations]
                for f in fields(DevicePair)
            }
            for method, key in keys.items():
                seconds, parts, extras = 0.0, [], []
                for judge in judges:
                    start = time.perf_counter()
                    with tempfile.TemporaryDirectory(prefix=".work-", dir=output) as folder:
                        translation = METHODS[method](judge.pair, seed, Path(folder))
                    seconds += time.perf_counter() - start
                    parts.append(judge.measure(translation, expect=method == TRANSLATED))
                    extras.append(translation.extras)
                whole = Measured.pooled(parts)
                further = {"rotations": extras, "expected": whole.expected, "shares": whole.shares}
                further = {what: known for what, known in further.items() if any(known)}
                values = whole.values
                cell = Cell(name, seed, method, values, whole.tested, further, recordings, round(seconds, 2))
                cell.save(output, key)
                cells.append(cell)
    finally:
        torch.set_num_threads(threads)
    return cells
