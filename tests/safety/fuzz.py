"""Give readers damaged files, with limits that hold.

    cd tests && python -m safety.fuzz FOLDER CHECKPOINT EXPORTED_MODELS [READER]...

Every file may take 5 s, and reading 1 GB more than what is in memory before. What happened is printed as
JSON; a file that a reader neither loaded correctly nor refused in one sentence is kept in FOLDER.
"""

import hashlib
import json
import logging
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import soundfile
import torch
from hypothesis import HealthCheck, Phase, given, settings
from safety.contents import RATE
from safety.mutations import damaged
from safety.readers import Reader, readers

from cyclegan_lib.errors import InputError

SECONDS, BYTES = 5.0, 1 << 30
MOST_FAILURES = 5


class TooSlow(BaseException):
    """The 5 s are over; no `except Exception` of a reader can hold it up."""


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def limited(megabytes: int = BYTES >> 20) -> None:
    """From here on this process may take that much more memory than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def tried(reader: Reader, content: bytes, folder: Path) -> tuple[str, float]:
    """Let a reader read one file.

    Returns
    -------
    str
        "loaded", "refused", or why neither is true.
    float, seconds
    """
    path = folder / reader.file
    path.write_bytes(content)
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        reader.load(path)
        found = "loaded"
    except InputError as error:
        text = str(error)
        named = path.name in text or folder.name in text
        found = "refused" if named and len(text.splitlines()) == 1 and len(text) < 3000 else f"says {text}"
    except TooSlow:
        found = f"took more than {SECONDS} s: {traceback.format_exc()}"
    except Exception:
        found = traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return found, time.perf_counter() - start


def fuzzed(reader: Reader, folder: Path) -> dict[str, Any]:
    """What a reader did with its files: always the same ones, each once."""
    outcomes = {"loaded": 0, "refused": 0}
    failures: list[str] = []
    seen: set[bytes] = {hashlib.sha256(reader.valid).digest()}
    worst = 0.0

    @settings(
        max_examples=reader.examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.wrong)
    def wrong(content: bytes) -> None:
        one(content)

    def one(content: bytes) -> None:
        nonlocal worst
        mark = hashlib.sha256(content).digest()
        if mark in seen or len(failures) >= MOST_FAILURES:
            return
        seen.add(mark)
        found, seconds = tried(reader, content, folder)
        worst = max(worst, seconds)
        if found in outcomes:
            outcomes[found] += 1
        else:
            kept = folder / f"failed-{len(failures)}-{reader.file}"
            shutil.copyfile(folder / reader.file, kept)
            failures.append(f"{kept}: {found}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        random = Random(reader.file)
        for _ in range(reader.count):
            one(damaged(random, reader.valid))
        wrong()
    return {**outcomes, "files": len(seen) - 1, "seconds": worst, "failures": failures}


def main(folder: Path, trained: Path, exported: Path, *only: str) -> None:
    """Fuzz all readers, or those that are named."""
    torch.set_num_threads(1)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    signal.signal(signal.SIGALRM, _too_slow)
    base = folder / "base"
    base.mkdir(parents=True)
    every = readers(base, trained, exported)
    chosen = {name: every[name] for name in only or every}
    for number, (name, reader) in enumerate(chosen.items()):
        place = folder / f"reader-{number}"
        if reader.file in ("model_config.json", "generator_AB.pth"):
            shutil.copytree(exported, place)
        else:
            (place / "recordings" / "deep").mkdir(parents=True)
            for sound in ("a.wav", "b.wav", "deep/c.flac"):
                soundfile.write(place / "recordings" / sound, [0.0] * 9, RATE)
        found, _ = tried(reader, reader.valid, place)
        assert found == "loaded", f"{name}: {found}"
    if sys.platform == "linux":
        limited()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, (name, reader) in enumerate(chosen.items()):
        start = time.perf_counter()
        found = fuzzed(reader, folder / f"reader-{number}")
        now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found |= {"megabytes": (now - before) / 1024, "all_seconds": time.perf_counter() - start}
        print(json.dumps({name: found}), flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *sys.argv[4:])
