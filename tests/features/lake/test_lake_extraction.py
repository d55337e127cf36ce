"""Lakes are made part by part, exactly once, whoever is killed."""

import os
import signal
import threading
import time
from multiprocessing import active_children

import pytest
from extracting import write
from helpers import done, refusal
from lake import kill_and_go_on
from lakes import files, lake_of

from cyclegan_lib import parallel
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, lake_extraction


def test_processes_that_are_killed_cost_nothing(recordings, tmp_path):
    lake_of(recordings, tmp_path / "whole")
    killed = []

    def kill() -> None:
        patience = time.monotonic() + 300
        while not killed and time.monotonic() < patience:
            killed.extend(active_children())
            time.sleep(0.1)
        for process in killed:
            process.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    lake_of(recordings, tmp_path / "lake", workers=2)
    thread.join()
    assert killed and all(process.exitcode for process in killed)
    assert files(tmp_path / "lake") == files(tmp_path / "whole")


@pytest.mark.slow
def test_the_same_command_goes_on_where_it_was_killed(tmp_path):
    outcome = kill_and_go_on(tmp_path, kills=2, seed=1, recordings=60)
    assert outcome.broken == [] and outcome.kills == 2 and outcome.of_command and outcome.parts == 15


def test_only_what_is_missing_is_made(recordings, tmp_path, monkeypatch):
    lake = tmp_path / "lake"
    lake_of(recordings, lake)
    before = files(lake)
    gone = lake / next(iter(before))
    gone.unlink()
    left = gone.with_name(f".{gone.stem}.{2**22 + 1}.part.parquet")  # of a process that was killed
    left.write_bytes(b"half")
    made = []
    monkeypatch.setattr(
        lake_extraction, "make", lambda task, make=lake_extraction.make: made.append(make(task))
    )
    lake_of(recordings, lake)
    assert len(made) == 1 and files(lake) == before and not left.exists()


def test_new_recordings_are_added_without_reading_the_old_ones(recordings, tmp_path, capsys):
    source, lake = tmp_path / "edge", tmp_path / "lake"
    for number in range(5):
        write(source / f"{number}.wav", seed=number)
    given = [
        "extract",
        source,
        "--device",
        "x",
        "--sample-rate",
        8000,
        "--workers",
        1,
        "--output",
        f"{lake}/",
    ]
    done(capsys, *given)
    before = files(lake)
    for number in range(5):
        (source / f"{number}.wav").write_bytes(b"not read")
    write(source / "10.wav", seed=10)
    write(source / "2026-02-01" / "11.wav", seed=11)
    assert "--append adds those that are new" in refusal(capsys, *given)
    assert "7 sequences from 7 recordings" in done(capsys, *given, "--append")
    after = files(lake)
    assert before.items() <= after.items() and len(after) == len(before) + 2
    assert "7 sequences from 7 recordings" in done(capsys, *given, "--append") and files(lake) == after
    names = FeatureSet.load(lake).recording.tolist()
    assert sorted(names) == ["0", "1", "10", "2", "2026-02-01/11", "3", "4"]
    assert any("date=2026-02-01" in path for path in after)


def test_a_part_whose_process_dies_again_and_again_is_said_and_the_others_are_made(recordings, tmp_path):
    def ended(function, tasks, *_):
        for index, task in enumerate(tasks):
            yield index, RuntimeError() if index == 1 else function(task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake_extraction, "as_they_end", ended)
        with pytest.raises(
            InputError, match="1 part of 4 could not be made, .*; the same command tries them"
        ):
            lake_of(recordings, tmp_path / "lake")
    assert len(files(tmp_path / "lake")) == 3
    lake_of(recordings, tmp_path / "lake")
    assert len(files(tmp_path / "lake")) == 4


def test_workers_of_a_scheduler_make_the_same_lake(recordings, tmp_path, monkeypatch):
    import distributed

    lake_of(recordings, tmp_path / "whole")
    monkeypatch.setattr(parallel, "AHEAD", 1)
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options, scheduler_kwargs={"dashboard_address": ":0"}) as cluster:
        lake_of(recordings, tmp_path / "lake", scheduler=cluster.scheduler_address)
        monkeypatch.setattr(parallel, "LIBRARY", "no-such-package")
        with pytest.raises(InputError, match="workers .* lack this version of no-such-package; install it"):
            lake_of(recordings, tmp_path / "other", scheduler=cluster.scheduler_address)
    assert files(tmp_path / "lake") == files(tmp_path / "whole")
    monkeypatch.setattr(parallel, "CONNECT_S", 1)
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        lake_of(recordings, tmp_path / "third", scheduler="tcp://127.0.0.1:1")


@pytest.mark.slow
def test_workers_of_a_scheduler_that_are_killed_cost_nothing(recordings, tmp_path, monkeypatch):
    import distributed

    monkeypatch.setattr(lake_extraction, "PART_FILES", 1)
    lake_of(recordings, tmp_path / "whole")
    options = {"n_workers": 2, "threads_per_worker": 1, "scheduler_kwargs": {"dashboard_address": ":0"}}
    with distributed.LocalCluster(**options, dashboard_address=None) as cluster:
        before = [nanny.pid for nanny in cluster.workers.values()]

        def kill() -> None:
            while not files(tmp_path / "lake"):
                time.sleep(0.01)
            for pid in before:
                os.kill(pid, signal.SIGKILL)

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        lake_of(recordings, tmp_path / "lake", scheduler=cluster.scheduler_address)
        thread.join()
        assert set(before).isdisjoint(nanny.pid for nanny in cluster.workers.values())
    made = files(tmp_path / "lake")
    lake_of(recordings, tmp_path / "lake")  # removes what a worker left under a temporary name
    assert {path: made[path] for path in files(tmp_path / "lake")} == files(tmp_path / "lake")
    assert files(tmp_path / "lake") == files(tmp_path / "whole")
