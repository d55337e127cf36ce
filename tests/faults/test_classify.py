"""`cyclegan classify`: from labelled recordings of B and sound of A to a table of faults."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from helpers import done, make_set, refusal
from sounds import record

from cyclegan_lib.cli import main
from cyclegan_lib.export import Translator
from cyclegan_lib.faults import FaultClassifier
from cyclegan_lib.features import FeatureSet


def rows_of(path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def kept(domains, exported, tmp_path_factory):
    """A classifier of the test domains, in a file."""
    labelled = FeatureSet.load(domains[1])
    return FaultClassifier().fit(labelled, exported).save(tmp_path_factory.mktemp("kept") / "c.npz")


def test_train_save_and_load_write_the_same_table(domains, exported, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("cyclegan_lib.export.inputs.PART_BYTES", 1)
    asked = make_set("cpc006", n=300, seed=7, shift=10)  # of more than one part
    asked = replace(asked, recording=np.array([f"r{i // 3}" for i in range(300)]), label=None)
    given = ["classify", "--model", exported, "--input", asked.save(tmp_path / "a.npz")]
    first, again, saved = tmp_path / "p.csv", tmp_path / "q.csv", tmp_path / "c.npz"
    text = done(capsys, *given, "--train", domains[1], "--output", first, "--save", saved)
    assert "300 sequences of 100 recordings of cpc006 (ball " in text and " sequences accepted" in text
    assert "trained on 12 recordings of BATCH_UPLOAD (ball 3, inner_race 3, normal 3, outer_race 3)" in text
    assert "shares of the classes, estimated (those of the training): ball 0." in text
    assert "expected accuracy 0." in text
    assert done(capsys, *given, "--load", saved, "--output", again).replace("q.csv", "p.csv") == text
    assert first.read_bytes() == again.read_bytes()
    rows = rows_of(first)
    predictions = FaultClassifier.load(saved, exported).predict(asked)
    assert [row["fault"] for row in rows] == list(predictions.fault)
    assert float(rows[299]["probability"]) == pytest.approx(predictions.probability[299], abs=1e-4)
    of_recording = {row["recording"]: row["recording_fault"] for row in rows}
    whole = predictions.of_recordings()
    assert of_recording == dict(zip(whole.recording, whole.fault, strict=True))
    report = tmp_path / "r.csv"
    Translator.load(exported, "AB").translate_file(
        tmp_path / "a.npz", tmp_path / "o.npz", progress=False, report=report
    )
    for name in ("recording", "start_s", "disagreement", "novelty", "accepted"):
        assert [row[name] for row in rows] == [row[name] for row in rows_of(report)]


def test_a_folder_of_recordings_and_what_is_unlike_the_training(exported, kept, tmp_path, capsys):
    record(tmp_path / "edge" / "x.wav", tmp_path / "edge" / "y.wav")
    out = tmp_path / "p.csv"
    given = ["--model", exported, "--load", kept, "--input", tmp_path / "edge", "--output", out]
    done(capsys, "classify", *given, "--workers", 1)
    assert {row["recording"] for row in rows_of(out)} == {"x", "y"}
    assert (tmp_path / "p.csv.report.csv").exists()


def test_recordings_are_not_overwritten(exported, kept, tmp_path, capsys):
    recording = tmp_path / "edge" / "y.csv"
    recording.parent.mkdir()
    recording.write_text(
        "\n".join(map(str, np.random.default_rng(0).normal(size=32_000).round(3))), encoding="utf-8"
    )
    before = recording.read_bytes()
    given = ["--model", exported, "--load", kept, "--input", recording.parent, "--output", recording]
    assert "y.csv" in refusal(capsys, "classify", *given, "--sample-rate-of-files", 16000)
    assert recording.read_bytes() == before and list(recording.parent.iterdir()) == [recording]


def test_few_accepted_is_said(exported, kept, tmp_path, capfd):
    loud = make_set("cpc006", n=6, seed=7, shift=90).save(tmp_path / "a.npz")
    given = ["--model", exported, "--load", kept, "--input", loud, "--output", tmp_path / "p.csv"]
    assert main(["classify", *map(str, given)]) == 0
    error = capfd.readouterr().err
    assert "warning: only 0 of 6 sequences are accepted" in error
    assert "fewer than 5 labelled recordings of the class 'ball' 3" in error


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--output OUT", "give either --train"),
        ("--output OUT --train B --load KEPT", "give either --train"),
        ("--output OUT --load KEPT --way vote", "leave out --way"),
        ("--output OUT --train B --way backwards", "give one of forward"),
        ("--output B --train B", "must end in .csv"),
        ("--output OUT --train B --save a.txt", "must end in .npz"),
        ("--output OUT --train B --save B", "B.npz"),
        ("--output OUT --train A", "labelled ones of BATCH_UPLOAD, give these"),
        ("--output OUT --train NONE", "has no labels"),
        ("--output OUT --train ONE", "only the class 'normal'; a classifier needs at least 2"),
        ("--output OUT --load A", "lacks the array 'about'"),
        ("--output OUT --load KEPT --input B", "recorded by BATCH_UPLOAD"),
        ("--output OUT --load KEPT --channel 2", "leave out --channel"),
    ],
)
def test_refusals_leave_nothing(options, says, domains, exported, kept, tmp_path, capsys):
    a, b = (FeatureSet.load(path) for path in domains)
    paths = {"A": domains[0], "KEPT": kept, "OUT": tmp_path / "p.csv", "B": b.save(tmp_path / "B.npz")}
    paths["NONE"] = replace(b, label=None).save(tmp_path / "none.npz")
    paths["ONE"] = replace(b, label=np.full(len(b), "normal")).save(tmp_path / "one.npz")
    before = sorted(tmp_path.iterdir())
    given = [paths.get(word, word) for word in options.split()]
    if "--input" not in given:
        given += ["--input", a.save(tmp_path / "in.npz")]
        before = sorted(tmp_path.iterdir())
    assert says in refusal(capsys, "classify", "--model", exported, *given)
    assert sorted(tmp_path.iterdir()) == before
