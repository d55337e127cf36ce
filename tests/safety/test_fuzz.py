"""Damaged files, read by every reader of the library; and that the fuzzer finds what it looks for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PROJECT

pytestmark = pytest.mark.slow
TESTS = PROJECT / "tests"
FILES, EACH = 10_000, 100  # at least so many, all different
SECONDS, MEGABYTES = 5.0, 1024
PATIENCE_S = 1500  # about 90 s on a core of its own


def run(*arguments: object) -> subprocess.CompletedProcess:
    """Run Python on the tests, in a process of its own: limits of memory hold for all that is in it."""
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", env=environment, timeout=PATIENCE_S
    )


def printed(*command: object) -> dict[str, dict]:
    """What every reader did with its files, as the fuzzer prints it."""
    done = run(*command)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-5000:]
    return {name: found for line in done.stdout.splitlines() for name, found in json.loads(line).items()}


def test_every_damaged_file_is_refused_in_a_sentence_or_loaded_as_it_should(trained, exported, tmp_path):
    results = printed("-m", "safety.fuzz", tmp_path / "files", trained[0].best, exported)
    failures = [f"{name}: {text}" for name, found in results.items() for text in found["failures"]]
    assert not failures, "\n\n".join(failures)
    # there are enough files, each reader refuses some and loads some; none takes long or much memory
    counts = {name: (found["loaded"], found["refused"]) for name, found in results.items()}
    assert sum(map(sum, counts.values())) >= FILES, counts
    few = {name: count for name, count in counts.items() if sum(count) < EACH or not all(count)}
    assert not few, few
    assert max(found["seconds"] for found in results.values()) < SECONDS, results
    assert max(found["megabytes"] for found in results.values()) < MEGABYTES, results


FAULTY = """
import json, sys, time
from contextlib import suppress
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from safety import fuzz
from safety.readers import Reader

from cyclegan_lib.errors import InputError

fuzz.SECONDS, fuzz.CLOCK_SECONDS, fuzz.KILLED_SECONDS, fuzz.MAX_FAILURES = 0.5, 1.5, 5.0, 1


def hanging(path):
    while True:
        pass


def holding_on(path):
    with suppress(BaseException):
        hanging(path)


def excused(path):
    try:
        np.ones(1 << 28)
    except MemoryError as error:
        raise InputError(f"{path} is damaged") from error


def refusing(sentence, path):
    raise InputError(sentence.format(path=path))


def right(path):
    if path.read_bytes()[:1] != b"x":
        raise InputError(f"{path} does not begin with x")


READERS = {
    "missing": lambda path: {}["features"],
    "hanging": hanging,
    "holding on": holding_on,
    "waiting": lambda path: time.sleep(30),
    "stuck": lambda path: sum(range(10**12)),  # no signal is handled meanwhile
    "large": lambda path: np.ones(1 << 28),
    "excused": excused,
    "vague": lambda path: refusing("the file is damaged", path),
    "long": lambda path: refusing("{path} holds " + "x" * 5000, path),
    "wrong": lambda path: path.read_bytes().index(b"not there"),
    "right": right,
}
fuzz.limited()
for name in sys.argv[2:]:
    reader = Reader("a.txt", b"x" * 50, st.binary(min_size=2, max_size=9), READERS[name], 20, 20)
    print(json.dumps({name: fuzz.fuzzed(name, reader, Path(sys.argv[1]), set())}), flush=True)
"""
SAYS = {
    "missing": "KeyError: 'features'",
    "hanging": "TooSlow",
    "holding on": "took ",
    "waiting": "TooSlow",
    "large": "MemoryError",
    "excused": "needs too much memory",
    "vague": "says the file is damaged",
    "long": "says ",
    "wrong": "ValueError",
}


def test_the_fuzzer_reports_readers_that_fail(tmp_path):
    found = printed("-c", FAULTY, tmp_path, *SAYS, "right")
    for name, says in SAYS.items():
        assert found[name]["failures"] and says in found[name]["failures"][0], found[name]
    assert found["waiting"]["seconds"] < 0.5  # waiting takes no processor time, and is found all the same
    assert not found["right"]["failures"] and min(found["right"][one] for one in ("loaded", "refused")) > 0
    kept = Path(found["missing"]["failures"][0].split(": ")[0])
    assert kept.is_file() and kept.read_bytes() != b"x" * 50


def test_the_fuzzer_ends_where_a_reader_cannot_be_interrupted(tmp_path):
    done = run("-c", FAULTY, tmp_path, "stuck")
    assert done.returncode != 0 and "in <lambda>" in done.stderr, done.stderr[-3000:]
