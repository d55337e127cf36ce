"""Every speed that is promised, beside a peer or a limit, in one run: writes docs/performance.md.

    python benchmarks/performance.py                       # or `make bench`; a quiet machine, some 20 minutes
    python benchmarks/performance.py --only training,start --output performance.md

Machines are shared and differ, so nothing but ratios is compared: ours and its peer take turns, `--rounds`
times, and the table has the ratios' median with the least and the largest. What is timed in one thread counts
its processor's time, whoever else is on the machine; "wall" says where it is the clock's.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import extract_speed
import extraction_loops
import numpy as np
import torch
import training_growth
import training_speed
import translate_speed
import usual_loop
from torch.utils.flop_counter import FlopCounterMode

from cyclegan_lib.config import SLICES, TrainingSettings
from cyclegan_lib.export import export
from cyclegan_lib.models.cyclegan import CycleGANModule
from cyclegan_lib.system import processors
from cyclegan_lib.training import train

PROJECT = Path(__file__).resolve().parents[1]
MATRIX = 2048  # a product of such matrices is limited by arithmetic alone
BATCH = 32  # of the usual loop


@dataclass(frozen=True)
class Row:
    """What was measured: `aim` is what the ratio should be at least, or at most."""

    work: str
    against: str
    ratios: list[float]
    aim: str  # such as "≥ 30"; "" for none

    def __str__(self) -> str:
        middle = float(np.median(self.ratios))
        sign, limit = self.aim.split() if self.aim else ("", "0")
        reached = {"≥": middle >= float(limit), "≤": middle <= float(limit), "": None}[sign]
        said = {True: "yes", False: "**no**", None: ""}[reached]
        spread = f"{min(self.ratios):.3g} to {max(self.ratios):.3g}" if len(self.ratios) > 1 else ""
        return f"| {self.work} | {self.against} | {middle:.3g} | {spread} | {self.aim} | {said} |"


def gemm(seconds: float = 1.0) -> float:
    """Operations a second of the processor's in a product of large matrices."""
    a, b = torch.randn(2, MATRIX, MATRIX)
    start, products = time.process_time(), 0
    while time.process_time() - start < seconds:
        a @ b
        products += 1
    return 2 * MATRIX**3 * products / (time.process_time() - start)


