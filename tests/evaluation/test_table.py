"""The whole table, on devices whose perfect translation is known."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import ROWS

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation import evaluate
from cyclegan_lib.evaluation import halvings as module
from cyclegan_lib.evaluation.baselines import GaussianOT
from cyclegan_lib.evaluation.checks import match_by_name
from cyclegan_lib.evaluation.distances import (
    frechet_distance,
    median_distance,
    mmd2,
    nmse,
    sliced_wasserstein,
)
from cyclegan_lib.evaluation.halvings import halvings
from cyclegan_lib.evaluation.measures import DISTANCES
from cyclegan_lib.features import Normalizer

FEW = np.arange(8)  # sequences, of four recordings: where no number is looked at


class TestTable:
    def test_a_perfect_translation_scores_as_the_target(self, full):
        perfect, null = full.row("CycleGAN"), full.null
        assert perfect.nmse == pytest.approx(0, abs=1e-6)
        for name in DISTANCES:
            assert getattr(perfect, name) == pytest.approx(getattr(null, name), rel=0.05, abs=0.02)
        assert full.row("CycleGAN").sliced_wasserstein == pytest.approx(
            full.null.sliced_wasserstein, abs=1e-4
        )
        assert perfect.accuracy_forest == null.accuracy_forest > 0.9
        assert perfect.recovery_forest == perfect.recovery_logistic == 1

    def test_doing_nothing_scores_as_identity(self, bare):
        assert replace(bare.row("CycleGAN"), name="identity", baseline=True) == bare.row("identity")
        assert replace(bare, recordings_compared=11).gap_closed == 0

    def test_identity_is_far_away(self, full):
        identity, null = full.row("identity"), full.null
        assert identity.nmse > 1
        assert identity.c2st > 0.99 and null.c2st < 0.65
        assert all(getattr(identity, name) > 3 * getattr(null, name) for name in DISTANCES[:3])
        assert identity.recovery_forest == 0

    def test_null_row_and_spread_over_the_halvings(self, full):
        assert [row.name for row in full.rows] == ROWS
        assert full.null.nmse == 0
        assert full.null.recovery_forest == full.null.recovery_logistic == 1
        assert set(full.row("CORAL").deviation) == set(DISTANCES)
        assert 0 < full.null.deviation["sliced_wasserstein"] < full.null.sliced_wasserstein


class TestLikeForLike:
    def test_halvings_of_the_same_recordings(self):
        names = np.array([f"r{i}" for i in range(9)]).repeat(2)
        drawn = list(halvings(names, names, seed=0))
        assert len(drawn) == module.HALVINGS
        for reference, others, chosen in drawn:
            assert len(np.unique(names[reference])) == 4
            assert not (reference & others).any()
            # the null and every other row hear the same recordings
            assert np.array_equal(others, chosen)

    def test_halvings_differ(self):
        names = np.array([f"r{i}" for i in range(40)])
        drawn = [*halvings(names, names, seed=0), *halvings(names, names, seed=1)]
        assert len({tuple(reference) for reference, _, _ in drawn}) == 2 * module.HALVINGS

    @pytest.mark.parametrize(
        ("prefix", "n_source", "k"),
        [("a", 20, 5), ("a", 4, 4), ("a", 2, 2), ("r", 2, 1), ("r", 5, 2), ("r", 10, 5)],
    )
    def test_no_name_is_on_both_sides(self, prefix, n_source, k):
        sources = np.array([f"{prefix}{i}" for i in range(n_source)])
        targets = np.array([f"r{i}" for i in range(1, 11)])
        for reference, others, chosen in halvings(sources, targets, seed=0):
            assert reference.sum() == others.sum() == chosen.sum() == k
            assert not np.intersect1d(sources[chosen], targets[reference]).size

    def test_distances_are_between_those_halves_in_the_targets_z_scores(self, bare, source, target):
        normalizer = Normalizer.fit(target.features, target.features, mode="per-domain")
        x, y = (normalizer.normalize(each.features, "B") for each in (source, target))
        halves = list(halvings(source.recording, target.recording, seed=0))
        expected = [sliced_wasserstein(x[chosen], y[reference]) for reference, _, chosen in halves]
        assert bare.row("identity").sliced_wasserstein == pytest.approx(np.mean(expected))
        assert bare.row("identity").deviation["sliced_wasserstein"] == pytest.approx(np.std(expected, ddof=1))
        kernel = median_distance(y)  # of the whole target: one for the whole table
        null = [mmd2(y[others], y[half], kernel, 0, module.SLICES_COMPARED) for half, others, _ in halves]
        assert bare.null.mmd2 == pytest.approx(np.mean(null))
        assert bare.recordings_compared == 8

    def test_two_recordings_leave_none_to_hold_out(self, source, perfect, target):
        result = evaluate(*(each.select(FEW[:4]) for each in (source, perfect, target)))
        assert result.recordings_compared == 1
        assert result.null.c2st is None and result.null.frechet > 0
        assert "C2ST" not in result.table()


class TestOptionalSets:
    def test_without_pairs_or_labels_there_are_no_such_numbers(self, bare):
        row = bare.row("Gaussian OT")
        assert row.nmse is row.accuracy_forest is row.recovery_logistic is None
        assert "NMSE" not in bare.table() and "forest" not in bare.table()
        assert "the evaluated source and target themselves" in bare.table()

    @pytest.mark.parametrize(
        ("without", "remark"),
        [
            ("labelled", "No accuracies, because the labelled set has no labels."),
            ("source", "No accuracies, because the source has no labels."),
            ("target", "No recoveries, because the target has no labels."),
        ],
    )
    def test_where_labels_are_missing(self, without, remark, source, perfect, target, train_target):
        sets = {"source": source.select(FEW), "target": target.select(FEW), "labelled": train_target}
        sets[without] = replace(sets[without], label=None)
        result = evaluate(translated=perfect.select(FEW), **sets)
        assert remark in result.table()
        assert all(row.recovery_forest is None for row in result.rows)
        known = [row.name for row in result.rows if row.accuracy_forest is not None]
        assert known == (ROWS[2:] if without == "target" else [])

    def test_baselines_are_fitted_on_the_training_sets(
        self, full, source, target, train_source, train_target
    ):
        fitted = GaussianOT().fit(train_source.features, train_target.features)
        expected = nmse(fitted.transform(source.features), target.features)
        assert full.row("Gaussian OT").nmse == pytest.approx(expected)
        assert "80 and 80 separate training sequences" in full.table()

    def test_z_scores_are_those_of_the_training_set(self, full, source, target, train_target):
        normalizer = Normalizer.fit(train_target.features, train_target.features, mode="per-domain")
        y = normalizer.normalize(target.features, "B")
        halves = halvings(source.recording, target.recording, seed=0)
        expected = [frechet_distance(y[others], y[reference]) for reference, others, _ in halves]
        assert full.null.frechet == pytest.approx(np.mean(expected))

    def test_seed(self, source, perfect, target):
        few = source.select(FEW), perfect.select(FEW), target.select(FEW)
        first, again, other = (evaluate(*few, seed=seed) for seed in (0, 0, 1))
        assert first == again
        assert other.null.sliced_wasserstein != first.null.sliced_wasserstein


class TestMatching:
    def test_neither_order_nor_labels_of_the_translated_matter(self, sets, full):
        order = np.random.default_rng(0).permutation(len(sets["source"]))
        translated = replace(sets["translated"].select(order), label=None)
        paired = sets["paired"].select(order[::-1])
        assert evaluate(**sets | {"translated": translated, "paired": paired}).rows == full.rows

    def test_by_recording_and_start_among_more_also_where_it_was_rounded_in_another_way(self, source, target):
        order = np.random.default_rng(0).permutation(len(target))
        moved = replace(target, start_s=target.start_s + 1e-9).select(order)
        matched = match_by_name(source.select(FEW), moved, "paired")
        assert np.array_equal(matched.features, target.features[FEW])


def twice(given):
    return given.select(np.r_[np.arange(len(given)), 0])


UNUSABLE = {
    "the source has 1 recording; at least 2": lambda s: {"source": s["source"].select(FEW[:2])},
    "the target has 1 recording; at least 2": lambda s: {"target": s["target"].select(FEW[:2])},
    "the paired set matches 0 of the 32 sequences of the source": lambda s: {"paired": s["fit_target"]},
    "paired set matches 8 of the 32 .*'test04' at 0 s": lambda s: {"paired": s["target"].select(FEW)},
    "the translated set matches 0 of the 32": lambda s: {"translated": s["fit_target"]},
    "the paired set holds recording 'test00' at 0 s twice": lambda s: {"paired": twice(s["target"])},
    "the source holds a recording's sequence twice": lambda s: {"source": twice(s["source"])},
    "source and the target .* different settings .f_min 60.0 and 100": lambda s: {
        "target": replace(s["target"], settings=FeatureSettings(slices=10, f_min=100))
    },
    "the translated set has sequences of other lengths": lambda s: {"translated": s["translated"].first(5)},
    "the translated set has NaN": lambda s: {
        "translated": s["target"].with_features(s["target"].features * np.nan, "BATCH_UPLOAD")
    },
    "the paired set is from cpc006; it must be from BATCH_UPLOAD": lambda s: {"paired": s["source"]},
    "set to fit the .* on is from": lambda s: {
        "fit_source": s["fit_target"],
        "fit_target": s["fit_source"],
    },
    "both or neither": lambda s: {"fit_source": None},
}


@pytest.mark.parametrize("says", UNUSABLE)
def test_sets_that_cannot_be_used(says, sets):
    with pytest.raises(InputError, match=says):
        evaluate(**sets | UNUSABLE[says](sets))
