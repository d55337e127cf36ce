"""Give readers damaged files, with limits that hold.

    cd tests && python -m safety.fuzz FOLDER CHECKPOINT EXPORTED_MODELS [READER]...

Reading a file may take 5 s of processor time (30 s by the clock, which runs on while others compute) and
1 GB more memory than is in use before. What happened is printed as JSON; a file that a reader neither loaded
correctly nor refused in one sentence is kept in FOLDER.
"""

import faulthandler
import json
import logging
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import soundfile
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import ValidationError
from safety.contents import RATE
from safety.mutations import damaged
from safety.readers import Reader, readers

from cyclegan_lib.errors import InputError

SECONDS, CLOCK_SECONDS = 5.0, 30.0
KILLED_SECONDS = 60.0
BYTES = 1 << 30
MAX_LENGTH = 3000  # characters of a sentence, most of them a path
MAX_FAILURES = 5
# what is raised where the limit of memory holds
NO_MEMORY = ("allocate memory", "bad_alloc", "Unable to allocate")
ONCE = settings(database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck])


class TooSlow(BaseException):
    """The time is over; no `except Exception` of a reader can hold it up."""


interruptions: list[int] = []  # numbers of the signals


def _too_slow(number: int, frame: FrameType | None) -> None:
    interruptions.append(number)
    raise TooSlow


def limited() -> None:
    """From here on this process may take BYTES more memory than it has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    limit = pages * resource.getpagesize() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@contextmanager
def timed() -> Iterator[None]:
    """Raise TooSlow in the block when its time is over, again each second; end the process if that fails."""
    faulthandler.dump_traceback_later(KILLED_SECONDS, exit=True)  # what holds the interpreter is in C
    signal.signal(signal.SIGPROF, _too_slow)
    signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 1)
    signal.setitimer(signal.ITIMER_REAL, CLOCK_SECONDS, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def tried(reader: Reader, content: bytes, folder: Path) -> tuple[str, float]:
    """Let a reader read one file: "loaded", "refused" or why neither is true; seconds of processor time."""
    path = folder / reader.file
    path.write_bytes(content)
    start = time.process_time()
    found = "was not read"
    interruptions.clear()
    try:
        with timed():
            try:
                reader.load(path)
                found = "loaded"
            except InputError as error:
                found = _sentence(error, path)
            except Exception:
                found = traceback.format_exc()
    except TooSlow:
        found = traceback.format_exc()
    seconds = time.process_time() - start
    if seconds > SECONDS or interruptions:  # also if it could not be interrupted, or somebody swallowed that
        found = f"took {seconds:.1f} s: {found}"
    return found, seconds


def _sentence(error: InputError, path: Path) -> str:
    """Whether a refusal is one sentence that names the file, and none that the limit of memory has forced."""
    text = str(error)
    named = path.name in text or path.parent.name in text
    if not named or len(text.splitlines()) != 1 or len(text) > MAX_LENGTH:
        return f"says {text}"
    for one in _causes(error):
        if isinstance(one, MemoryError) or any(words in str(one) for words in NO_MEMORY):
            return f"needs too much memory: {traceback.format_exc()}"
    return "refused"


def _causes(error: BaseException) -> list[BaseException]:
    """An error and all that led to it, each once, but for pydantic's, which show endless values whole."""
    errors = [error]
    for one in errors:
        errors += [led for led in (one.__cause__, one.__context__) if led is not None and led not in errors]
    return [one for one in errors if not isinstance(one, ValidationError)]


def fuzzed(name: str, reader: Reader, folder: Path, seen: set[int]) -> dict[str, Any]:
    """What a reader did with its files, the same ones each time; none is in `seen` or comes twice."""
    outcomes = {"loaded": 0, "refused": 0}
    failures: list[str] = []
    seen.add(hash(reader.valid))
    worst = 0.0
    start = zlib.crc32(name.encode())  # each reader gets files of its own

    def one(content: bytes) -> None:
        nonlocal worst
        if hash(content) in seen or len(failures) >= MAX_FAILURES:
            return
        seen.add(hash(content))
        found, seconds = tried(reader, content, folder)
        worst = max(worst, seconds)
        if found in outcomes:
            outcomes[found] += 1
        else:
            kept = shutil.copyfile(folder / reader.file, folder / f"failed-{len(failures)}-{reader.file}")
            failures.append(f"{kept}: {found}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        random = Random(start)
        for _ in range(reader.count):
            one(damaged(random, reader.valid))
        wrong = settings(ONCE, max_examples=reader.examples)(given(reader.wrong)(one))
        seed(start)(wrong)()
    return {**outcomes, "seconds": worst, "failures": failures}


def main(folder: Path, trained: Path, exported: Path, *only: str) -> None:
    """Fuzz all readers, or those that are named: what they did, with the memory taken since the start."""
    torch.set_num_threads(1)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    base = folder / "base"
    base.mkdir(parents=True)
    every = readers(base, trained, exported)
    chosen = {name: every[name] for name in only or every}
    for number, (name, reader) in enumerate(chosen.items()):
        place = folder / f"reader-{number}"
        shutil.copytree(exported, place)
        (place / "recordings" / "deep").mkdir(parents=True)
        for sound in ("a.wav", "b.wav", "deep/c.flac"):
            soundfile.write(place / "recordings" / sound, [0.0] * 9, RATE)
        found, _ = tried(reader, reader.valid, place)
        assert found == "loaded", f"{name}: {found}"
    if sys.platform == "linux":
        limited()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen: set[int] = set()
    for number, (name, reader) in enumerate(chosen.items()):
        found = fuzzed(name, reader, folder / f"reader-{number}", seen)
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(json.dumps({name: {**found, "megabytes": more / 1024}}), flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *sys.argv[4:])
