"""Lakes: Parquet files in partitions, read wherever a feature set is."""

import csv

import numpy as np
import pyarrow.dataset
import pytest
from extracting import SETTINGS, write
from helpers import QUICK_OPTIONS, done, refusal
from lakes import assert_equal, files, lake_of

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, lake_extraction
from cyclegan_lib.features.extract import extract
from cyclegan_lib.features.feature_set import FeatureStream
from cyclegan_lib.runs.carry_out import Run
from cyclegan_lib.workspace import Parameter


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


def test_a_pattern_chooses_the_recordings(recordings, tmp_path, capsys):
    given = ["--device", "x", "--sample-rate", 8000, "--workers", 1, "--format", "parquet", "--output"]
    given.append(tmp_path / "lake")
    done(capsys, "extract", recordings / "0[0-2].wav", *given)
    assert FeatureSet.load(tmp_path / "lake").recording.tolist() == ["00", "01", "02"]
    assert "no*.wav matches no file" in refusal(capsys, "extract", recordings / "no*.wav", *given)


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
