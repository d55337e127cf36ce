"""Sets whose sequences differ in length: no number hangs on what stands behind a sequence's end."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation import evaluate
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.evaluation.pairing import pairs_in
from cyclegan_lib.evaluation.reliability import reliability
from cyclegan_lib.export import Translator
from cyclegan_lib.faults.models import FaultModels

LENGTHS = {"source": (10, 8), "target": (7,), "labelled": (10, 9, 7), "fit_source": (6,), "fit_target": (8,)}
LENGTHS |= {"translated": (10, 8), "paired": (10, 8)}


def mixed(given, name, padding):
    """Sequences of lengths by turns, or as long as all others, what is behind them garbage."""
    slices = np.resize(LENGTHS[name], len(given))
    real = np.arange(given.features.shape[1]) < slices[:, None]
    return replace(given, features=np.where(real[..., None], given.features, padding), slices=slices)


def wandering(given, roll=0):
    """Louder and quieter from slice to slice; the features of another sequence where they are rolled."""
    level = 2 * np.random.default_rng(0).normal(size=(len(given), 10, 1))
    return given.with_features(np.roll(given.features + level, roll, axis=0), given.device)


def test_garbage_behind_sequences_changes_no_number(sets):
    first, again = (
        evaluate(**{name: mixed(given, name, padding) for name, given in sets.items()})
        for padding in (0.0, 1e3)
    )
    assert first == again
    assert first.remarks == ["Distances and accuracies: of the first 7 slices of each sequence."]


def test_what_is_compared_are_equally_many_slices_and_errors_take_all(sets):
    given = {name: mixed(part, name, np.nan if name == "paired" else 0.0) for name, part in sets.items()}
    result = evaluate(**given)
    of_seven = evaluate(**{name: part.first(7) for name, part in sets.items() if not name.startswith("fit")})
    assert result.null.accuracy_forest == of_seven.null.accuracy_forest
    assert result.row("identity").accuracy_logistic == of_seven.row("identity").accuracy_logistic
    real = (
        given["source"].real_slices(),
        sets["paired"].features[np.arange(10) < given["source"].lengths[:, None]],
    )
    assert result.row("identity").nmse == pytest.approx(nmse(*real))


def test_whole_sequences_with_their_lengths_are_as_without(sets, full):
    whole = {name: replace(part, slices=np.full(len(part), 10)) for name, part in sets.items()}
    assert evaluate(**whole).rows == full.rows


def test_short_sequences_are_left_out_and_said(sets):
    slices = np.full(32, 10)
    slices[:2] = 3
    given = {name: replace(sets[name], slices=slices) for name in ("source", "translated")}
    result = evaluate(**sets | given)
    assert "the source: left out as shorter than 10 slices: 2 of 32 sequences." in result.table()
    assert result.row("CycleGAN").nmse == pytest.approx(0, abs=1e-6)


def test_pairs_that_are_shorter_or_longer(sets):
    shorter = evaluate(**sets | {"paired": sets["paired"].first(5)})
    assert "NMSE: of 160 of the source's 320 slices; pairs have no more." in shorter.table()
    expected = nmse(sets["source"].features[:, :5], sets["paired"].features[:, :5])
    assert shorter.row("identity").nmse == pytest.approx(expected)
    # the source in halves, the pairs whole: a half begins within one of them
    halves = {name: sets[name].cut(5) for name in ("source", "translated")}
    assert len(halves["source"]) == 64
    longer, whole = evaluate(**sets | halves), nmse(sets["source"].features, sets["paired"].features)
    assert longer.row("identity").nmse == pytest.approx(whole)


def test_pairs_that_may_be_none_are_said(sets):
    few = {name: sets[name].select(np.arange(6)) for name in ("source", "translated", "paired")}
    few["paired"] = few["paired"].with_features(np.roll(few["paired"].features, 3, axis=0), "BATCH_UPLOAD")
    result = evaluate(**sets | few)
    assert "The 6 pairs of cpc006 and BATCH_UPLOAD may not be of the same moments" in result.headline


def test_pairs_that_are_none_are_refused(sets):
    wanders = {
        name: wandering(sets[name], 3 * (name == "paired")) for name in ("source", "translated", "paired")
    }
    with pytest.raises(
        InputError, match="32 sequences of cpc006 and BATCH_UPLOAD .* are not of the same mom"
    ):
        evaluate(**sets | wanders)


def test_a_target_of_the_same_names_is_paired_where_it_holds_the_same_moments(sets, capsys):
    source, target = wandering(sets["source"]), wandering(sets["target"])
    assert pairs_in(source, target) is target
    assert pairs_in(source, sets["labelled"]) is None and capsys.readouterr().out == ""
    assert pairs_in(source, wandering(sets["target"], roll=3)) is None
    assert "no pairs: the 32 sequences of cpc006 and BATCH_UPLOAD" in capsys.readouterr().out


def test_classifiers_see_no_padding(sets):
    labelled, target = (mixed(sets[name], name, 1e3) for name in ("labelled", "target"))
    assert FaultModels().fit(labelled).accuracy(target)["logistic"] > 0.9


def test_reliability_of_equally_many_slices(exported):
    translator = Translator.load(exported, "AB")
    source, train = make_set("cpc006", n=10, seed=5, shift=10), make_set("cpc006", n=12, seed=1, shift=10)
    truth = source.with_features(source.features - 10, "BATCH_UPLOAD")
    slices = np.array([30] * 9 + [50])
    real = np.arange(50)[:, None] < slices[:, None, None]
    judged, again = (
        reliability(
            translator,
            replace(source, features=np.where(real, source.features, np.float32(padding)), slices=slices),
            replace(train, slices=np.full(12, 40)),
            truth,
        )
        for padding in (0, 1e3)
    )
    assert judged.difference.shape == (10, 30, 40)
    np.testing.assert_array_equal(judged.difference, again.difference)
    np.testing.assert_array_equal(judged.novelty, again.novelty)
