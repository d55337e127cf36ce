"""How fast recordings are translated, on one core: in bulk, one by one, and through ONNX.

    python benchmarks/translate_speed.py
    python benchmarks/translate_speed.py --recordings 512 --json translate_speed.json

Two goals: 50 times the recordings per second of a loop that calls the generator once for each recording, with
gradients off; and at most 1 ms for a single recording with ONNX. A recording is one sequence of 50 slices.

The first is a matter of arithmetic, so that is printed too: how many multiplications and additions a
recording takes, how many the core does in a second where it does nothing else (a large matrix product), and
by how much the loop could be beaten at the most if translating were only that. The large generator cannot
reach it; the small one that is distilled from it (`translate --distilled`) is nearly the same translation
with less arithmetic. How near is measured by `benchmarks/distilled.py`.

The model has the default size and weights that were not trained; no data is needed. Other programs disturb
the figures: kinds are timed in turn and the best of some rounds counts.
"""

import argparse
import json
import math
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cyclegan_lib.config import SLICES, FeatureSettings, GeneratorSettings, TrainingSettings
from cyclegan_lib.export import Translator, bulk
from cyclegan_lib.export.distillation import distil
from cyclegan_lib.export.formats import RawUnits, generator_graph, write_onnx
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.models import Generator

GOAL_RATIO, GOAL_MS = 50, 1.0
SINGLE_CALLS = 2000  # of ONNX, one recording each
MATRIX = 1024  # large enough that the product is limited by arithmetic alone


def untrained() -> Translator:
    """A translator of the default size, in which no weight is zero."""
    torch.manual_seed(0)
    generator = Generator(**GeneratorSettings().model_dump(), members=TrainingSettings().restarts)
    with torch.no_grad():
        for value in generator.state_dict().values():
            value += 0.05 * torch.randn_like(value)
    moments = (np.full(40, value) for value in (-40.0, 5.0, -42.0, 6.0))
    return Translator(generator.eval(), Normalizer(*moments), "AB", "a", "b", FeatureSettings())


def distilled(translator: Translator) -> Translator:
    """The same with a small generator, distilled as an export does."""
    small, _ = distil(translator.generator, torch.zeros(40), torch.eye(40))
    return replace(translator, generator=small)


def random_set(recordings: int) -> FeatureSet:
    rng = np.random.default_rng(0)
    features = (5 * rng.standard_normal((recordings, SLICES, 40)) - 40).astype(np.float32)
    names = np.array([f"recording-{i:06d}" for i in range(recordings)])
    return FeatureSet(features, names, np.zeros(recordings), "a", FeatureSettings())


def fastest(acts: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds that each takes, the best of some rounds, in each of which all take their turn."""
    seconds = dict.fromkeys(acts, np.inf)
    for _ in range(rounds):
        for name, act in acts.items():
            start = time.perf_counter()
            act()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def operations(generator: nn.Module) -> int:
    """Multiplications and additions that a recording takes: two for each weight and slice.

    The members' starts and linear maps count as the one matrix that their mean is.
    """
    weights = sum(layer.weight.numel() for layer in generator.residual if hasattr(layer, "weight"))
    return 2 * SLICES * (weights + generator.start_weight[0].numel())


def in_bulk(
    translator: Translator, small: Translator, recordings: int, many: int, rounds: int
) -> dict[str, float]:
    """Milliseconds a recording of each way to translate many, and the arithmetic that bounds them."""
    x = random_set(recordings).features  # (recordings, 50, 40)
    z = torch.from_numpy(translator.normalizer.normalize(x, "A"))
    more = random_set(many).features
    a, b = torch.randn(2, MATRIX, MATRIX)
    zero = torch.zeros(MATRIX)

    def loop_over_generator() -> None:
        with torch.no_grad():
            for i in range(recordings):
                translator.generator(z[i : i + 1])

    def loop_over_translator() -> None:
        for i in range(recordings):
            translator.translate(x[i : i + 1])

    acts = {
        "loop over generator": loop_over_generator,
        "loop over Translator": loop_over_translator,
        "bulk": lambda: translator.translate(x),
        "bulk, distilled": lambda: small.translate(x),
        "many": lambda: small.translate(more),
        "matrix": lambda: bulk.affine(a, b, zero),
    }
    found = fastest(acts, rounds)
    gigaflops = 2 * MATRIX**3 / found.pop("matrix") / 1e9
    of_many = 1000 * found.pop("many") / many
    figures = {f"{name}, ms a recording": 1000 * value / recordings for name, value in found.items()}
    figures[f"bulk, distilled, {many:,} at once, ms a recording"] = of_many
    figures["GFLOP/s of a large matrix product"] = gigaflops
    for name, kind in (("", translator), (", distilled", small)):
        mega = operations(kind.generator) / 1e6
        figures[f"MFLOP a recording{name}"] = mega
        figures[f"arithmetic alone, ms a recording{name}"] = mega / gigaflops
    loop = figures["loop over generator, ms a recording"]
    for name in ("", ", distilled"):
        figures[f"bulk{name}, times the loop over generator"] = loop / figures[f"bulk{name}, ms a recording"]
        most = loop / figures[f"arithmetic alone, ms a recording{name}"]
        figures[f"at most, by arithmetic{name}"] = most
    figures[f"bulk, distilled, {many:,} at once, times the loop over generator"] = loop / of_many
    figures["bulk, times the loop over Translator"] = (
        figures["loop over Translator, ms a recording"] / figures["bulk, ms a recording"]
    )
    return figures


def single_with_onnx(translator: Translator, folder: Path) -> dict[str, float]:
    """Milliseconds for a single recording with ONNX: half of the calls took less, and 95 % of them."""
    import onnxruntime

    model = RawUnits(translator.generator, translator.normalizer, "AB").eval()
    path = write_onnx(model, generator_graph(model), folder / "generator_AB.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    x = random_set(256).features
    taken = []
    for i in range(SINGLE_CALLS):
        start = time.perf_counter()
        session.run(None, {"features": x[i % 256][None]})
        taken.append(1000 * (time.perf_counter() - start))
    median, most = np.percentile(taken, (50, 95))
    return {"ONNX, one recording, median ms": median, "ONNX, one recording, 95 % below ms": most}


def most_memory() -> float:
    """The most memory that this process had resident so far, in MB.

    From Linux's /proc where it exists: what getrusage says there began with the memory of the parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(
            line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")
        )
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts bytes


