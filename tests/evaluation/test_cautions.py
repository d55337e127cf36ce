"""What an evaluation says of sets that tell less than its numbers seem to, and which it refuses."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import done, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation import evaluate
from cyclegan_lib.export import Translator
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.fingerprints import fingerprint, recognised, remembered

TRAINED = "Trained on these recordings: "


def test_nothing_is_said_of_new_recordings(full):
    assert full.cautions == full.remarks == []
    assert "unlike" not in full.table() and "80 and 80 separate" in full.table()


def test_an_advantage_of_the_baselines_is_said_of_a_model_that_is_known_to_have_none(exported, domains, bare):
    said = "Baselines fitted on the evaluated source and target themselves"
    assert f"{said}." in bare.table(), "without a model nobody knows what it was trained on"
    some = [FeatureSet.load(path).select(np.arange(3)) for path in domains]
    a, b = (replace(part, features=part.features + np.float32(1)) for part in some)
    new = evaluate(a, Translator.load(exported, "AB").translate_set(a), b, model=exported)
    assert f"{said}, unlike the CycleGAN." in new.table()


@pytest.fixture
def evaluated(exported, domains, tmp_path, capsys, copied_model):
    """The command's table, for some of the sequences that the model was trained on."""
    a, b = map(FeatureSet.load, domains)

    def run(choose, change=lambda x: x):
        paths = [tmp_path / name for name in ("a.npz", "ab.npz", "b.npz")]
        source = a.with_features(change(a.features), a.device).select(choose)
        for path, feature_set in zip(
            paths,
            (source, Translator.load(exported, "AB").translate_set(source), b.select(choose)),
            strict=True,
        ):
            feature_set.save(path)
        options = [f"--{name}" for name in ("source", "translated", "target")]
        command = [part for pair in zip(options, paths, strict=True) for part in pair]
        return done(capsys, "evaluate", *command, "--model", copied_model, "--json", tmp_path / "r.json")

    return run


@pytest.fixture
def copied_model(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "model")


@pytest.mark.parametrize(
    ("choose", "change", "of_source", "of_target"),
    [
        (np.arange(12), lambda x: x, "12 of 12", "12 of 12"),
        (np.arange(12)[::-1], lambda x: x, "12 of 12", "12 of 12"),
        (np.arange(3, 9), lambda x: x, "6 of 6", "6 of 6"),
        (np.arange(12), lambda x: x + (np.arange(12) > 3)[:, None, None], "at least 4 of 12", "12 of 12"),
        (np.arange(12), lambda x: x + 1, None, "12 of 12"),
    ],
    ids=["all", "in another order", "some", "some among others", "the target's alone"],
)
def test_training_recordings_are_named_in_table_card_and_json(
    choose, change, of_source, of_target, evaluated, copied_model, tmp_path
):
    found = [f"{of_source} sequences of the source and "] if of_source else []
    says = f"{TRAINED}{''.join(found)}{of_target} sequences of the target; new ones may fare worse."
    said = evaluated(choose, change)
    for text in (
        said,
        (copied_model / "README.md").read_text(encoding="utf-8"),
        (tmp_path / "r.json").read_text(encoding="utf-8"),
    ):
        assert says in text
    assert "Baselines fitted on the evaluated source and target themselves.\n" in said


def test_sets_that_were_fitted_on_are_known_without_a_model(sets, target, train_target):
    some = train_target.select(np.arange(8, 20))
    mixed = replace(target, features=np.concatenate([target.features[:20], some.features]))
    result = evaluate(**sets | {"target": mixed, "paired": None})
    assert result.cautions == [
        f"{TRAINED}at least 12 of 32 sequences of the target; new ones may fare worse."
    ]
    assert result.headline.endswith(result.cautions[0])
    assert "fitted on 80 and 80 training sequences" in result.table()


def test_a_set_is_known_again_whatever_its_names_and_padding(target):
    short = replace(target, slices=np.full(32, 7), features=target.features * (np.arange(10) < 7)[:, None])
    cut = replace(target, features=target.features[:, :7], recording=target.recording[::-1])
    assert fingerprint(short) == fingerprint(cut) != fingerprint(target)
    assert recognised(cut, remembered(short)).all() and not recognised(target, remembered(short)).any()


def test_two_recordings_tell_nothing(sets):
    few = {name: sets[name].select(np.arange(4)) for name in ("source", "translated", "target")}
    result = evaluate(**few)
    says = "Too few recordings to tell: 2 of the source and 2 of the target, 1 on each side of a distance;"
    assert says in result.table() and says in result.headline
    assert result.table().index(says) < result.table().index("Distances: 1 recordings")
    assert "% of the gap" not in result.table() + result.headline


