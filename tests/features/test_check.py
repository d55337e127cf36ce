"""What should not go into training unnoticed."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers import QUICK_OPTIONS, done, make_set, refusal
from sounds import record, write

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.check import copies, outliers, overlapping, warnings
from cyclegan_lib.features.comparison import compare


def changed(change, at=(3,), n=24):
    """A set of which some recordings are another sound: `change` of their features (50, 40)."""
    sound = make_set("cpc006", n=n)
    features = sound.features.copy()
    for row in at:
        features[row] = change(features[row])
    return replace(sound, features=features)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda x: np.full_like(x, -100), "silent"),
        (lambda x: np.where(np.arange(50)[:, None] < 20, -100, x), "silent in 40% of its slices"),
        (lambda x: np.broadcast_to(x[:1], x.shape), "the same in every slice"),
        (lambda x: x + 60, "[56][0-9] dB from the others"),
        (lambda x: x - 50, "[45]. dB from the others"),
    ],
)
def test_what_is_no_recording_of_the_machine_is_named_with_its_reason(change, why):
    found = outliers(changed(change, at=(3, 7, 20)))
    assert list(found) == ["cpc006-003", "cpc006-007", "cpc006-020"]
    assert all(re.match(why, reason) for reason in found.values())


def test_classes_that_differ_and_a_few_recordings_are_nothing_odd():
    assert outliers(make_set("cpc006", n=24)) == {}
    assert outliers(changed(lambda x: x + 12, at=range(4))) == {}
    assert outliers(changed(lambda x: x + 60, n=4)) == {}


def test_copies_are_recordings_of_equal_features_within_and_across_sets():
    sound = make_set("cpc006", n=6)
    assert copies(sound) == [] and copies(sound, sound) == []
    twice = replace(sound, features=sound.features[[0, 1, 0, 3, 0, 1]])
    assert copies(twice) == [("cpc006-000", "cpc006-002", "cpc006-004"), ("cpc006-001", "cpc006-005")]
    renamed = replace(sound.select(np.s_[:1]), recording=np.array(["other"]))
    assert copies(sound, renamed) == [("cpc006-000", "other")]
    assert copies(changed(lambda x: np.full_like(x, -100), at=(1, 2), n=6)) == []
    # padding is no sound, and where a recording is cut is
    cut = replace(sound, slices=np.full(6, 30))
    padded = np.where(np.arange(50)[:, None] < 30, sound.features, 0)
    assert copies(cut, replace(cut, features=padded, recording=np.array(list("abcdef"))))[0] == (
        "cpc006-000",
        "a",
    )


def test_a_fair_pair_of_devices_has_nothing_against_it():
    a, b = make_set("cpc006", n=36), make_set("BATCH_UPLOAD", n=36, seed=1, shift=10)
    assert warnings(a, b) == [] and overlapping(a, b).all()
    said = str(compare(a, b))
    assert said.endswith("nothing speaks against it")
    assert re.search(r"^class ball +9 +9$", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda b: replace(b, device="cpc006"), "both are of the device cpc006"),
        (lambda b: replace(b, settings=FeatureSettings(sample_rate=8000)), "sample_rate 16000 and 8000"),
        (lambda b: replace(b, label=None), "BATCH_UPLOAD has no labels"),
        (lambda b: replace(b, label=np.full(36, "")), "BATCH_UPLOAD has no labels"),
        (lambda b: replace(b, label=np.char.upper(b.label)), "not of cpc006: the class 'BALL', 'INNER_RACE'"),
        (lambda b: replace(b, features=make_set("x", n=36).features), "the same sound is in both, 36 times"),
        (lambda b: replace(b, features=b.features - 50), "40 of 40 bands of cpc006 and BATCH_UPLOAD do not"),
        (lambda b: b.select(np.s_[:5]), "BATCH_UPLOAD: 5 recordings, and training needs 8"),
        (lambda b: b.select(np.s_[:20]), "BATCH_UPLOAD: 20 recordings; from fewer than 30"),
        (lambda b: b.select(np.arange(48) % 36), None),
        (
            lambda b: replace(b, features=b.features[np.maximum(np.arange(36) - 3, 0)]),
            "4 recordings are copies, and count once: 'BATCH_UPLOAD-000', 'BATCH_UPLOAD-001'",
        ),
        (
            lambda b: replace(b, features=np.where(np.arange(36)[:, None, None] == 2, -100, b.features)),
            "BATCH_UPLOAD: silent: 'BATCH_UPLOAD-002'",
        ),
    ],
)
def test_what_speaks_against_a_training_is_said(change, why):
    a, b = make_set("cpc006", n=36), change(make_set("BATCH_UPLOAD", n=36, seed=1, shift=10))
    found = warnings(a, b)
    assert any(why in line for line in found) if why else found == []
    assert all(f"- {line}" in str(compare(a, b)) for line in found)


def test_training_ends_with_them(domains, tmp_path, capsys):
    a, b = domains
    command = ("train", "--domain-a", a, "--domain-b", b, "--checkpoint-dir", tmp_path, *QUICK_OPTIONS)
    found = warnings(FeatureSet.load(a), FeatureSet.load(b))
    *_, last = lines = done(capsys, *command).splitlines()
    assert found and [f"warning: {line}" for line in found] == lines[-1 - len(found) : -1]
    assert last.startswith("next: cyclegan export ")


def test_the_command_compares_folders_and_sets(tmp_path, capsys):
    names = [f"{kind}/{i:02d}.wav" for kind in ("normal", "abnormal") for i in range(4)]
    record(*(tmp_path / "fan" / name for name in names))
    write(tmp_path / "fan" / "normal" / "08.wav", np.zeros((160_000, 2)))
    (tmp_path / "fan" / "broken.wav").write_text("no sound", encoding="utf-8")
    b = make_set("BATCH_UPLOAD", n=36).save(tmp_path / "b.npz")
    said = done(capsys, "check", tmp_path / "fan", b, "--label-from-folder", 1)
    for line in (
        r"fan: left out: 1 recording is damaged: broken",
        r"device +fan +BATCH_UPLOAD",
        r"recordings +9 +36",
        r"channels of files +1, 2 +unknown",
        r"class normal +5 +9",
        r"class abnormal +4 +0",
        r"- fan: silent: 'normal/08'",
        r"- of fan alone, not of BATCH_UPLOAD: the class 'abnormal'",
        r"- fan: a quarter to test on are 2 recordings; .* within ±0.71 at best",
    ):
        assert re.search(f"^{line}$", said, re.MULTILINE), line
    table = tmp_path / "labels.csv"
    table.write_text("recording,kind\n" + "".join(f"{name},{name[0]}\n" for name in names), encoding="utf-8")
    said = done(capsys, "check", tmp_path / "fan", b, "--labels", table, "--label-column", "kind")
    assert re.search(r"^class n +4 +0$", said, re.MULTILINE) and re.search(
        r"^no class +1 +0$", said, re.MULTILINE
    )
    assert "BATCH_UPLOAD: 8 rows of" in said
    assert "absent does not exist" in refusal(capsys, "check", tmp_path / "absent", b)
