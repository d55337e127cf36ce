"""10,000 damaged files, read by every reader of the library; and that the fuzzer finds what it looks for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PROJECT

TESTS = PROJECT / "tests"
FILES, EACH = 10_000, 100  # at least so many, all different
SECONDS, MEGABYTES = 5.0, 1024
PATIENCE_S = 1500  # about 90 s on a core of its own


def run(*arguments: object) -> subprocess.CompletedProcess:
    """Run Python on the tests, in a process of its own: limits of memory hold for all that is in it."""
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=environment, timeout=PATIENCE_S
    )


@pytest.fixture(scope="module")
def results(trained, exported, tmp_path_factory) -> dict[str, dict]:
    """What every reader did with its files."""
    folder = tmp_path_factory.mktemp("fuzz") / "files"
    done = run("-m", "safety.fuzz", folder, trained[0].best, exported)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-5000:]
    return {name: found for line in done.stdout.splitlines() for name, found in json.loads(line).items()}


def test_every_damaged_file_is_refused_in_a_sentence_or_loaded_as_it_should(results):
    failures = [f"{name}: {text}" for name, found in results.items() for text in found["failures"]]
    assert not failures, "\n\n".join(failures)


def test_there_are_enough_files_and_each_reader_loads_some_and_refuses_some(results):
    counts = {name: (found["loaded"], found["refused"]) for name, found in results.items()}
    assert sum(map(sum, counts.values())) >= FILES, counts
    assert all(min(count) > 0 and sum(count) >= EACH for count in counts.values()), counts


def test_no_file_takes_long_or_much_memory(results):
    assert max(found["seconds"] for found in results.values()) < SECONDS, results
    assert max(found["megabytes"] for found in results.values()) < MEGABYTES, results


FAULTY = """
import json, sys, time
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from safety import fuzz
from safety.readers import Reader

from cyclegan_lib.errors import InputError

fuzz.SECONDS, fuzz.CLOCK_SECONDS, fuzz.KILLED_SECONDS = 0.5, 1.5, 5.0
FIRST = [1]  # one file is enough for what takes long


def missing(path):
    {}["features"]


def hanging(path):
    while FIRST:
        pass


def holding_on(path):
    while FIRST:
        try:
            hanging(path)
        except BaseException:
            FIRST.clear()


def waiting(path):
    time.sleep(30)


def stuck(path):
    sum(range(10**12))  # no signal is handled meanwhile


def large(path):
    np.ones(1 << 28)


def excused(path):
    try:
        large(path)
    except MemoryError as error:
        raise InputError(f"{path} is damaged") from error


def vague(path):
    raise InputError("the file is damaged")


def long(path):
    raise InputError(f"{path} holds {'x' * 5000}")


def wrong(path):
    assert not path.read_bytes()


def right(path):
    if path.read_bytes()[:1] != b"x":
        raise InputError(f"{path} does not begin with x")


folder, names = Path(sys.argv[1]), sys.argv[2:]
fuzz.watch()
fuzz.limited()
for name in names:
    reader = Reader("a.txt", b"x" * 50, st.binary(min_size=2, max_size=9), globals()[name], 20, 20)
    slow = name in ("hanging", "holding_on", "waiting", "large", "excused")
    fuzz.MOST_FAILURES = 1 if slow else 5
    FIRST[:] = [1]
    print(json.dumps({name: fuzz.report(name, reader, folder, set(), 0)}), flush=True)
"""
SAYS = {
    "missing": "KeyError: 'features'",
    "hanging": "TooSlow",
    "holding_on": "took ",
    "waiting": "TooSlow",
    "large": "MemoryError",
    "excused": "needs too much memory",
    "vague": "says the file is damaged",
    "long": "says ",
    "wrong": "AssertionError",
}


def faulty(folder: Path, *names: str) -> subprocess.CompletedProcess:
    (folder / "faulty.py").write_text(FAULTY)
    return run(folder / "faulty.py", folder, *names)


def test_the_fuzzer_reports_readers_that_fail(tmp_path):
    done = faulty(tmp_path, *SAYS, "right")
    assert done.returncode == 0, done.stderr[-3000:]
    found = {name: one for line in done.stdout.splitlines() for name, one in json.loads(line).items()}
    for name, says in SAYS.items():
        assert found[name]["failures"] and says in found[name]["failures"][0], found[name]
    assert found["waiting"]["seconds"] < 0.5  # waiting takes no processor time, and is found all the same
    assert not found["right"]["failures"] and min(found["right"][one] for one in ("loaded", "refused")) > 0
    kept = Path(found["missing"]["failures"][0].split(": ")[0])
    assert kept.is_file() and kept.read_bytes() != b"x" * 50


def test_the_fuzzer_ends_where_a_reader_cannot_be_interrupted(tmp_path):
    done = faulty(tmp_path, "stuck")
    assert done.returncode != 0 and "in stuck" in done.stderr, done.stderr[-3000:]