def test_copies_count_once(sets):
    copy = np.where(np.arange(32) < 20, np.arange(32), np.arange(32) % 4)  # of the first two recordings
    names = ("source", "translated", "target", "paired")
    copied = {name: replace(sets[name], features=sets[name].features[copy]) for name in names}
    once = {name: sets[name].select(np.arange(20)) for name in names}
    result, expected = evaluate(**sets | copied), evaluate(**sets | once)
    assert result.rows == expected.rows and result.recordings_compared == 5
    assert "12 of 32 sequences of the target are copies of others and were left out." in result.table()
    with pytest.raises(InputError, match="the target holds copies of one recording; at least 2 others"):
        evaluate(
            sets["source"],
            sets["translated"],
            replace(sets["target"], features=sets["target"].features[copy * 0]),
        )


def test_a_translation_that_changes_nothing_is_said_to(bare):
    assert "The translated set is the source, unchanged." in bare.table()


def test_files_without_settings_are_named(sets):
    bare = {
        name: replace(sets[name], settings=None, device=name) for name in ("source", "translated", "target")
    }
    says = "No feature settings in the files of the source, the translated set, the target: they were not com"
    assert says in evaluate(**bare).table()


def spelt(feature_set, change):
    return replace(feature_set, label=np.array([change(label) for label in feature_set.label.tolist()]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"worn": "WORN", "good": "GOOD"},
            r"the source has the classes \['GOOD', 'WORN'\], .*'good' meant with",
        ),
        (
            {"worn": "worn ", "good": "good"},
            r"\['worn '\], .* it has \['good', 'worn'\] \(is 'worn' meant with 'worn '",
        ),
        ({"worn": "cracked", "good": "good"}, r"\['cracked'\], which .* it has \['good', 'worn'\]; spell"),
    ],
)
@pytest.mark.parametrize("name", ["source", "target"])
def test_classes_that_the_classifier_does_not_know_are_refused(name, change, says, sets):
    with pytest.raises(InputError, match=says.replace("the source", f"the {name}")):
        evaluate(**sets | {name: spelt(sets[name], change.get)})


def test_numbers_are_classes_in_one_spelling(sets):
    digits = {name: spelt(sets[name], {"worn": "1", "good": "0"}.get) for name in ("source", "labelled")}
    pandas = spelt(sets["target"], {"worn": "1.0", "good": "0.0"}.get)
    with pytest.raises(InputError, match="the target has the classes .*is '0' meant with '0.0'"):
        evaluate(**sets | digits | {"target": pandas})


def test_sequences_without_a_label_are_left_out_and_counted(sets):
    blank = lambda given: replace(given, label=np.where(np.arange(len(given)) % 4 == 1, "", given.label))
    some = {name: blank(sets[name]) for name in ("source", "target", "labelled")}
    result = evaluate(**sets | some)
    known = np.arange(32) % 4 != 1
    expected = FaultModels().fit(sets["labelled"].select(np.arange(80) % 4 != 1))
    for row, heard in ((result.null, sets["target"]), (result.row("CycleGAN"), sets["translated"])):
        accuracy = expected.accuracy(heard.select(known))
        assert (row.accuracy_forest, row.accuracy_logistic) == (accuracy["forest"], accuracy["logistic"])
    assert "8 of 32 sequences of the source have no label." in result.remarks
    assert "20 of 80 sequences of the labelled set have no label." in result.remarks
    nothing = replace(sets["source"], label=np.full(32, ""))
    assert (
        "No accuracies, because the source has no labels." in evaluate(**sets | {"source": nothing}).remarks
    )


@pytest.mark.parametrize(
    ("exchange", "says"),
    [
        (
            {"source": "target", "target": "source"},
            "translated set is from BATCH_UPLOAD; .*source and target swapped",
        ),
        ({"translated": "source"}, "the translated set is from cpc006; it must be from BATCH_UPLOAD"),
        ({"target": "source"}, "the source and the target are both from cpc006"),
    ],
)
def test_devices_that_do_not_fit(exchange, says, sets, tmp_path, capsys):
    three = {name: sets[exchange.get(name, name)] for name in ("source", "translated", "target")}
    command = [[f"--{name}", given.save(tmp_path / f"{name}.npz")] for name, given in three.items()]
    with pytest.raises(InputError, match=says):
        evaluate(**three)
    refusal(capsys, "evaluate", *sum(command, []))
