"""Lakes: Parquet files in partitions, read as a feature set, and made part by part."""

import csv
import os
import shutil
import signal
import sys
import threading
import time
from multiprocessing import active_children

import numpy as np
import pandas as pd
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import sounds
from helpers import QUICK_OPTIONS, done, refusal
from lake import kill_and_go_on
from sounds import rng

from cyclegan_lib import parallel
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, lake_extraction
from cyclegan_lib.features.extract import extract
from cyclegan_lib.features.feature_set import FeatureStream
from cyclegan_lib.features.lake_extraction import extract_lake
from cyclegan_lib.runs.carry_out import Run
from cyclegan_lib.workspace import Parameter

SETTINGS = FeatureSettings(sample_rate=8000)


def write(path, seconds=10.0, seed=0):
    return sounds.write(path, 0.1 * rng(seed).standard_normal(round(seconds * 8000)), 8000)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Ten recordings, one short, one of two sequences, one damaged, two alike; labels of all."""
    folder = tmp_path_factory.mktemp("edge")
    for number in range(10):
        write(folder / f"{number:02d}.wav", {3: 5.0, 4: 21.0}.get(number, 10.0), seed=min(number, 8))
    (folder / "05.wav").write_bytes(b"RIFF, and nothing more")
    return folder


@pytest.fixture(scope="module")
def labels(recordings, tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    rows = [f"{number:02d}.wav,{('ball', 'normal')[number % 2]}" for number in range(10)]
    path.write_text("\n".join(["recording,fault", *rows]), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(lake_extraction, "PART_FILES", 3)


def lake_of(recordings, output, **options):
    return extract_lake(recordings, "cpc006", SETTINGS, output, progress=False, **{"workers": 1, **options})


def files(lake):
    """The parts of a lake: their bytes by their paths."""
    return {path.relative_to(lake).as_posix(): path.read_bytes() for path in sorted(lake.rglob("*.parquet"))}


def assert_equal(x, y):
    assert x.arrays().keys() == y.arrays().keys()
    for name, value in y.arrays().items():
        np.testing.assert_array_equal(x.arrays()[name], value, strict=True)


def test_a_lake_is_read_as_the_npz_of_the_same_recordings(recordings, labels, tmp_path):
    given = {"labels": labels}
    whole, of_npz = extract(recordings, "cpc006", SETTINGS, progress=False, on_damaged="skip", **given)
    report = lake_of(recordings, tmp_path / "lake", **given)
    assert_equal(FeatureSet.load(tmp_path / "lake"), whole)
    assert_equal(FeatureSet.load(tmp_path / "lake" / "device=cpc006"), whole)
    assert str(report) == str(of_npz)  # the copy is found, which lies in another part
    assert len(files(tmp_path / "lake")) == 4
    parts = list(FeatureStream(tmp_path / "lake").parts(4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert {part.recording.dtype for part in parts} == {whole.recording.dtype}
    with open(tmp_path / "lake/device=cpc006/_report.csv", newline="", encoding="utf-8") as file:
        rows = {row["recording"]: row for row in csv.DictReader(file)}
    assert len(rows) == 10 and rows["05"]["status"] == "damaged" and "05.wav" in rows["05"]["reason"]
    assert rows["09"]["remarks"] == "a copy of 08"


def test_others_read_it_as_one_table(recordings, labels, tmp_path):
    day = {name: f"2026-01-{3 + int(name) // 5:02d}" for name in (f"{n:02d}" for n in range(9))}
    rows = [f"{n:02d},x,{day.get(f'{n:02d}', '')}" for n in range(10)]
    (tmp_path / "l.csv").write_text("\n".join(["recording,fault,date", *rows]), encoding="utf-8")
    lake_of(recordings, tmp_path / "lake", labels=tmp_path / "l.csv")
    table = pyarrow.dataset.dataset(tmp_path / "lake", partitioning="hive").to_table().to_pandas()
    table = table.sort_values(["recording", "start_s"], ignore_index=True)
    x = FeatureSet.load(tmp_path / "lake")
    order = np.lexsort([x.start_s, x.recording])
    assert np.array_equal(np.stack(table.features).reshape(-1, 50, 40), x.features[order])
    assert table.recording.tolist() == x.recording[order].tolist() and set(table.label) == {"x"}
    assert set(table.device) == {"cpc006"} and table.seconds[0] == 10.0 and set(table.rate) == {8000}
    said = dict(zip(table.recording, table.date.fillna(""), strict=True))
    assert said == {**{n: d for n, d in day.items() if n != "05"}, "09": ""}
    assert table.slices.tolist() == x.lengths[order].tolist()


def test_dates_in_paths_are_found():
    names = ["2026-01-31/a", "x_20260131T0800", "12026-01-310", "2026-13-01", "20260230-7", "run 7"]
    found = lake_extraction._dates(names, None, None, None)
    assert list(found.values()) == ["2026-01-31", "2026-01-31", "", "", "2026-02-30", ""]


def test_more_recordings_than_are_wanted_are_drawn_and_said(recordings, tmp_path):
    lake_of(recordings, tmp_path / "lake")
    whole = FeatureSet.load(tmp_path / "lake")
    x, number = FeatureStream(tmp_path / "lake").drawn(4, seed=1)
    assert number == 9 and len(np.unique(x.recording)) == 4
    assert_equal(x, whole.select(np.isin(whole.recording, x.recording)))
    assert_equal(x, FeatureStream(tmp_path / "lake").drawn(4, seed=1)[0])
    assert set(FeatureStream(whole.save(tmp_path / "x.npz")).drawn(4, seed=1)[0].recording) == set(
        x.recording
    )
    assert set(FeatureStream(tmp_path / "lake").drawn(4, seed=2)[0].recording) != set(x.recording)


def test_commands_read_lakes_where_they_read_sets(recordings, labels, tmp_path, capsys, quick_start):
    other = tmp_path / "lab"
    for number in range(12):
        write(other / f"{number}.wav", seed=100 + number)
    lakes, sets = [], []
    for device, folder in (("a", recordings), ("b", other)):
        given = ["extract", folder, "--device", device, "--sample-rate", 8000, "--workers", 1]
        text = done(capsys, *given, "--output", f"{tmp_path}/lake/")
        lakes.append(tmp_path / "lake" / f"device={device}")
        assert f"feature set: {lakes[-1]}" in text
        sets.append(tmp_path / f"{device}.npz")
        FeatureSet.load(lakes[-1]).save(sets[-1])
    assert "holds 2 devices; give one of them, as" in refusal(
        capsys, "train", "--domain-a", tmp_path / "lake", "--domain-b", sets[1]
    )
    for name, (a, b) in {"of_sets": sets, "of_lakes": lakes}.items():
        given = [
            "train",
            "--domain-a",
            a,
            "--domain-b",
            b,
            "--checkpoint-dir",
            tmp_path / name,
            *QUICK_OPTIONS,
        ]
        text = done(capsys, *given, "--max-recordings", 10)
        assert "warning: b: 10 of 12 recordings were drawn; --max-recordings takes more" in text
    metrics = [(tmp_path / name / "metrics.csv").read_bytes() for name in ("of_sets", "of_lakes")]
    assert metrics[0] == metrics[1]
    done(
        capsys, "export", "--checkpoint", tmp_path / "of_lakes/best.ckpt", "--output-dir", tmp_path / "model"
    )
    for name, source in {"set": sets[0], "lake": lakes[0]}.items():
        given = ["translate", "--model", tmp_path / "model", "--direction", "AB", "--input", source]
        text = done(capsys, *given, "--output", tmp_path / f"of_{name}.npz")
    assert f"evaluate --source {lakes[0]} " in text
    assert (tmp_path / "of_set.npz").read_bytes() == (tmp_path / "of_lake.npz").read_bytes()
    given = ["evaluate", "--translated", tmp_path / "of_lake.npz", "--source"]
    shown = [done(capsys, *given, a, "--target", b).splitlines() for a, b in (sets, lakes)]
    assert shown[0][:-1] == shown[1][:-1] and f"--input {lakes[0]}" in shown[1][-1]  # what to do next
    assert "features of a: recordings 9;" in done(capsys, "inspect", lakes[0])


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


def test_a_pattern_chooses_the_recordings(recordings, tmp_path, capsys):
    given = ["--device", "x", "--sample-rate", 8000, "--workers", 1, "--format", "parquet", "--output"]
    given.append(tmp_path / "lake")
    done(capsys, "extract", recordings / "0[0-2].wav", *given)
    assert FeatureSet.load(tmp_path / "lake").recording.tolist() == ["00", "01", "02"]
    assert "no*.wav matches no file" in refusal(capsys, "extract", recordings / "no*.wav", *given)


def of_others(lake):
    pd.DataFrame({"x": [1.0]}).to_parquet(lake / "other.parquet")
    return "lake/device=cpc006/other.parquet is damaged, or no part of a lake"


def lying(lake):
    part = next(lake.glob("part-*"))
    table = pq.read_table(part)
    said = table.schema.metadata[b"cyclegan"].replace(b'"letters": 1', b'"letters": 1000000000')
    pq.write_table(table.replace_schema_metadata({"cyclegan": said}), part)
    return ".parquet is damaged, or no part of a lake"


def half_written(lake):
    (lake / "part-1.parquet").write_bytes(next(lake.glob("part-*")).read_bytes()[:-900])
    return "lake/device=cpc006/part-1.parquet is damaged, or no part of a lake"


def of_other_settings(lake):
    other = lake.parents[1] / "other"
    extract_lake(
        lake.parents[1] / "edge", "cpc006", SETTINGS.model_copy(update={"slices": 25}), other, workers=1
    )
    for part in other.rglob("part-*"):
        shutil.copy(part, lake)
    return "differ in their settings (sample_rate="


def damaged(lake):
    part = next(lake.glob("part-*"))
    content = bytearray(part.read_bytes())
    content[1000:3000] = bytes(2000)
    part.write_bytes(content)
    return ".parquet is damaged, or no part of a lake"


def empty(lake):
    shutil.rmtree(lake)
    lake.mkdir()
    return "holds no sequences of a lake"


@pytest.mark.parametrize("spoil", [of_others, lying, half_written, of_other_settings, damaged, empty])
def test_what_is_no_lake_is_refused_in_one_sentence(spoil, exported, tmp_path, capsys):
    for number in range(2):
        write(tmp_path / "edge" / f"{number}.wav", seed=number)
    lake_of(tmp_path / "edge", tmp_path / "lake")
    lake = tmp_path / "lake" / "device=cpc006"
    says, out = spoil(lake), tmp_path / "out.npz"
    given = ["translate", "--model", exported, "--direction", "AB", "--output", out, "--input"]
    assert says in refusal(capsys, *given, lake) and not out.exists()
    if spoil in (of_others, half_written, of_other_settings):
        before = files(lake)
        given = ["extract", tmp_path / "edge", "--device", "cpc006", "--sample-rate", 8000, "--workers", 1]
        assert says in refusal(capsys, *given, "--append", "--output", f"{tmp_path}/lake/")
        assert files(lake) == before


def test_what_cannot_be_asked_for_is_refused(recordings, tmp_path, monkeypatch, capsys):
    lake_of(recordings, tmp_path / "lake")
    given = ["extract", recordings, "--device", "cpc006", "--workers", 1, "--output"]
    for words, says in (
        ([tmp_path / "a.npz", "--append"], "a.npz is no lake"),
        ([f"{tmp_path}/lake/"], "was extracted with sample_rate 8000, and now 16000 is asked for"),
        (
            [f"{tmp_path}/lake/", "--sample-rate", 8000, "--split-every", 5],
            "with split_every None, and now 5",
        ),
        (["no://where/lake"], "no://where/lake cannot be read"),
    ):
        assert says in refusal(capsys, *given, *words)
    (tmp_path / "silent").mkdir()
    (tmp_path / "silent" / "a.wav").write_bytes(b"RIFF")
    given[1] = tmp_path / "silent"
    assert "_report.csv says why" in refusal(capsys, *given, f"{tmp_path}/other/")
    assert "damaged" in (tmp_path / "other/device=cpc006/_report.csv").read_text(encoding="utf-8")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "needs pyarrow; pip install" in refusal(capsys, *given, f"{tmp_path}/other/")


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


def test_notebooks_take_lakes_for_files(recordings, tmp_path):
    lake_of(recordings, tmp_path / "lake")
    parameter = Parameter("domain_a", "str", "", "file: feature set")
    parameter.check_exists(str(tmp_path / "lake"))
    parameter.check_exists("s3://plant/lake")
    with pytest.raises(InputError, match="is a folder, not a file"):
        parameter.check_exists(str(tmp_path))
    run = Run(tmp_path, (), {"domain_a": str(tmp_path / "lake")}, tmp_path, "", "")
    before = run.inputs()["domain_a"]
    next((tmp_path / "lake").rglob("part-*")).unlink()
    assert run.inputs()["domain_a"].sha256 != before.sha256
