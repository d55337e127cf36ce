"""Tasks in several processes."""

import gc
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest
from helpers import write_notebook

from cyclegan_lib import parallel
from cyclegan_lib.errors import InputError

TASKS = [0.3, *[0.0] * 20]  # seconds; the first is the slowest


def waited(seconds):
    if seconds < 0:
        raise InputError("no time")
    time.sleep(seconds)
    return seconds


MORE = [pytest.param(*given, marks=pytest.mark.slow) for given in ((2, (0.15).__gt__), (3, bool))]


@pytest.mark.parametrize(("workers", "here"), [(1, None), (2, None), *MORE])
def test_results_come_in_the_order_of_the_tasks(workers, here):
    tasks = [0.2, 0.1, 0.0, 0.01, 0.0]
    assert list(parallel.each(waited, tasks, workers, here)) == tasks
    with pytest.raises(InputError, match="no time"):
        list(parallel.each(waited, [0.0, -1, 0.0], workers, here))


@pytest.mark.slow
def test_few_results_wait_for_a_slow_one():
    ended = [index for index, _ in parallel._pooled(waited, TASKS, 2, ahead=4)]
    assert sorted(ended) == list(range(21))
    assert ended.index(0) <= 4 and ended != sorted(ended)


POOL = "list(parallel.each(noted, [folder] * 2, workers=2))"
DASK = """
with parallel.executor(2) as run_all:
    list(run_all(noted, [folder] * 2))"""
KERNEL = """
from cyclegan_lib.runs.execute import execute

execute(folder / "note.ipynb", folder / "out.ipynb", {}, progress=False)"""
NOTED = """
import os
import time
from pathlib import Path

def noted(folder):  # under which number this process runs
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)
"""
PARENT = f"""{NOTED}
if __name__ == "__main__":
    import sys
    from cyclegan_lib import parallel

    folder = Path(sys.argv[1])
"""


@pytest.mark.parametrize(
    "children",
    [POOL, *(pytest.param(children, marks=pytest.mark.slow) for children in (DASK, KERNEL))],
    ids=["pool", "Dask", "kernel"],
)
def test_children_end_with_their_parent_however_it_ended(children, tmp_path):
    write_notebook(tmp_path / "note.ipynb", "", f"{NOTED}\nnoted({str(tmp_path)!r})")
    script = tmp_path / "parent.py"
    script.write_text(PARENT + textwrap.indent(children, "    "), encoding="utf-8")
    parent = subprocess.Popen([sys.executable, script, tmp_path], stderr=subprocess.DEVNULL)
    wanted, until = 1 if children == KERNEL else 2, time.monotonic() + 60
    while len(started := [path.name for path in tmp_path.iterdir() if path.name.isdigit()]) < wanted:
        assert parent.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    alive = [psutil.Process(int(number)) for number in started]
    parent.kill()
    parent.wait()
    assert not psutil.wait_procs(alive, timeout=10)[1]


def test_an_address_of_no_scheduler_leaves_nothing_behind():
    """A client that is closed when Python finds time for it may wait for ever, if another one starts then."""
    before, left = set(threading.enumerate()), None
    gc.disable()
    try:
        with parallel.executor(1, "nowhere"):
            pass
    except InputError:  # not by pytest.raises, which lets go of what is left
        left = set(threading.enumerate()) - before
    finally:
        gc.enable()
    assert left == set()


def test_a_script_that_does_not_say_what_is_main_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    lines = [NOTED, "from cyclegan_lib import parallel", "list(parallel.each(noted, ['.'] * 50, workers=2))"]
    script.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, encoding="utf-8")
    said = [line for line in done.stderr.splitlines() if "below `if __name__ == '__main__':`" in line]
    assert done.returncode == 1 and len(said) == 1 and said[0].startswith("cyclegan_lib.errors.InputError: ")
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]
