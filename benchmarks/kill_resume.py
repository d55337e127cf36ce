"""What training promises when it is killed: SIGKILL at random moments, then `cyclegan train --resume auto`.

    python benchmarks/kill_resume.py --kills 200

One process imports everything and forks a child for each start of the command. Half of the kills come at any
moment of a child's life, half while it writes checkpoints. After each kill: is the newest checkpoint whole,
is it cyclegan-last.ckpt, how many epochs are lost? At the end of each run: is every file what the
uninterrupted run left? The exit code is 1 if a promise was broken.
"""

import argparse
import json
import logging
import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.utils.tensorboard  # noqa: F401  (once here, not in every child)
from same_run import unequal

from cyclegan_lib.checkpoint.reading import LAST
from cyclegan_lib.cli import main as cyclegan
from cyclegan_lib.config import SLICES
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.training import callbacks, checkpoints, start

EPOCHS = 6
# small networks and epochs of one step: a good part of the time goes into writing files
SETTINGS = {
    "max-epochs": EPOCHS,
    "steps-per-epoch": 1,
    "batch-size": 4,
    "restarts": 2,
    "generator-hidden-dim": 16,
    "discriminator-hidden-dim": 16,
    "accelerator": "cpu",
    "threads": 1,
}
PHASES = ("starting", "going on", "training", "measuring", "writing", "ending")
# a map from which each epoch of training finds a better one, so that every file changes with every epoch
START = (np.linalg.qr(np.random.default_rng(0).normal(size=(40, 40)))[0], np.zeros(40))
PATIENCE_S = 120
# about how long the files of an epoch take
WRITING_S = 0.04


@dataclass
class Outcome:
    """What was found; `broken` is empty if every promise was kept."""

    kills: int = 0
    runs: int = 0
    phases: Counter = field(default_factory=Counter)
    lost: Counter = field(default_factory=Counter)  # epochs that were begun and not saved: number of kills
    leftovers: int = 0  # kills that left a temporary file
    equal: int = 0  # runs whose files are the uninterrupted run's
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """`delay` seconds after the start, or after writing `epoch` has begun."""

    delay: float
    epoch: int | None = None


