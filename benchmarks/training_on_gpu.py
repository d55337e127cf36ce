"""Training on a GPU beside one core of its machine: writes the last section of docs/performance.md.

    python benchmarks/training_on_gpu.py

Whole epochs of the usual restarts, the choice of the checkpoint and its files included, on 250 synthetic
sequences a device, and how far the figures that are logged are from the processor's: beside how far those go
when the last bit of A's features changes, which rounding in another order does too.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import training_speed
from performance import ON_A_GPU, PROJECT, TABLE, Row, machine

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.training import train

HEAD = """
`benchmarks/training_on_gpu.py` ({date}), {rounds} rounds of whole epochs, on and off the GPU in turn.
Machine: {gpu}; {machine}.

{table}"""


def measured(folder: Path) -> tuple[float, ...]:
    """Slices a second, the same in those of one core; the largest difference of a figure of an epoch, by the
    GPU and by a last bit.

    A difference as part of the core's figure, or of 0.05 where that is more: as in tests/gpu.
    """
    a, b = training_speed.synthetic("a", 0), training_speed.synthetic("b", 1)
    moved = a.with_features(np.nextafter(a.features, np.float32(0)), a.device)
    seconds, figures = [], []
    for features, accelerator in ((a, "cpu"), (moved, "cpu"), (a, "gpu")):
        settings = TrainingSettings(max_epochs=training_speed.EPOCHS, accelerator=accelerator)
        ends: list[float] = []
        mark = lambda history, ends=ends: ends.append(time.perf_counter())
        sets = (features.save(folder / "a.npz"), b.save(folder / "b.npz"), folder / "checkpoints")
        run = train(*sets, settings, progress=False, on_epoch=mark)
        seconds.append(np.diff(ends).min())
        figures.append(np.array([list(line.values()) for line in run.history[1:]], float))
    scale = np.maximum(np.abs(figures[0]), 0.05)
    by_bit, by_gpu = (float((np.abs(other - figures[0]) / scale).max()) for other in figures[1:])
    speed = settings.restarts * training_speed.slices() / seconds[2]
    return speed, seconds[0] / seconds[2], by_gpu, by_bit


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--output", type=Path, default=PROJECT / "docs" / "performance.md")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("there is no GPU here")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        found = [measured(Path(name)) for _ in range(options.rounds)]
    speed, ratio, by_gpu, by_bit = (list(figures) for figures in zip(*found, strict=True))
    work, largest = "training, slices/s of all restarts", "largest difference of a figure of an epoch"
    rows = [
        Row(f"{work}, on the GPU", "a thousand", [slices / 1000 for slices in speed], ""),
        Row(f"{work}, on the GPU", "one core of its machine", ratio, ""),
        Row(f"{largest}, on the GPU", "the core's figure", by_gpu, "≤ 0.002"),
        Row(f"{largest}, last bit of A's features changed", "the core's figure", by_bit, ""),
    ]
    head = HEAD.format(
        date=time.strftime("%Y-%m-%d"),
        rounds=options.rounds,
        gpu=torch.cuda.get_device_name(),
        machine=machine(),
        table=TABLE,
    )
    of_processor = options.output.read_text(encoding="utf-8").partition(ON_A_GPU)[0]
    text = head + "".join(f"{row}\n" for row in rows)
    print(text)
    options.output.write_text(of_processor + ON_A_GPU + text, encoding="utf-8")


if __name__ == "__main__":
    main()
