"""A grid of runs: what is refused, what is shared, what is continued, and what is compared."""

import csv
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from helpers import done, refusal

from cyclegan_lib import parallel
from cyclegan_lib.cli import main
from cyclegan_lib.errors import InputError
from cyclegan_lib.locks import locked
from cyclegan_lib.runs.record import Record
from cyclegan_lib.runs.sweep import sweep

GRID = {"parameters": {"max_epochs": 2}, "grid": {"lambda_cycle": [1.0, 3], "seed": [0]}}


@pytest.fixture
def no_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)


def write(project: Path, content: object) -> str:
    path = project / "small.yml"
    path.write_text(
        content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False), encoding="utf-8"
    )
    return str(path)


def kill_the_trainer(folder: Path) -> threading.Thread:
    """Kill, from the side, the process that is training in `folder`."""

    def kill() -> None:
        patience = time.monotonic() + 600
        while not (folder / "checkpoints" / "cyclegan-last.ckpt").exists():
            assert time.monotonic() < patience, f"no training began in {folder} within ten minutes"
            time.sleep(0.1)
        os.kill(int((folder / ".lock").read_text(encoding="utf-8").split()[1]), signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def starts(folder: Path) -> int:
    """How often training began in a run."""
    return len((folder / "trained.txt").read_text(encoding="utf-8").splitlines())


REFUSED = {
    "grid: {seed: [0, 1}": "small.yml cannot be read as YAML (line 1",
    "- 1": "must hold keys with values; docs/sweep.yml is an example",
    "": "must hold keys with values; docs/sweep.yml is an example",
    "grids: {seed: [0]}": "has the key 'grids', which is unknown; it knows name, parameters, grid",
    "parameters: {seed: 1}": "'grid' must hold a list of values for at least one parameter",
    "grid: {}": "'grid' must hold a list",
    "grid: {seed: []}": "the grid of 'seed' must be a list of values",
    "grid: {seed: 1}": "the grid of 'seed' must be a list of values, as in [0, 1], not 1",
    "parameters: {seed: 1}\ngrid: {seed: [0]}": "'seed' is under both parameters and grid",
    "parameters: [seed]\ngrid: {seed: [0]}": "'parameters' must hold one value for each parameter",
    "grid: {seed: [0, 1, 0]}": "the grid of 'seed' holds 0 twice",
    "grid: {lambda_cycle: [1, 1.0]}": "the grid of 'lambda_cycle' holds 1.0 twice",
    "grid: {seed: [0], seed: [1]}": "'seed' is given twice",
    "grid: {lamda_cycle: [1]}": "unknown notebook parameter 'lamda_cycle'; did you mean 'lambda_cycle'?",
    "grid: {max_epochs: [1, 0]}": "small.yml: 'max_epochs' cannot be 0",
    "grid: {max_epochs: [1, null]}": "the parameter 'max_epochs' must be int, not None",
    "grid: {seed: [0]}\nparameters: {resume: no.ckpt}": "no.ckpt does not exist",
    "grid: {seed: [0, 1]}\nparameters: {data_dir: mine}": "cannot hold the recordings of several",
    "grid: {seed: [0]}\nname: ../x": "must be a plain folder name",
    "grid: {seed: [0]}\nname: 3": "'name' must be text, not 3",
}


@pytest.mark.parametrize("content", REFUSED)
def test_a_file_is_refused_in_one_sentence_before_anything_starts(content, project, monkeypatch, capsys):
    monkeypatch.setattr("cyclegan_lib.runs.sweep.executor", None)
    assert REFUSED[content] in refusal(capsys, "sweep", write(project, content))
    assert not (project / "runs").exists()


def test_a_missing_file_and_a_folder_of_something_else_are_refused(project, capsys):
    assert "no.yml does not exist; give the YAML file of a sweep" in refusal(capsys, "sweep", "no.yml")
    (project / "runs" / "small").mkdir(parents=True)
    (project / "runs" / "small" / "run.json").write_text("{}", encoding="utf-8")
    sentence = refusal(capsys, "sweep", write(project, GRID))
    assert "holds something else than a sweep; give another --name" in sentence


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere"])
def test_a_scheduler_that_does_not_answer_is_a_sentence(address, project, monkeypatch, capsys):
    monkeypatch.setattr(parallel, "CONNECT_S", 1)
    assert main(["sweep", write(project, GRID), "--scheduler", address]) == 2
    error = capsys.readouterr().err
    assert f"no Dask scheduler answers at {address}" in error and error.count("\n") == 1
    assert not (project / "runs").exists()


def test_a_scheduler_without_dask_is_a_sentence(project, no_dask, capsys):
    sentence = refusal(capsys, "sweep", write(project, GRID), "--scheduler", "tcp://127.0.0.1:1")
    assert "--scheduler needs Dask" in sentence


@pytest.mark.slow
def test_a_sweep_under_dask_survives_a_worker_and_compares_all_runs(project, monkeypatch, capfd):
    # the benchmark's, which a sweep leaves out
    (project / "notebooks" / "05_benchmark.ipynb").write_text("{", encoding="utf-8")
    content = {
        "name": "weights",
        "parameters": {"max_epochs": 2, "pause": 3.0},
        "grid": {"lambda_cycle": [3.0], "seed": [0, 1]},
    }
    folder = project / "runs" / "weights"
    killed, other = (folder / f"lambda_cycle=3.0,seed={seed}" for seed in (0, 1))
    thread = kill_the_trainer(killed)
    assert main(["sweep", write(project, content), "--workers", "2"]) == 0
    thread.join()
    printed, error = capfd.readouterr()
    assert "Traceback" not in error and "distributed" not in error
    table = [line for line in printed.splitlines() if line.startswith("|")]
    assert len(table) == 6
    assert "NMSE ↓" in table[0] and "C2ST → 0.5" in table[0] and "gap closed" in table[0]
    cells = [[cell.strip() for cell in line.split("|")[1:7]] for line in table[2:]]
    assert [line[1:5] for line in cells[:2]] == [["3.0", "0", "done", "0"], ["3.0", "1", "done", "1"]]
    # beyond the other's interval; c2st has none
    assert [line[5] for line in cells[:2]] == ["**0.200 (0.20 to 0.20)**", "0.210 (0.21 to 0.21)"]
    assert printed.count("**0.") == 1
    # 12.706, Student's t, times half the difference of the two seeds
    assert cells[2] == ["mean of 2: lambda_cycle=3.0", "3.0", "", "", "", "0.205 (0.14 to 0.27)"]
    assert cells[3] == ["best baseline", "3.0", "", "", "", "Gaussian OT 0.505"]
    assert "Best epoch 0: training did not improve" in printed
    assert "index.html" in printed

    # the killed run was continued in training; what was whole was kept
    assert starts(killed) == 2
    last = killed / "checkpoints" / "cyclegan-last.ckpt"
    assert (killed / "trained.txt").read_text(encoding="utf-8").splitlines()[1] == f"resume={last}"
    assert starts(other) == 1
    for run in (killed, other):
        assert Record.load(run).done
        assert (run / "report.html").exists() and not (run / "05_benchmark.ipynb").exists()
    assert len(list(folder.glob("data-*"))) == 2, "each seed has recordings of its own"

    content = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    assert [run["status"] for run in content["runs"]] == ["done"] * 2
    assert [run["measures"]["nmse"] for run in content["runs"]] == [0.2, 0.21]
    assert "| **0.200 (0.20 to 0.20)** |" in (folder / "sweep.md").read_text(encoding="utf-8")
    with (folder / "sweep.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["seed"], line["nmse"], line["epoch"]) for line in lines] == [
        ("0", "0.2", "0"),
        ("1", "0.21", "1"),
    ]
    assert {"comparison.png", "comparison.svg"} <= {path.name for path in folder.iterdir()}
    page = (folder / "index.html").read_text(encoding="utf-8")
    # whole as it is, it is shown at once
    monkeypatch.setattr("cyclegan_lib.runs.sweep.executor", None)
    again = done(capfd, "sweep", project / "small.yml")
    assert [line for line in again.splitlines() if line.startswith("|")] == table
    assert 'href="lambda_cycle%3D3.0%2Cseed%3D0/report.html"' in page
    assert "Best epoch 0: " in page and "Gaussian OT 0.505" in page
    assert 'src="data:image/png;base64,' in page and "http" not in page.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_without_dask_a_process_pool_goes_on_where_a_process_was_killed(project, no_dask, capfd):
    content = {"parameters": {"pause": 3.0}, "grid": {"lambda_cycle": [1.0, 13.0]}}
    folder = project / "runs" / "small"
    thread = kill_the_trainer(folder / "lambda_cycle=1.0")
    # the other run fails, which does not stop this one
    assert main(["sweep", write(project, content), "--workers", "2"]) == 1
    thread.join()
    printed, error = capfd.readouterr()
    assert "1 of 2 runs failed (lambda_cycle=13.0); `cyclegan sweep " in error
    assert "Traceback" not in error
    assert "thirteen is an unlucky number" in printed
    assert Record.load(folder / "lambda_cycle=1.0").done
    assert starts(folder / "lambda_cycle=1.0") == 2
    assert len(list(folder.glob("data-*"))) == 1
    # both share their recordings and were begun at once: one after the other simulated
    steps = [Record.load(run).notebooks[0] for run in folder.glob("lambda_cycle=*")]
    first, second = sorted(steps, key=lambda step: step.started)
    assert first.finished <= second.started
    assert "failed" in next(line for line in printed.splitlines() if line.startswith("| lambda_cycle=13.0"))
    assert "thirteen" in (folder / "index.html").read_text(encoding="utf-8")

    # the same again: what is done is left alone, what failed is tried again
    before = starts(folder / "lambda_cycle=13.0")
    assert main(["sweep", write(project, content), "--workers", "1"]) == 1
    assert starts(folder / "lambda_cycle=1.0") == 2
    assert starts(folder / "lambda_cycle=13.0") == before + 1
    assert "failed" in capfd.readouterr().out

    # other parameters than it was made with
    content["parameters"]["max_epochs"] = 3
    sentence = refusal(capfd, "sweep", write(project, content))
    assert "was made with max_epochs = 40, and now 3 is asked for" in sentence


@pytest.mark.slow
def test_recordings_that_cannot_be_made_fail_their_runs_in_a_sentence(project, no_dask):
    (project / "a file").touch()  # where folders should be
    (project / "folder" / "calls.txt").mkdir(parents=True)  # and where a file should
    content = {"grid": {"data_dir": ["a file", "folder"]}}
    unmade, failed = sweep(write(project, content), workers=1, progress=False).runs
    assert (unmade.status, failed.status) == ("failed", "failed")
    assert "a file cannot be written" in unmade.failure
    assert "01_data_normalization.ipynb failed" in failed.failure


def test_a_task_whose_process_always_dies_is_given_up(no_dask):
    # eval: a function that a process has without importing anything
    with parallel.executor(1) as run_all:
        results = dict(run_all(eval, ["0", "__import__('os')._exit(1)", "4"]))
    assert (results[0], results[2]) == (0, 4)
    assert isinstance(results[1], Exception)


def test_two_sweeps_do_not_share_a_folder(project, no_dask):
    with locked(project / "runs" / "small"), pytest.raises(InputError, match="is working in"):
        sweep(write(project, GRID), progress=False)


def test_a_scheduler_without_workers_is_a_sentence(project, capsys):
    import distributed

    options = {"n_workers": 0, "dashboard_address": None, "scheduler_kwargs": {"dashboard_address": ":0"}}
    with distributed.LocalCluster(**options) as cluster:
        address = cluster.scheduler_address
        sentence = refusal(capsys, "sweep", write(project, GRID), "--scheduler", address)
    assert f"the Dask scheduler at {address} has no workers; start `dask worker" in sentence
    assert not (project / "runs").exists()