class Shared:
    """Phase and epoch of the child, which the parent still reads when it has killed the child."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 8)

    def set(self, phase: str, begun: int | None = None) -> None:
        """Note where the child is."""
        now = self.get()
        self.memory[:8] = struct.pack("ii", PHASES.index(phase), now[1] if begun is None else begun)

    def get(self) -> tuple[str, int]:
        """The phase, and the epoch that was begun last, counted from 1; 0 before training."""
        phase, begun = struct.unpack("ii", self.memory[:8])
        return PHASES[phase], begun


def kill_and_resume(folder: Path, kills: int, seed: int, echo: Callable[[str], None] = print) -> Outcome:
    """Train in `folder` again and again, killed `kills` times in all, and compare with one whole run.

    Call it in a process that has not trained yet: PyTorch cannot be forked after a backward pass.
    """
    torch.set_num_threads(1)
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    rng = random.Random(seed)
    sets = [synthetic(name, number).save(folder / f"{name}.npz") for number, name in enumerate(("a", "b"))]
    outcome, begun = Outcome(), time.monotonic()
    whole = folder / "whole"
    code, lasted = started(sets, whole, Shared(), None)
    if code != 0:
        raise RuntimeError(
            f"the uninterrupted run failed: {(folder / 'whole.txt').read_text(encoding='utf-8')}"
        )
    echo(f"uninterrupted: {EPOCHS} epochs in {lasted:.2f} s")
    while outcome.kills < kills or not outcome.runs:
        run = folder / f"run-{outcome.runs + 1}"
        ended, before = False, -1
        while not ended:
            shared = Shared()
            moment = None
            if outcome.kills < kills:
                aimed = rng.random() < 0.5
                # while it writes the epoch after the next few
                epoch = before + rng.randint(1, 3) if aimed else None
                moment = Moment(rng.uniform(0, WRITING_S if aimed else lasted), epoch)
            code, _ = started(sets, run, shared, moment)
            ended = code is not None
            if code:
                outcome.broken.append(
                    f"exit code {code}: {run.with_suffix('.txt').read_text(encoding='utf-8')[-2000:]}"
                )
            elif not ended:
                outcome.kills += 1
                before = _after_kill(outcome, run, shared, before)
        outcome.runs += 1
        found = [] if code else unequal(whole, run)
        outcome.equal += not (found or code)
        outcome.broken += [f"{run.name}: {line}" for line in found]
        if code:
            break
    outcome.seconds = round(time.monotonic() - begun, 1)
    return outcome


def started(sets: list[Path], run: Path, shared: Shared, moment: Moment | None) -> tuple[int | None, float]:
    """Start the command in a child; kill it at a moment. Its exit code (None: killed) and its seconds."""
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_command(sets, run, shared)
    waits = moment is None or moment.epoch is not None
    until = begun + (PATIENCE_S if waits else moment.delay)
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), time.monotonic() - begun
        phase, epoch = shared.get()
        if waits and moment is not None and phase == "writing" and epoch >= moment.epoch:
            waits, until = False, time.monotonic() + moment.delay
        time.sleep(min(0.001, max(0.0, until - time.monotonic())))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if waits:
        raise RuntimeError(f"the command hangs: {run.with_suffix('.txt').read_text(encoding='utf-8')}")
    code = os.waitstatus_to_exitcode(status)
    return (None if code == -signal.SIGKILL else code), time.monotonic() - begun


def _be_the_command(sets: list[Path], run: Path, shared: Shared) -> None:
    code = 1
    try:
        with run.with_suffix(".txt").open("a", buffering=1, encoding="utf-8") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            sys.stdout = sys.stderr = log
            _mark(shared)
            options = [str(part) for name, value in SETTINGS.items() for part in (f"--{name}", value)]
            places = ["--domain-a", str(sets[0]), "--domain-b", str(sets[1]), "--checkpoint-dir", str(run)]
            code = cyclegan(["train", *places, *options, "--resume", "auto"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _mark(shared: Shared) -> None:
    """Make the child note its phase; leave out the search for maps to start at, which only takes time."""
    start.start_map = lambda *given: START
    start._nearest = lambda *given: start.MATCHED
    start.Trust.of = lambda *given: (start.Trust(), dict.fromkeys(("ab", "ba"), (0.0, 0.0, 0.0)))

    def during(where: Any, name: str, phase: str, after: str) -> None:
        work = getattr(where, name)

        def noted(*given: Any) -> Any:
            shared.set(phase)
            result = work(*given)
            shared.set(after)
            return result

        setattr(where, name, noted)

    shared.set("starting", 0)
    during(checkpoints, "restore_folder", "going on", "starting")
    during(callbacks.ChooseCheckpoint, "_keep", "writing", "training")
    during(callbacks.ChooseCheckpoint, "on_validation_epoch_end", "measuring", "training")
    begin = callbacks.StopWhenAsked.on_train_epoch_start
    end = callbacks.StopWhenAsked.on_train_end

    def begun(callback: Any, trainer: Any, module: Any) -> None:
        shared.set("training", trainer.current_epoch + 1)
        begin(callback, trainer, module)

    def ending(callback: Any, trainer: Any, module: Any) -> None:
        end(callback, trainer, module)
        shared.set("ending")

    callbacks.StopWhenAsked.on_train_epoch_start, callbacks.StopWhenAsked.on_train_end = begun, ending


def _after_kill(outcome: Outcome, run: Path, shared: Shared, before: int) -> int:
    """Look at what a kill left; return the epoch of the newest checkpoint."""
    phase, begun = shared.get()
    outcome.phases[phase] += 1
    outcome.leftovers += any(run.glob(".*.part*"))
    found = checkpoints.newest(run)
    epoch = -1 if found is None else found.epoch
    where = f"{run.name}, kill {outcome.kills} while {phase}"
    if found is None and begun:
        outcome.broken.append(f"{where}: no checkpoint can be read, and epoch {begun} was begun")
    if epoch < before:
        outcome.broken.append(f"{where}: epoch {before} was saved, and the newest checkpoint holds {epoch}")
    if begun:
        outcome.lost[begun - epoch] += 1
        if begun - epoch > 1:
            outcome.broken.append(f"{where}: epoch {begun} was begun, and {epoch} is saved")
    for path in checkpoints.checkpoints_in(run):
        its = checkpoints.ResumePoint.read(path).epoch  # raises if it is half
        if path.name == LAST and its != epoch:
            outcome.broken.append(f"{where}: {LAST} holds epoch {its}, another one {epoch}")
    reported = run / checkpoints.METRICS_CSV
    if reported.exists() and len(reported.read_text(encoding="utf-8").splitlines()) - 2 > epoch:
        outcome.broken.append(f"{where}: metrics.csv is ahead of the checkpoints")
    return epoch


def synthetic(device: str, seed: int) -> FeatureSet:
    """Ten recordings of correlated noise, at a level of their own each."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(40, 40)) / 4
    features = rng.normal(size=(10, SLICES, 40)) @ mixing * 5 - 40 + rng.normal(size=(10, 1, 1))
    names = np.array([f"{device}-{i}" for i in range(10)])
    return FeatureSet(features.astype(np.float32), names, np.zeros(10), device)


def main() -> int:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="file to write what was found to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_and_resume(Path(folder), given.kills, given.seed)
    phases = ", ".join(f"{name} {outcome.phases[name]}" for name in PHASES)
    print(f"{outcome.kills} kills in {outcome.runs} runs, by phase: {phases}")
    print(f"kills that left a temporary file: {outcome.leftovers}")
    total = sum(epochs * kills for epochs, kills in outcome.lost.items())
    print(f"epochs lost: at most {max(outcome.lost, default=0)} a kill, {total} in all")
    print(f"runs whose files equal the uninterrupted run's: {outcome.equal} of {outcome.runs}")
    print(f"{outcome.seconds:.0f} s")
    for line in outcome.broken:
        print(f"broken: {line}")
    if given.json:
        given.json.write_text(json.dumps(vars(outcome)), encoding="utf-8")
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
