"""A result for each sequence, and what is said of an input that is not like what the model was trained on."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import done, make_set, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator, export
from cyclegan_lib.export.judgement import COLUMNS
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.seen import Seen


@pytest.fixture
def test_set() -> FeatureSet:
    return make_set("cpc006", n=20, seed=9, shift=10)


def translate(translator: Translator, x: FeatureSet, folder: Path, **options) -> list[str]:
    """The warnings about a set without a device."""
    np.save(folder / "x.npy", x.features)
    judgement, _ = translator.translate_file(folder / "x.npy", folder / "o.npz", progress=False, **options)
    return judgement.warnings()


def test_the_report_has_a_row_for_each_sequence(exported, test_set, tmp_path, capsys):
    slices = np.where(np.arange(20) % 2, 50, 25)
    x = replace(test_set, slices=slices, start_s=np.arange(20) * 2.5)
    x.features[3] += 60
    x.features[np.arange(50) >= slices[:, None]] = 0
    x.save(tmp_path / "in.npz")
    report, out = tmp_path / "rows.csv", tmp_path / "out.npz"
    given = ["--direction", "AB", "--input", tmp_path / "in.npz", "--output", out, "--report", report]
    said = done(capsys, "translate", "--model", exported, *given)
    with report.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 20
    translator, translated = Translator.load(exported, "AB"), FeatureSet.load(out)
    novelty, apart = translator.seen.novelties(x.mean_spectra()), translator.disagreements(x)
    for i, row in enumerate(rows):
        assert (row["recording"], float(row["start_s"])) == (x.recording[i], x.start_s[i])
        assert int(row["slices"]) == slices[i]
        assert float(row["novelty"]) == pytest.approx(novelty[i], abs=1e-4)
        assert float(row["disagreement"]) == pytest.approx(apart[i], abs=1e-4)
        within = novelty[i] <= translator.seen.novelty and apart[i] <= translator.seen.disagreement
        assert row["accepted"] == str(within)
        for column, y in (("level_before", x), ("level_after", translated)):
            level = y.features[i, : slices[i]].mean()
            assert float(row[column]) == pytest.approx(level, abs=0.01)
    accepted = sum(row["accepted"] == "True" for row in rows)
    assert rows[3]["accepted"] == "False" and accepted > 5
    assert f"{accepted} of 20 sequences are within what was seen in training" in said


@pytest.mark.parametrize("by", [-60, 60])
def test_what_is_far_from_all_training_is_said_with_number_and_distance(by, exported, test_set, tmp_path):
    translator = Translator.load(exported, "AB")
    assert translate(translator, test_set, tmp_path) == []
    test_set.features[:7] += by
    (said,) = translate(translator, test_set, tmp_path)
    level = test_set.features[:7].mean()
    assert said.startswith("7 of 20 sequences lie far from all that the model was trained on")
    assert f"their mean level is {level:.0f} dB, in training it was {translator.seen.level:.0f} dB" in said


def test_recordings_of_the_target_are_noticed(exported, test_set, tmp_path):
    tilted = test_set.features + np.linspace(-8, 8, 40, dtype=np.float32)  # another device's shape
    other = replace(test_set, features=tilted)
    translator = replace(Translator.load(exported, "AB"), seen_target=Seen.of(other))
    assert translate(translator, test_set, tmp_path) == []
    said = translate(translator, other, tmp_path)[-1]
    assert said.startswith("the input is nearer to BATCH_UPLOAD, 1.0 deviations, than to cpc006, ")
    assert said.endswith("; the direction AB takes recordings of cpc006")
    back = replace(translator, seen=translator.seen_target, seen_target=translator.seen)
    assert translate(back, other, tmp_path) == []


@pytest.mark.parametrize("given, trained_on", [("mean", 1), (1, "mean"), (2, 1), ("DE_time", "FE_time")])
def test_another_channel_than_the_model_s_is_refused(given, trained_on, exported, test_set):
    model, one = Translator.load(exported, "AB"), make_set("cpc006").settings
    model = replace(model, settings=one.model_copy(update={"channel": trained_on}))
    for channel in (None, trained_on):  # None: not known
        model.translate_set(replace(test_set, settings=one.model_copy(update={"channel": channel})))
    with pytest.raises(InputError, match=f"is channel '{given}' of its recordings, but .* '{trained_on}'"):
        model.translate_set(replace(test_set, settings=one.model_copy(update={"channel": given})))


def test_a_model_of_before_says_that_it_does_not_know(trained, test_set, tmp_path):
    content = torch.load(trained[0].best, weights_only=True)
    del content["seen"]
    torch.save(content, tmp_path / "old.ckpt")
    export(tmp_path / "old.ckpt", tmp_path / "model")
    translator = Translator.load(tmp_path / "model", "AB")
    assert translator.seen is None
    loud = replace(test_set, features=test_set.features + 60)
    assert translate(translator, loud, tmp_path, report=tmp_path / "r.csv") == []
    rows = (tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 21 and ",,," in rows[1]


def test_a_checkpoint_knows_what_its_export_knows(trained, exported):
    of_checkpoint = Translator.of_checkpoint(trained[0].best, "BA")
    loaded = Translator.load(exported, "BA")
    assert of_checkpoint.seen == loaded.seen and of_checkpoint.seen_target == loaded.seen_target
    assert loaded.seen.disagreement > 0


@pytest.mark.parametrize(
    ("given", "trained_on", "says"),
    [
        ({"f_stop": 0.0}, {}, "extracted by an earlier version, which kept constant offsets and drift"),
        ({}, {"f_stop": 0.0}, "the model was trained on features of an earlier version"),
        ({"f_min": 50.0}, {}, "f_min 50.0, the model's 60.0"),
        ({"channel": 2}, {"channel": 1}, "the input is channel '2' .* trained on channel '1' of cpc006"),
        ({"channel": "right"}, {"channel": "left"}, "extract it again with --channel left"),
        ({"channel": 2}, {}, None),
        ({"channel": 1, "slices": 25, "scale": 9.0}, {"channel": 1}, None),
        ({}, {"channel": 1}, None),  # sets of before do not say
    ],
)
def test_sets_of_other_settings(given, trained_on, says, exported, run_script, tmp_path):
    """By the command and by the exported script."""
    settings = make_set("cpc006", **trained_on).settings
    translator = replace(Translator.load(exported, "AB"), settings=settings)
    x = make_set("cpc006", **given)
    if says is None:
        translator.check(x)
        return
    with pytest.raises(InputError, match=says) as refused:
        translator.check(x)
    assert "--sample-rate" not in str(refused.value)


def test_the_script_refuses_what_the_command_refuses(trained, tmp_path, run_script):
    content = torch.load(trained[0].best, weights_only=True)
    content["hyper_parameters"]["data"]["a"]["settings"]["channel"] = 1
    torch.save(content, tmp_path / "one.ckpt")
    model = tmp_path / "model"
    export(tmp_path / "one.ckpt", model, inference_script=True)
    source = tmp_path / "in.npz"
    for x, direction, says in (
        (make_set("BATCH_UPLOAD"), "AB", "was recorded by BATCH_UPLOAD, but AB translates cpc006"),
        (make_set("cpc006", channel=1), "BA", "was recorded by cpc006, but BA translates BATCH_UPLOAD"),
        (make_set("cpc006", sample_rate=8000, channel=1), "AB", "sample_rate 8000, the model with 16000"),
        (make_set("cpc006", f_stop=0.0, channel=1), "AB", "f_stop 0.0, the model with 10.0"),
        (make_set("cpc006", channel=2), "AB", "channel 2, the model with 1"),
        (make_set("cpc006", channel=1, scale=3.0, slices=9), "AB", None),
        (make_set("BATCH_UPLOAD", channel=2), "BA", None),
        (replace(make_set("phone"), settings=None), "AB", None),
    ):
        x.save(source)
        code, _, error = run_script(model, "--input", source, "--direction", direction)
        assert (code, error) == (0, "") if says is None else code == 2 and says in error, (says, error)
        if says is None:
            Translator.load(model, direction).check(x)
        else:
            with pytest.raises(InputError):
                Translator.load(model, direction).check(x)


def test_a_direction_that_is_none_is_explained_with_the_models_own_devices(trained, tmp_path, capsys):
    content = torch.load(trained[0].best, weights_only=True)
    content["hyper_parameters"] |= {"device_a": "phone", "device_b": "hifi"}
    torch.save(content, tmp_path / "other.ckpt")
    export(tmp_path / "other.ckpt", tmp_path / "model")
    given = ["--direction", "back", "--input", tmp_path / "x.npz", "--output", tmp_path / "o.npz"]
    said = refusal(capsys, "translate", "--model", tmp_path / "model", *given)
    assert "give AB (phone to hifi), BA" in said and "cpc006" not in said
