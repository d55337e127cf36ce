"""What a lake promises when processes are killed: SIGKILL at random moments, then the same command again.

    python benchmarks/lake.py --kills 20

Every other kill hits one of the command's processes, which it then has to do without, the others the command
itself; most come while parts are written. After each kill: is every part that is there the one of the
undisturbed run, byte for byte? When the command has ended: is no part lost, and no recording there twice? The
exit code is 1 if a promise was broken.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import soundfile

from cyclegan_lib.features import FeatureSet

RATE = 8000
AIMED = 0.7  # of the kills, while parts are written
PATIENCE_S = 600
COMMAND = """
import sys
from cyclegan_lib.features import lake_extraction
from cyclegan_lib.cli import main
lake_extraction.PART_FILES = 4
sys.exit(main(sys.argv[1:]))
"""


@dataclass
class Outcome:
    """What was found; `broken` is empty if every promise was kept."""

    kills: int = 0
    of_command: int = 0
    runs: int = 0
    parts: int = 0  # of the undisturbed run
    kept: int = 0  # parts that were there after a kill, of all kills
    broken: list[str] = field(default_factory=list)


def kill_and_go_on(
    folder: Path, kills: int, seed: int = 0, recordings: int = 400, echo: Callable[[str], None] = print
) -> Outcome:
    """Extract `recordings` into lakes in `folder`, disturbed by `kills` in all."""
    rng = random.Random(seed)
    _simulate(folder / "edge", recordings)
    begun = time.monotonic()
    _ended(_start(folder, "whole"), outcome := Outcome())
    lasted, whole = time.monotonic() - begun, _parts(folder / "whole")
    outcome.parts = len(whole)
    echo(f"undisturbed: {len(whole)} parts of {recordings} recordings in {lasted:.1f} s")
    while outcome.kills < kills and not outcome.broken:
        outcome.runs += 1
        lake = folder / f"lake-{outcome.runs}"
        command = _start(folder, lake.name)
        while command.poll() is None and outcome.kills < kills:
            aimed = rng.random() < AIMED
            wanted = len(_parts(lake)) + rng.randint(1, len(whole) // 5) if aimed else len(whole) + 1
            until = time.monotonic() + (PATIENCE_S if aimed else rng.uniform(0, lasted))
            while command.poll() is None and time.monotonic() < until and len(_parts(lake)) < wanted:
                time.sleep(0.01)
            if command.poll() is None:
                if not _kill(command, rng, outcome):
                    command = _start(folder, lake.name)
                there = _parts(lake)
                outcome.kept += len(there)
                _compare(there, {path: whole.get(path) for path in there}, outcome, lake.name)
        _ended(command, outcome)
        echo(f"{lake.name}: {outcome.kills} kills so far, {len(outcome.broken)} promises broken")
        _compare(_parts(lake), whole, outcome, lake.name)
        heard = FeatureSet.load(lake)
        if (
            len(set(zip(heard.recording, heard.start_s, strict=True))) != len(heard)
            or len(heard) != recordings
        ):
            outcome.broken.append(f"{lake.name}: {len(heard)} sequences of {recordings} recordings")
    return outcome


def _simulate(folder: Path, recordings: int) -> None:
    folder.mkdir()
    for number in range(recordings):
        noise = np.random.default_rng(number).normal(size=10 * RATE) / 10
        soundfile.write(folder / f"{number:04d}.wav", noise, RATE)


def _start(folder: Path, lake: str) -> subprocess.Popen:
    given = [
        "extract",
        folder / "edge",
        "--device",
        "cpc006",
        "--output",
        f"{folder / lake}/",
        "--workers",
        2,
    ]
    given += ["--sample-rate", RATE]
    with (folder / f"{lake}.txt").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *map(str, given)], stdout=log, stderr=subprocess.STDOUT
        )


def _kill(command: subprocess.Popen, rng: random.Random, outcome: Outcome) -> bool:
    """Kill the command, or a process of it; whether the command goes on."""
    try:
        children = psutil.Process(command.pid).children()
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        workers = []
    outcome.kills += 1
    if workers and outcome.kills % 2:
        rng.choice(workers).kill()
        return True
    outcome.of_command += 1
    command.kill()
    command.wait()
    return False


def _ended(command: subprocess.Popen, outcome: Outcome) -> None:
    if code := command.wait():
        outcome.broken.append(f"exit code {code}")


def _parts(lake: Path) -> dict[str, bytes]:
    """The parts of a lake, by name."""
    return {path.name: path.read_bytes() for path in lake.rglob("part-*.parquet") if path.name[0] != "."}


def _compare(there: dict[str, bytes], wanted: dict[str, bytes | None], outcome: Outcome, lake: str) -> None:
    for name in there.keys() | wanted.keys():
        if there.get(name) != wanted.get(name):
            outcome.broken.append(f"{lake}: {name} is lost, or other than undisturbed")


def main() -> int:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_and_go_on(Path(folder), given.kills, given.seed)
    print(f"{outcome.kills} kills in {outcome.runs} runs, {outcome.of_command} of them of the command itself")
    print(f"parts there after a kill: {outcome.kept / max(1, outcome.kills):.1f} of {outcome.parts}")
    print(f"parts lost, twice or other than undisturbed: {len(outcome.broken)}")
    for line in outcome.broken:
        print(f"broken: {line}")
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