def training(rounds: int) -> Iterator[Row]:
    """Whole epochs, choice and files included, and single steps."""
    settings = TrainingSettings(max_epochs=4, accelerator="cpu")
    slices = settings.restarts * training_speed.slices()
    x = np.random.default_rng(0).normal(size=(2, 250, SLICES, 40)).astype(np.float32)
    of_slices, of_sequences, of_gemm = [], [], []
    step, steps = CycleGANModule.training_step, []

    def timed(module: CycleGANModule, *given: object) -> None:
        start = time.process_time()
        step(module, *given)
        steps.append(time.process_time() - start)

    def counted(module: CycleGANModule, *given: object) -> None:
        with counter:
            step(module, *given)

    counter = FlopCounterMode(display=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a, b = (
            training_speed.synthetic(device, i).save(folder / f"{device}.npz")
            for i, device in enumerate("ab")
        )
        CycleGANModule.training_step = counted
        train(a, b, folder / "counted", TrainingSettings(max_epochs=1, steps_per_epoch=1), progress=False)
        CycleGANModule.training_step = timed
        for i in range(rounds):
            ends: list[float] = []
            mark = lambda history, ends=ends: ends.append(time.process_time())
            train(a, b, folder / f"{i}", settings, progress=False, on_epoch=mark)
            ours = slices / np.diff(ends).min()
            flat = x.reshape(2, -1, 40)
            of_slices.append(ours / usual_loop.slices_a_second(*flat, BATCH))
            of_sequences.append(ours / usual_loop.slices_a_second(*x, BATCH))
            of_gemm.append(counter.get_total_flops() / np.median(steps) / gemm())
        CycleGANModule.training_step = step
    usual = "the usual loop (`usual_loop.py`), batches of 32"
    yield Row("training, slices/s of all restarts, one core", f"{usual} slices", of_slices, "≥ 30")
    yield Row("training, slices/s of all restarts, one core", f"{usual} whole sequences", of_sequences, "≥ 8")
    yield Row("a training step's operations/s", f"a product of {MATRIX}² matrices", of_gemm, "≥ 0.45")


def devices(rounds: int) -> Iterator[Row]:
    """The restarts in two processes, whole epochs."""
    with tempfile.TemporaryDirectory() as name:
        for i, device in enumerate("ab"):
            training_speed.synthetic(device, i).save(Path(name) / f"{device}.npz")
        found = [training_speed.in_two_processes(Path(name)) for _ in range(rounds)]
    for measured, ratios in zip(
        ("wall", "the first one's processor", "both processors"), np.transpose(found), strict=True
    ):
        yield Row(f"an epoch in 2 processes, {measured}", "in one", list(ratios), "")


def extraction(rounds: int) -> Iterator[Row]:
    """The command on one core beside librosa and decoding, and in processes."""
    loops: dict[str, list[float]] = {"librosa": [], "decoding": []}
    with tempfile.TemporaryDirectory() as name:
        folder, number = Path(name), 60
        extract_speed.write_recordings(folder, number, *extract_speed.CASES["16 kHz mono WAV"])
        for _ in range(rounds):
            ours = extract_speed.seconds_of(PROJECT, folder)
            loops["librosa"].append(extraction_loops.seconds_of(folder, extraction_loops.by_librosa) / ours)
            loops["decoding"].append(
                extraction_loops.seconds_of(folder, extraction_loops.by_fft_alone) / ours
            )
    yield Row(
        "extraction, recordings/s, one core", "librosa's melspectrogram in a loop", loops["librosa"], "≥ 2.5"
    )
    yield Row("extraction, recordings/s, one core", "decoding and FFT alone", loops["decoding"], "≥ 0.6")
    workers = processors()
    found = [speed_up_of(workers) for _ in range(rounds)]
    yield Row(f"extraction, {workers} processes, wall", "one process", found, f"≥ {0.8 * workers:.2g}")


def speed_up_of(workers: int) -> float:
    """In a process of its own: those that are started import what the one that starts them has imported."""
    with tempfile.TemporaryDirectory() as name:
        said = Path(name) / "said.json"
        command = [sys.executable, "benchmarks/extract_speed.py", "--many", "3000", "--rounds", "1"]
        seconds([*command, "--recordings", "6", "--workers", str(workers), "--json", str(said)])
        return json.loads(said.read_text(encoding="utf-8"))["speed-up"]


def translation(rounds: int) -> Iterator[Row]:
    """In bulk, beside a loop over the generator and the arithmetic alone."""
    large = translate_speed.untrained()
    small = translate_speed.distilled(large)
    found = [translate_speed.in_bulk(large, small, 1000, 20000, 3) for _ in range(rounds)]
    loop = "a loop that calls the generator once for each"
    ratios = lambda name: [figures[name] for figures in found]
    yield Row(
        "translation in bulk, distilled, wall",
        loop,
        ratios("bulk, distilled, times the loop over generator"),
        "≥ 50",
    )
    yield Row("translation in bulk, large, wall", loop, ratios("bulk, times the loop over generator"), "")
    share = [
        figures["arithmetic alone, ms a recording"] / figures["bulk, ms a recording"] for figures in found
    ]
    yield Row("the same, operations/s", "a large product of matrices", share, "")


def start(rounds: int) -> Iterator[Row]:
    """From the command to a translated file, beside importing torch."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a, b = (
            training_speed.synthetic(device, i).save(folder / f"{device}.npz")
            for i, device in enumerate("ab")
        )
        quick = TrainingSettings(max_epochs=1, steps_per_epoch=1, restarts=1)
        export(train(a, b, folder / "c", quick, progress=False).best, folder / "m")
        training_speed.synthetic("a", 0).select([0]).save(folder / "one.npz")
        command = [
            sys.executable,
            "-m",
            "cyclegan_lib",
            "translate",
            "--model",
            str(folder / "m"),
            "--direction",
        ]
        command += ["AB", "--input", str(folder / "one.npz"), "--output", str(folder / "out.npz")]
        ratios = []
        for _ in range(rounds + 1):  # the first reads the files from the disk
            ratios.append(seconds(command) / seconds([sys.executable, "-c", "import torch"]))
    yield Row("start and end of `cyclegan translate` on one sequence", "`import torch`", ratios[1:], "≤ 1.3")


def whole(rounds: int) -> Iterator[Row]:
    """Training as it comes, from the command to its verdict."""
    for recordings, limit in {240: 90, 500: 100, 5000: 240}.items():
        with tempfile.TemporaryDirectory() as name:
            command = ["train", "--checkpoint-dir", "checkpoints"]
            for i, device in enumerate("ab"):
                training_growth.write(Path(name, f"{device}.npz"), device, recordings, i)
                command += [f"--domain-{device}", f"{device}.npz"]
            taken = clocked([command], Path(name), PROJECT)
        yield Row(f"training, {recordings} recordings a side, wall", "a second", [taken], f"≤ {limit}")


def demo(rounds: int) -> Iterator[Row]:
    """`make demo` in a copy of the project, its environment there already."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        shutil.copytree(
            PROJECT, folder, ignore=shutil.ignore_patterns(".*", "recordings", "features", "*.ckpt", "runs")
        )
        commands = [["simulate", "--output", "data/recordings"], ["run", "--name", "demo"]]
        taken = clocked(commands, folder, folder)
    yield Row("`make demo` without installation, wall", "a minute", [taken / 60], "≤ 3")