def _stream(translator: Translator, source: Path) -> tuple[float, float, float]:
    """Seconds for a file, and the most memory of the process before and after, in MB."""
    torch.set_num_threads(1)
    translator.translate(random_set(64).features)
    before, start = most_memory(), time.perf_counter()
    translator.translate_file(source, source.with_name("translated.npz"), progress=False)
    return time.perf_counter() - start, before, most_memory()


def streamed(translator: Translator, recordings: int, folder: Path) -> dict[str, float]:
    """Recordings and MB a second from file to file, and the memory it takes, each in a process of its own."""
    x = random_set(recordings)
    x.save(folder / "a.npz")
    np.save(folder / "a.npy", x.features)
    del x
    figures = {}
    for suffix in (".npy", ".npz"):
        source = folder / f"a{suffix}"
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            seconds, before, after = pool.submit(_stream, translator, source).result()
        size = source.stat().st_size / 1e6
        figures[f"{suffix} of {size:.0f} MB, recordings/s"] = recordings / seconds
        figures[f"{suffix} of {size:.0f} MB, MB/s"] = size / seconds
        figures[f"{suffix} of {size:.0f} MB, more memory in MB"] = after - before
    return figures


def verdict(reached: bool) -> str:
    return "reached" if reached else "not reached"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=1000, help="recordings in bulk and in the loops")
    parser.add_argument(
        "--streamed", type=int, default=20_000, help="recordings of the files, and at once, 8 kB each"
    )
    parser.add_argument("--rounds", type=int, default=7, help="the fastest of so many rounds counts")
    parser.add_argument("--without-onednn", action="store_true", help="matrix products by MKL alone, in bulk")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # one core, whatever threads the libraries start
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    if options.without_onednn:
        bulk.ONEDNN_FROM = math.inf
    translator = untrained()
    small = distilled(translator)
    figures = in_bulk(translator, small, options.recordings, options.streamed, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        figures |= single_with_onnx(translator, Path(folder))
        for name, kind in (("", translator), (", distilled", small)):
            found = streamed(kind, options.streamed, Path(folder))
            figures |= {f"{figure}{name}": value for figure, value in found.items()}
    for name, value in figures.items():
        text = f"{value:10.4f}" if value < 1 else f"{value:10.1f}" if value < 100 else f"{value:10,.0f}"
        print(f"{name:>62}: {text}")
    many = f", distilled, {options.streamed:,} at once"
    for name, kind in (("", ""), (", distilled", ", distilled"), (many, ", distilled")):
        ratio = figures[f"bulk{name}, times the loop over generator"]
        most = figures[f"at most, by arithmetic{kind}"]
        print(
            f"goal {GOAL_RATIO} times the loop, bulk{name}: {verdict(ratio >= GOAL_RATIO)},"
            f" {ratio:.1f} times; arithmetic allows {most:.1f} times on this core"
        )
    single = figures["ONNX, one recording, median ms"]
    print(f"goal {GOAL_MS:g} ms for one recording with ONNX: {verdict(single <= GOAL_MS)}, {single:.2f} ms")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
