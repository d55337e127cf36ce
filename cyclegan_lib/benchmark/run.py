"""Run the benchmark: every method on every pair with every seed, once; then one report of them all."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from cyclegan_lib import plots
from cyclegan_lib.benchmark import pairs as registry
from cyclegan_lib.benchmark.cells import CELLS, Cell, fingerprint, versions
from cyclegan_lib.benchmark.measure import Judge
from cyclegan_lib.benchmark.methods import DEFAULT, METHODS
from cyclegan_lib.benchmark.report import JSON, MARKDOWN, Benchmark
from cyclegan_lib.config import BENCHMARK_SEEDS, REAL_DATA
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import replacing, writable_folder

FIGURE = "benchmark.png"
MEASURES = {
    "nmse": "NMSE against the pairs",
    "accuracy_forest": "accuracy, forest",
    "accuracy_logistic": "accuracy, logistic",
}


@dataclass(frozen=True)
class Task:
    """The cells that are missing of one pair and one seed: {method: fingerprint}."""

    output: Path
    data: Path
    pair: str
    seed: int
    methods: dict[str, str]


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

    Parameters
    ----------
    output : path
        Folder for the cells and for benchmark.json, benchmark.md and benchmark.png.
    pairs, methods : sequence of str, optional
        Keys of `PAIRS` and `METHODS`; all pairs and the methods in `DEFAULT` if left out.
    seeds : sequence of int
        A seed decides the split, the initial weights and all noise.
    data : path
        Folder of real recordings. Pairs that it lacks are left out, and named in the report.
    workers : int
        Processes, each with a thread; they share pairs and seeds. The numbers do not depend on it.
    progress : bool
        Show a TQDM bar over the cells.

    Raises
    ------
    InputError
        If a name or a seed is unusable, the folder cannot be written, lies in the real data or holds a file
        of somebody else's under a name of ours, the real data of all pairs are missing, or a pair cannot be
        learned from or measured.
    """
    output, data = Path(output), Path(data)
    pairs = known(registry.PAIRS if pairs is None else pairs, registry.PAIRS, "pair")
    methods = known(DEFAULT if methods is None else methods, METHODS, "method")
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
    writable_folder(output)

    marks = {(pair, method): fingerprint(pair, method, data) for pair in pairs for method in methods}
    done: dict[tuple, Cell] = {}
    tasks = []
    for pair, seed in ((pair, seed) for pair in pairs for seed in seeds):
        missing = {}
        for method in methods:
            cell = Cell.load(output, pair, seed, method, marks[pair, method])
            if cell is None:
                missing[method] = marks[pair, method]
            else:
                done[pair, seed, method] = cell
        if missing:
            tasks.append(Task(output, data, pair, seed, missing))
    total = len(pairs) * len(seeds) * len(methods)
    with tqdm(total=total, initial=len(done), desc="benchmark", unit="cell", disable=not progress) as bar:
        for cell in _computed(tasks, min(workers, len(tasks))):
            done[cell.pair, cell.seed, cell.method] = cell
            bar.update()
    order = [(pair, seed, method) for pair in pairs for seed in seeds for method in methods]
    result = Benchmark(
        cells=[done[key] for key in order],
        pairs=pairs,
        methods=methods,
        seeds=seeds,
        left_out=left_out,
        versions=versions(),
    )
    result.save(output)
    with replacing(output / FIGURE) as part:
        plots.benchmark(result.table(list(MEASURES)), MEASURES).savefig(part, bbox_inches="tight")
    return result


def _check_output(output: Path, data: list[Path]) -> None:
    """Raise InputError if results in `output` would change the `data`, or replace what is somebody else's."""
    inside = Path(os.path.realpath(output))
    for path in data:
        if inside.is_relative_to(os.path.realpath(path)):
            raise InputError(f"{output} lies in {path}, which the benchmark reads; give another --output")
    ours = [output / name for name in (JSON, MARKDOWN, FIGURE) if os.path.lexists(output / name)]
    if ours and not (output / CELLS).is_dir():
        raise InputError(
            f"{ours[0]} would be replaced, and {output} holds no {CELLS}/ of an earlier benchmark;"
            " give another --output"
        )


def known(names: Iterable[str] | str, registry: Iterable[str], what: str) -> list[str]:
    """Return `names`, a sequence or comma-separated text, in the order of `registry` and each once.

    Raises
    ------
    InputError
        If a name is not in `registry`, or there is none.
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
    found: list[int] = []
    for seed in seeds.split(",") if isinstance(seeds, str) else seeds:
        text = str(seed).strip()
        if not (text.isascii() and text.isdigit()):
            raise InputError(f"the seed '{text}' is no whole number from 0; give seeds as in 0,1,2")
        found.append(int(text))
    if not found:
        raise InputError("no seed is given; give seeds as in 0,1,2")
    return sorted(set(found))


def _computed(tasks: list[Task], workers: int) -> Iterator[Cell]:
    if workers <= 1:
        for task in tasks:
            yield from _cells(task)
        return
    # spawn, not fork: torch's threads would not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            for future in as_completed([pool.submit(_listed, task) for task in tasks]):
                yield from future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _listed(task: Task) -> list[Cell]:
    return list(_cells(task))


def _cells(task: Task) -> Iterator[Cell]:
    """Build the pair, then run, measure and save one missing method after the other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # threads change the last digits
    try:
        with threadpool_limits(1):
            pair = registry.build(task.pair, task.seed, task.data)
            judge = Judge(pair, task.seed)
            recordings = {f.name: len(np.unique(getattr(pair, f.name).recording)) for f in fields(pair)}
            for method, mark in task.methods.items():
                start = time.perf_counter()
                with tempfile.TemporaryDirectory(prefix=".work-", dir=task.output) as folder:
                    found = METHODS[method](pair, task.seed, Path(folder))
                seconds = round(time.perf_counter() - start, 2)
                values = judge.measure(found.features)
                cell = Cell(task.pair, task.seed, method, values, found.extras, recordings, seconds)
                cell.save(task.output, mark)
                yield cell
    finally:
        torch.set_num_threads(threads)
