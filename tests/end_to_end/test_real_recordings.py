"""The whole path on real recordings: a motor heard by two accelerometers at once."""

import csv
import json

import numpy as np
import pytest
from helpers import CWRU, refusal, succeed

from cyclegan_lib.features import FeatureSet

pytestmark = pytest.mark.skipif(
    not CWRU.is_dir(), reason="the real recordings are not there: ../shared/data/cwru beside the project"
)
PARTS = {"train_a": ("fan_end", 0), "train_b": ("drive_end", 1)}
PARTS |= {"test_a": ("fan_end", 2), "test_b": ("drive_end", 2)}


def dealt() -> list[list[str]]:
    """The recordings heard by both sensors, dealt in three by fault: one sensor, the other, test."""
    with (CWRU / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["sensors"] == "drive_end fan_end"]
    names = [row["recording"] for row in sorted(rows, key=lambda row: row["fault"])]
    return [names[share::3] for share in range(3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Feature sets of both sensors, a model trained on them, its export and a translation."""
    folder = tmp_path_factory.mktemp("cwru")
    for part, (sensor, share) in PARTS.items():
        (folder / "list.txt").write_text("\n".join(dealt()[share]), encoding="utf-8")
        where = ["--recordings-list", folder / "list.txt", "--labels", CWRU / "labels.csv"]
        given = ["--device", sensor, "--sample-rate", 12000, *where, "--output", folder / f"{part}.npz"]
        succeed("extract", CWRU / sensor, *given)
    checkpoints, model = folder / "checkpoints", folder / "model"
    domains = ["--domain-a", folder / "train_a.npz", "--domain-b", folder / "train_b.npz"]
    quick = ["--max-epochs", 4, "--steps-per-epoch", 10]
    succeed("train", *domains, "--checkpoint-dir", checkpoints, *quick)
    best = checkpoints / "best.ckpt"
    succeed("export", "--checkpoint", best, "--output-dir", model, "--no-discriminators")
    given = ["--input", folder / "test_a.npz", "--output", folder / "ab.npz"]
    succeed("translate", "--model", model, "--direction", "AB", *given)
    return folder


@pytest.mark.slow
def test_real_recordings_give_whole_sequences(folder):
    for part, (sensor, share) in PARTS.items():
        features = FeatureSet.load(folder / f"{part}.npz")
        assert features.device == sensor and features.settings.sample_rate == 12000
        assert sorted(set(features.recording)) == sorted(dealt()[share])
        assert set(features.label) == {"ball", "inner_race", "outer_race"}


@pytest.mark.slow
def test_training_never_saw_a_pair(folder):
    heard = [set(FeatureSet.load(folder / f"{part}.npz").recording) for part in list(PARTS)[:3]]
    assert len(set.union(*heard)) == sum(map(len, heard))


@pytest.mark.slow
def test_the_translation_comes_nearer_to_the_truth(folder):
    given = {"source": "test_a", "translated": "ab", "target": "test_b", "paired": "test_b"}
    given |= {"labelled": "train_b", "fit-source": "train_a", "fit-target": "train_b"}
    options = [word for name, part in given.items() for word in (f"--{name}", folder / f"{part}.npz")]
    succeed("evaluate", *options, "--json", folder / "result.json")
    rows = {
        row["name"]: row for row in json.loads((folder / "result.json").read_text(encoding="utf-8"))["rows"]
    }
    assert rows["CycleGAN"]["nmse"] < rows["identity"]["nmse"]
    assert rows["CycleGAN"]["sliced_wasserstein"] < rows["identity"]["sliced_wasserstein"]
    assert all(np.isfinite(row["nmse"]) for name, row in rows.items() if not name.startswith("own labels"))


def test_a_rate_above_the_recordings_own_is_refused(tmp_path, capsys):
    output = tmp_path / "a.npz"
    given = ("--device", "fan_end", "--output", output)
    assert "--sample-rate 12000" in refusal(capsys, "extract", CWRU / "fan_end", *given)
    assert not output.exists()
