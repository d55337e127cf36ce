"""The layers that make the notebooks trustworthy, each raising AssertionError where something is wrong.

1. `metrics.check_metrics`: a small run through papermill, and what it measured.
2. `check_same_again`: the same parameters give the same outputs, every one of them (one machine).
3. `compare`: the committed notebooks give the committed outputs again, as far as all machines agree.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
from helpers import PROJECT
from notebooks.whole import IGNORED, check_whole, code_cells

NAMES = ("01_data_normalization", "02_training", "03_export", "04_domain_shift", "05_benchmark")
COMPARE = "06_compare"  # of runs, and in none
COMMITTED = [PROJECT / "notebooks" / f"{name}.ipynb" for name in (*NAMES, COMPARE)]
SANITIZE = PROJECT / "tests" / "notebooks" / "sanitize.cfg"
CELL_TIMEOUT_S = 1800


def numbered(folder: Path) -> list[Path]:
    """Return the notebooks of a folder in their order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def cyclegan(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the `cyclegan` command in a folder."""
    command = [sys.executable, "-m", "cyclegan_lib", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder)


def run_nbval(*paths: Path, sanitize: Path = SANITIZE) -> tuple[int, str]:
    """Run notebooks again, compare their outputs with those in the files: (exit code, what was printed)."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env"]
    command += ["--nbval-cell-timeout", str(CELL_TIMEOUT_S), "--nbval-sanitize-with", str(sanitize)]
    # neither this project's pytest settings nor options from outside: they could leave cells out
    folder, environment = paths[0].parent, {**os.environ, "PYTEST_ADDOPTS": ""}
    command += ["--color=no", "-p", "no:cacheprovider", "--rootdir", str(folder), "-c", os.devnull]
    command += map(str, paths)
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, env=environment)
    return done.returncode, done.stdout + done.stderr


def compare(*paths: Path) -> None:
    """Layer 3: assert that notebooks are whole, and that run again every cell gives the outputs they hold."""
    assert paths, "there are no notebooks to compare"
    for path in paths:
        check_whole(path)
    check_found(paths, *run_nbval(*paths))


def check_found(paths: Iterable[Path], code: int, printed: str) -> None:
    """Assert that nbval, of which this is the exit code and the text, found every cell's outputs again."""
    failed = ", ".join(
        f"{name}, code cell {int(number) + 1}"  # nbval counts from 0
        for name, number in re.findall(r"^FAILED (.+\.ipynb)::Cell (\d+)", printed, re.MULTILINE)
    )
    assert code == 0, f"run again, other outputs came from {failed or 'nbval'}:\n{printed[-5000:]}"
    cells = sum(len(code_cells(nbformat.read(path, as_version=4))) for path in paths)
    summary = re.findall(r"^=+ (.*) in [\d.]+s.* =+$", printed, re.MULTILINE)[-1]
    counted = {what: int(n) for n, what in re.findall(r"(\d+) (\w+)", summary)}
    outcomes = {what: n for what, n in counted.items() if not what.startswith("warning")}
    assert outcomes == {"passed": cells}, f"of {cells} cells not all were compared: {outcomes}"


def check_same_again(run: Path) -> None:
    """Layer 2: assert that a papermill run's parameters give its outputs, measures and pictures once more.

    Everything is computed from the start, data included, in the folder `again` beside the run's. What other
    machines may compute otherwise is compared here as well: on one machine nothing differs.
    """
    again = run.with_name("again")
    shutil.rmtree(again, ignore_errors=True)
    again.mkdir()
    compare(*(_for_another_run(path, again) for path in numbered(run)))
    check_same_results(run, again)


def check_same_results(run: Path, again: Path) -> None:
    """Assert that two runs left the same metrics.json and the same pictures, to the last byte."""
    patterns = ("metrics.json", "figures/*.png", "figures/*.svg")
    left, other = (
        {path.relative_to(folder) for pattern in patterns for path in folder.glob(pattern)}
        for folder in (run, again)
    )
    assert left == other, f"other files: {left ^ other}"
    assert left, f"{run} holds neither measures nor pictures"
    for name in left:
        assert (run / name).read_bytes() == (again / name).read_bytes(), f"{name} differs in a second run"


def _for_another_run(path: Path, again: Path) -> Path:
    """Copy an executed notebook so that it works in `again`, and nbval ignores none of its outputs."""
    notebook = nbformat.read(path, as_version=4)
    cells = code_cells(notebook)
    injected = [cell for cell in cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert len(injected) == 1, f"{path.name}: {len(injected)} cells of parameters are not papermill's one"
    given = injected[0].source
    for name, folder in (("run_dir", again), ("data_dir", again / "data")):
        given, found = re.subn(f'(?m)^{name} = ".*"$', f'{name} = "{folder}"', given)
        assert found == 1, f"{path.name}: papermill was not given {name}"
    injected[0].source = given
    for cell in cells:
        if "clear_output()" in cell.source:  # of a progress bar; nbval would see it
            continue
        lines = cell.source.splitlines()
        cell.source = "\n".join(line for line in lines if line.strip().lstrip("#").strip() != IGNORED)
    nbformat.write(notebook, again / path.name)
    return again / path.name
