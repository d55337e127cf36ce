"""Recordings that lakes are made of, in small parts."""

import pytest
from extracting import write

from cyclegan_lib.features import lake_extraction


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Ten recordings, one short, one of two sequences, one damaged, two alike; labels of all."""
    folder = tmp_path_factory.mktemp("edge")
    for number in range(10):
        write(folder / f"{number:02d}.wav", {3: 5.0, 4: 21.0}.get(number, 10.0), 8000, min(number, 8))
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
