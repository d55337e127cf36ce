"""What is no lake, or cannot be asked of one, is refused in one sentence."""

import shutil
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest
from extracting import SETTINGS, write
from helpers import refusal
from lakes import files, lake_of

from cyclegan_lib.features.lake_extraction import extract_lake


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
