"""The classifier for device A: how it answers, what it keeps, and what it refuses."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator
from cyclegan_lib.export.manifest import config_sha256
from cyclegan_lib.faults import FaultClassifier
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.faults.ways import AUGMENTED, VOTE, probabilities, versions
from cyclegan_lib.features import FeatureSet


@pytest.fixture(scope="module")
def asked() -> FeatureSet:
    return make_set("cpc006", n=20, seed=5, shift=10)


@pytest.fixture(scope="module")
def labelled() -> FeatureSet:
    return make_set("BATCH_UPLOAD", n=16, seed=6)


@pytest.fixture(scope="module")
def fitted(labelled, exported) -> FaultClassifier:
    return FaultClassifier(seed=3).fit(labelled, exported)


@pytest.fixture
def saved(fitted, tmp_path):
    return fitted.save(tmp_path / "classifier.npz")


@pytest.mark.parametrize("way", [AUGMENTED, VOTE])
def test_it_answers_as_scikit_learn_does_with_both_kinds(way, labelled, asked, exported):
    there, back = (Translator.load(exported, direction) for direction in ("AB", "BA"))
    trained_on = versions(labelled, back.translate_set, there.translated, seed=3)
    asked_of = {"A": asked, "AB": there.translate_set(asked)}
    classes, by_way = probabilities(trained_on, asked_of, seed=3)
    predictions = FaultClassifier(way, seed=3).fit(labelled, exported).predict(asked)
    assert predictions.classes == classes
    np.testing.assert_allclose(predictions.probabilities, np.mean([*by_way[way].values()], axis=0), atol=1e-9)
    assert predictions.fault[0] == classes[predictions.probabilities[0].argmax()]


def test_saved_and_loaded_it_says_the_same(fitted, saved, asked, exported):
    loaded = FaultClassifier.load(saved, exported)
    before, after = fitted.predict(asked), loaded.predict(asked)
    np.testing.assert_array_equal(before.probabilities, after.probabilities)
    assert loaded.about == fitted.about and loaded.recordings == fitted.recordings == dict.fromkeys(
        ("ball", "inner_race", "normal", "outer_race"), 4
    )
    assert loaded.expected_accuracy(after) == fitted.expected_accuracy(before)
    assert sum(loaded.estimated_shares(after).values()) == pytest.approx(1)
    with np.load(saved, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "Uif" for name in arrays.files)


def test_a_recording_is_the_mean_of_its_sequences(fitted, asked):
    twice = replace(asked, recording=np.repeat([f"r{i}" for i in range(10)], 2))
    each, whole = fitted.predict(twice), fitted.predict(twice).of_recordings()
    assert list(whole.recording) == [f"r{i}" for i in range(10)]
    assert whole.probabilities[3] == pytest.approx(each.probabilities[6:8].mean(axis=0))
    assert sum(whole.counts().values()) == 10


def test_two_classes_and_few_of_one(labelled, exported, asked):
    two = replace(labelled, label=np.where(np.arange(16) < 13, "good", "worn"))
    classifier = FaultClassifier("reverse").fit(two, exported)
    known = FaultModels(0).fit(Translator.load(exported, "BA").translate_set(two)).probabilities(asked)
    wanted = np.mean([*known.values()], axis=0)
    np.testing.assert_allclose(classifier.predict(asked).probabilities, wanted, atol=1e-9)
    (said,) = classifier.warnings()
    assert "'worn' 3" in said and "good" not in said


def test_another_model_or_device_is_refused(fitted, saved, asked, labelled, exported, tmp_path):
    other = shutil.copytree(exported, tmp_path / "other")
    config = other / "model_config.json"
    values = json.loads(config.read_text(encoding="utf-8"))
    values["evaluation"] = {"AB": "a table"}
    config.write_text(json.dumps({**values, "config_sha256": config_sha256(values)}), encoding="utf-8")
    FaultClassifier.load(saved, other)  # what was measured of a model does not change it
    swap = ("generator_AB.pth", "generator_BA.pth")
    for name, of in zip(swap, reversed(swap), strict=True):
        shutil.copy(exported / of, other / name)
        values["sha256"][name] = json.loads((exported / "model_config.json").read_text(encoding="utf-8"))[
            "sha256"
        ][of]
    config.write_text(json.dumps({**values, "config_sha256": config_sha256(values)}), encoding="utf-8")
    with pytest.raises(InputError, match="was trained with another model than"):
        FaultClassifier.load(saved, other)
    with pytest.raises(InputError, match="recorded by BATCH_UPLOAD"):
        fitted.predict(labelled)
    with pytest.raises(InputError, match="labelled ones of BATCH_UPLOAD"):
        FaultClassifier().fit(asked, exported)
    with pytest.raises(InputError, match="give one of forward, there and back, reverse, augmented, vote"):
        FaultClassifier("backwards")


def altered(path, **changes):
    with np.load(path) as arrays:
        np.savez(path, **{name: changes.get(name, lambda x: x)(arrays[name]) for name in arrays.files})


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("left_0", lambda x: np.where(x > 0, 0, x), "no ends"),
        ("feature_0", lambda x: x + 80, "features that there are not"),
        ("value_0", lambda x: x[:, :2], "'value' is not numbers of shape"),
        ("threshold_0", lambda x: x * np.nan, "NaN"),
        ("roots_0", lambda x: x[:0], "no roots"),
        ("weight_0", lambda x: x.astype(complex), "'weight'"),
        ("label", lambda x: x + 9, "held-out answers"),
        ("about", lambda x: np.str_("[]"), "does not say what it was trained on"),
        ("about", lambda x: np.str_(str(x).replace('"format": 1', '"format": 2')), "newer version"),
        ("about", lambda x: np.str_(str(x).replace('"augmented"', '"forward "')), "give one of forward"),
        ("held_out", lambda x: np.array([{}]), "pickled"),
    ],
)
def test_a_damaged_file_is_one_sentence(name, change, says, saved, exported):
    altered(saved, **{name: change})
    with pytest.raises(InputError, match=says) as error:
        FaultClassifier.load(saved, exported)
    assert str(saved) in str(error.value)
