"""Own labels, every way of use, and what is said without labels of the source."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import ROWS, make_set

from cyclegan_lib.evaluation import evaluate
from cyclegan_lib.evaluation.baselines import MeanShift
from cyclegan_lib.evaluation.intervals import wilson
from cyclegan_lib.evaluation.measures import measured
from cyclegan_lib.export import Translator
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.faults.ways import ALL_WAYS, RECOMMENDED
from cyclegan_lib.features import FeatureSet

UNTRAINED = "CycleGAN, untrained"


@pytest.fixture(scope="module")
def given(exported, domains):
    """All that a notebook gives; each class has bands of its own."""

    def heard(feature_set):
        bands = (
            np.arange(40) // 10
            == np.array([sorted(set(feature_set.label)).index(x) for x in feature_set.label])[:, None]
        )
        return replace(feature_set, features=feature_set.features + 3 * bands[:, None].astype(np.float32))

    train_a, train_b = (heard(FeatureSet.load(path)) for path in domains)
    source, target = (
        heard(make_set("cpc006", n=16, seed=5, shift=10)),
        heard(make_set("BATCH_UPLOAD", n=16, seed=6)),
    )
    translated = Translator.load(exported, "AB").translate_set(source)
    sets = {"source": source, "translated": translated, "target": target, "labelled": train_b}
    return sets | {"fit_source": train_a, "fit_target": train_b, "model": exported}


@pytest.fixture(scope="module")
def result(given):
    return evaluate(**given)


def accuracies(row):
    return {"forest": row.accuracy_forest, "logistic": row.accuracy_logistic}


def test_rows_of_own_labels_and_of_the_untrained(result, given, exported):
    assert [row.name for row in result.rows] == [*ROWS[:-1], UNTRAINED, ROWS[-1]]
    own = result.row("own labels of cpc006")
    assert accuracies(own) == FaultModels().fit(given["fit_source"]).accuracy(given["source"])
    assert own.sliced_wasserstein is own.nmse is None and not own.baseline
    ceiling = max(own.accuracy_logistic, result.null.accuracy_logistic)
    ours, nothing = result.row("CycleGAN").accuracy_logistic, result.row("identity").accuracy_logistic
    assert result.row("CycleGAN").recovery_logistic == pytest.approx((ours - nothing) / (ceiling - nothing))
    translator = Translator.load(exported, "AB")
    translator.generator.strength = 0.0
    start = translator.translate_set(given["source"])
    assert accuracies(result.row(UNTRAINED)) == FaultModels().fit(given["labelled"]).accuracy(start)
    assert result.row(UNTRAINED).sliced_wasserstein != result.row("CycleGAN").sliced_wasserstein


def test_every_way_of_the_cyclegan_and_of_linear_maps(result, given, exported):
    names = ["mean shift", "per-feature affine", "CycleGAN"]
    assert [(row.name, row.way) for row in result.ways] == [(n, way) for n in names for way in ALL_WAYS]
    source, labelled = given["source"], given["labelled"]
    there, back = (Translator.load(exported, way).translate_set for way in ("AB", "BA"))
    expected = {
        "forward": FaultModels().fit(labelled).accuracy(there(source)),
        "there and back": FaultModels().fit(there(back(labelled))).accuracy(there(source)),
        "reverse": FaultModels().fit(back(labelled)).accuracy(source),
    }
    assert {row.way: accuracies(row) for row in result.ways[10:13]} == expected
    reverse = MeanShift().fit(given["fit_target"].features, given["fit_source"].features)
    heard = labelled.with_features(reverse.transform(labelled.features), "cpc006")
    assert accuracies(result.ways[2]) == FaultModels().fit(heard).accuracy(source)
    row = result.ways[-1]
    assert row.interval["accuracy_forest"] == wilson(row.accuracy_forest, 16)
    once = replace(result.ways[0], accuracy_forest=0.5, accuracy_logistic=0.5)
    same = replace(result, ways=[replace(once, way=way) for way in ALL_WAYS]).table()
    assert same.count("| mean shift, every way") == same.count("| mean shift, ") == 1
    assert "| mean shift, augmented" in result.table() and "| mean shift, every other way" in result.table()
    assert "| CycleGAN, augmented" in result.table() and f"Recommended: {RECOMMENDED}." in result.table()
    assert f"fault accuracy in the recommended way ({RECOMMENDED}), forest" in result.headline


def test_a_run_is_compared_by_the_accuracies_of_its_headline(result, tmp_path):
    result.save(tmp_path / "metrics.json")
    found, used = measured(tmp_path), {row.name: row for row in result.ways if row.way == RECOMMENDED}
    ours = used["CycleGAN"]
    best = max((used[name].accuracy_forest, name) for name in ("mean shift", "per-feature affine"))
    assert found.translated["augmented_forest"] == ours.accuracy_forest
    assert found.interval["augmented_logistic"] == ours.interval["accuracy_logistic"]
    assert found.baseline["augmented_forest"][1] == best[0]
    assert "accuracy_forest" not in found.translated and "accuracy_forest" not in found.baseline
    replace(result, ways=[]).save(tmp_path / "metrics.json")  # no model was given: forward
    found = measured(tmp_path).translated
    assert "augmented_forest" not in found
    assert found["accuracy_forest"] == result.row("CycleGAN").accuracy_forest


def test_without_labels_of_the_source_there_is_what_to_expect(result, given):
    sets = {name: replace(given[name], label=None) for name in ("source", "translated")}
    blind = evaluate(**given | sets)
    assert blind.ways == [] and blind.row("CycleGAN").accuracy_forest is None
    assert blind.expected == result.expected and blind.shares == result.shares
    for model in ("forest", "logistic"):
        found = blind.expected[model]
        assert 0 <= found["low"] <= found["mean"] <= found["high"] <= 1
    assert list(blind.shares) == given["labelled"].classes
    for device in ("source", "target"):
        assert sum(share[device] for share in blind.shares.values()) == pytest.approx(1)
    assert all(share["target"] == 0.25 for share in blind.shares.values())
    found = blind.expected["logistic"]
    said = f"{found['mean']:.2f} ({found['low']:.2f} to {found['high']:.2f}) by logistic regression."
    assert said in blind.table() and blind.said[-2].endswith(said)
    assert blind.said[-1].startswith("Class shares of cpc006, estimated without its labels")


def test_own_labels_of_other_classes_are_no_ceiling(given):
    fit_source = given["fit_source"].select(given["fit_source"].label != "ball")
    some = evaluate(**given | {"fit_source": fit_source, "model": None})
    assert "No row of own labels of cpc006: the set to fit the source on lacks ['ball']." in some.table()
    assert [row.name for row in some.rows] == [ROWS[0], *ROWS[2:]]
    assert some.ways == [] and some.expected == {} and some.epoch is None


def test_each_device_may_be_a_channel_of_its_own(given, result, monkeypatch):
    """What was translated there and is translated back keeps the channel that it was recorded by."""
    channels, load = {"A": 1, "B": 2}, Translator.load

    def loaded(folder, direction, distilled=False):
        translator = load(folder, direction, distilled)
        settings = translator.settings.model_copy(update={"channel": channels[direction[0]]})
        return replace(translator, settings=settings)

    def recorded(name, domain):
        feature_set = given[name]
        settings = feature_set.settings.model_copy(update={"channel": channels[domain]})
        return replace(feature_set, settings=settings)

    monkeypatch.setattr(Translator, "load", loaded)
    sets = {name: recorded(name, "A") for name in ("source", "translated", "fit_source")}
    sets |= {name: recorded(name, "B") for name in ("target", "labelled", "fit_target")}
    assert evaluate(**given | sets).ways == result.ways