def clocked(commands: list[list[str]], folder: Path, project: Path) -> float:
    """Seconds by the clock of commands in a folder, with as many threads as they take."""
    environment = {**os.environ, "PYTHONPATH": str(project)}
    environment.pop("OMP_NUM_THREADS", None)
    begin = time.perf_counter()
    for command in commands:
        words = [sys.executable, "-m", "cyclegan_lib", *command]
        subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - begin


def seconds(command: list[str]) -> float:
    """Seconds of the processor that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, check=True, capture_output=True, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


PARTS: dict[str, Callable[[int], Iterator[Row]]] = {
    "training": training,
    "devices": devices,
    "extraction": extraction,
    "translation": translation,
    "start": start,
    "whole": whole,
    "demo": demo,
}
HEAD = """# Speed, side by side

Made by `make bench` ({date}), which runs `benchmarks/performance.py`. Ours and its peer take turns on the
same machine in one run; the ratio is the median of {rounds} rounds, beside it the least and the largest.
Figures of other machines differ; what is compared is the ratio.
What a GPU does is measured apart, by `benchmarks/training_on_gpu.py` where there is one, and stays below.

Machine: {machine}; one thread but where processes are named.

{table}"""
TABLE = """| work | against | ratio | spread | aim | reached |
| :--- | :--- | ---: | ---: | ---: | :--- |
"""
ON_A_GPU = "\n## On a GPU\n"


def machine() -> str:
    """The processor, the system and the versions."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    return f"{name}, {processors()} cores, {platform.system()}, {versions}"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help="comma-separated parts")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--output", type=Path, default=PROJECT / "docs" / "performance.md")
    options = parser.parse_args()
    wanted = options.only.split(",")
    if unknown := [name for name in wanted if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    torch.set_num_threads(1)
    old = options.output.read_text(encoding="utf-8") if options.output.exists() else ""
    today = time.strftime("%Y-%m-%d")
    text = HEAD.format(date=today, rounds=options.rounds, machine=machine(), table=TABLE)
    for name in wanted:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            rows = list(PARTS[name](options.rounds))
        for row in rows:
            print(row, flush=True)
            text += f"{row}\n"
    options.output.write_text(text + "".join(old.partition(ON_A_GPU)[1:]), encoding="utf-8")
    print(options.output)


if __name__ == "__main__":
    main()
