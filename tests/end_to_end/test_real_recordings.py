"""The whole path on real recordings: a motor heard by two accelerometers at once."""

import csv
import json

import numpy as np
import pytest
from helpers import CWRU

from cyclegan_lib.cli import main
from cyclegan_lib.features import FeatureSet

pytestmark = pytest.mark.skipif(
    not CWRU.is_dir(), reason="the real recordings are not there: ../shared/data/cwru beside the project"
)
PARTS = {
    "train_a": ("fan_end", 0),
    "train_b": ("drive_end", 1),
    "test_a": ("fan_end", 2),
    "test_b": ("drive_end", 2),
}


def dealt() -> list[list[str]]:
    """The recordings heard by both sensors, dealt in three by fault: one sensor, the other, test."""
    with (CWRU / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["sensors"] == "drive_end fan_end"]
    names = [row["recording"] for row in sorted(rows, key=lambda row: row["fault"])]
    return [names[share::3] for share in range(3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Feature sets of both sensors, a model trained on them, its export and a translation."""
    folder = tmp_path_factory.mktemp("cwru")
    for part, (sensor, share) in PARTS.items():
        (folder / "list.txt").write_text("\n".join(dealt()[share]))
        where = ["--recordings-list", str(folder / "list.txt"), "--labels", str(CWRU / "labels.csv")]
        command = ["extract", str(CWRU / sensor), "--device", sensor, "--sample-rate", "12000", *where]
        assert main([*command, "--output", str(folder / f"{part}.npz")]) == 0
    domains = ["--domain-a", str(folder / "train_a.npz"), "--domain-b", str(folder / "train_b.npz")]
    quick = ["--max-epochs", "12", "--steps-per-epoch", "10"]
    assert main(["train", *domains, "--checkpoint-dir", str(folder / "checkpoints"), *quick]) == 0
    best, model = str(folder / "checkpoints" / "best.ckpt"), str(folder / "model")
    assert main(["export", "--checkpoint", best, "--output-dir", model, "--no-discriminators"]) == 0
    given = ["--input", str(folder / "test_a.npz"), "--output", str(folder / "ab.npz")]
    assert main(["translate", "--model", model, "--direction", "AB", *given]) == 0
    return folder


def test_real_recordings_give_whole_sequences(folder):
    for part, (sensor, share) in PARTS.items():
        found = FeatureSet.load(folder / f"{part}.npz")
        assert found.device == sensor
        assert sorted(set(found.recording)) == sorted(dealt()[share])
        assert set(found.label) == {"ball", "inner_race", "outer_race"}
        assert found.settings.sample_rate == 12000


def test_training_never_saw_a_pair(folder):
    a, b, test = (
        set(FeatureSet.load(folder / f"{p}.npz").recording) for p in ("train_a", "train_b", "test_a")
    )
    assert not a & b and not a & test and not b & test


def test_the_translation_comes_nearer_to_the_truth(folder):
    given = {"source": "test_a", "translated": "ab", "target": "test_b", "paired": "test_b"}
    given |= {"labelled": "train_b", "fit-source": "train_a", "fit-target": "train_b"}
    options = [text for name, part in given.items() for text in (f"--{name}", str(folder / f"{part}.npz"))]
    assert main(["evaluate", *options, "--json", str(folder / "result.json")]) == 0
    rows = {row["name"]: row for row in json.loads((folder / "result.json").read_text())["rows"]}
    assert rows["CycleGAN"]["nmse"] < rows["identity"]["nmse"]
    assert rows["CycleGAN"]["sliced_wasserstein"] < rows["identity"]["sliced_wasserstein"]
    assert all(np.isfinite(row["nmse"]) for row in rows.values())


def test_a_rate_above_the_recordings_own_is_refused(tmp_path, capsys):
    output = tmp_path / "a.npz"
    assert main(["extract", str(CWRU / "fan_end"), "--device", "fan_end", "--output", str(output)]) == 2
    assert "--sample-rate 12000" in capsys.readouterr().err
    assert not output.exists()
