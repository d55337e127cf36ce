"""Every row of the benchmark that takes seconds, on a pair whose perfect translation is known."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from cyclegan_lib.benchmark import baseline_rows, cyclegan_rows
from cyclegan_lib.benchmark.judge import Judge
from cyclegan_lib.benchmark.methods import DEFAULT, METHODS, UNPAIRED
from cyclegan_lib.benchmark.reference import ReferenceSettings, reference_design
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.evaluation.measures import DISTANCES, MEASURES
from cyclegan_lib.features import split_by_recording

FEW = ReferenceSettings(steps=30, every=10, batch_size=40, hidden_dim=16)


def test_rows_in_the_order_of_the_table():
    unpaired = "identity, per-feature affine, quantile mapping, CORAL, Gaussian OT, OT barycentric"
    others = "CycleGAN, untrained CycleGAN, reference design, supervised MLP, real B"
    assert list(UNPAIRED) == unpaired.split(", ") and DEFAULT == [*UNPAIRED, *others.split(", ")]


@pytest.mark.parametrize("name", [*UNPAIRED, "supervised MLP", "real B"])
def test_rows_that_train_no_gan(name, pair, tmp_path, monkeypatch):
    monkeypatch.setattr("cyclegan_lib.benchmark.supervised.MAX_EPOCHS", 2)
    blind = replace(pair, truth_a=None, test_b=None) if name in UNPAIRED else pair  # they see no truth
    first, again = (METHODS[name](seen, 0, tmp_path).features for seen in (pair, blind))
    assert first.shape == pair.test_a.features.shape and first.dtype == np.float32
    assert np.array_equal(first, again)
    error, untranslated = (nmse(x, pair.test_b.features) for x in (first, pair.test_a.features))
    assert error == untranslated if name == "identity" else error < untranslated / 2
    assert name != "supervised MLP" or error < 0.01  # the truth is linear


def test_barycentric_transport_moves_a_sample_onto_the_other():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(60, 3))
    b = 2 * a[rng.permutation(60)] + 5
    # increasing in each feature: the optimal coupling is the map itself
    assert baseline_rows.BarycentricOT().fit(a, b).transform(a) == pytest.approx(2 * a + 5, abs=1e-4)


def test_barycentric_transport_draws_by_the_seed(monkeypatch):
    monkeypatch.setattr(baseline_rows, "OT_POINTS", 20)
    a, b = np.random.default_rng(0).normal(size=(2, 100, 3))
    first, again, other = (baseline_rows.BarycentricOT(seed).fit(a, b).transform(a) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_reference_design_is_seeded_within_one_deviation_and_keeps_the_lowest_cycle_loss(pair):
    def fitted(seed, **settings):
        return reference_design(pair, seed, None, replace(FEW, **settings))

    state = torch.get_rng_state()
    first, again, other, shorter = fitted(0), fitted(0), fitted(1), fitted(0, steps=10)
    assert torch.equal(torch.get_rng_state(), state)  # the caller's random state is left alone
    assert np.array_equal(first.features, again.features)
    assert not np.array_equal(first.features, other.features)
    real = pair.train_b.features[split_by_recording(pair.train_b.recording, FEW.validation_fraction, 0)[0]]
    deviations = np.abs(first.features - real.mean(axis=(0, 1))) / real.std(axis=(0, 1))
    assert deviations.max() <= 1 + 1e-4  # what Tanh cannot leave
    assert first.extras["chosen_step"] in (10, 20, 30)
    assert first.extras["held_out_cycle"] <= shorter.extras["held_out_cycle"]


class TestJudge:
    def test_the_truth_itself_and_no_translation(self, pair):
        judge = Judge(pair, 0)
        truth, untranslated = judge.measure(pair.test_b.features), judge.measure(pair.test_a.features)
        assert set(truth) == set(MEASURES) - {"gap_closed"}
        assert truth["nmse"] == 0 and untranslated["nmse"] > 1
        assert truth["accuracy_forest"] == truth["accuracy_logistic"] == 1
        assert truth["recovery_forest"] in (None, 1) and untranslated["recovery_forest"] in (None, 0)
        for name in DISTANCES:
            assert untranslated[name] > truth[name]

    def test_nothing_lost_is_nothing_to_recover(self, pair):
        values = Judge(replace(pair, test_a=pair.test_b), 0).measure(pair.test_b.features)
        assert values["recovery_forest"] is values["recovery_logistic"] is None

    def test_nan_is_refused(self, pair):
        with pytest.raises(InputError, match="NaN"):
            Judge(pair, 0).measure(np.full_like(pair.test_a.features, np.nan))


def test_untrained_rows_take_labels_and_pairs(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("cyclegan_lib.training.start.MAX_DRAWS", 1)
    monkeypatch.setattr(cyclegan_rows, "TrainingSettings", partial(TrainingSettings, restarts=1))
    errors = {"none": nmse(pair.test_a.features, pair.test_b.features)}
    for help in ("", " without labels", " with 4 pairs"):
        folder = tmp_path / f"start{help}"
        folder.mkdir()
        translated = METHODS[f"untrained CycleGAN{help}"](pair, 0, folder).features
        assert translated.shape == pair.test_a.features.shape
        errors[help] = nmse(translated, pair.test_b.features)
    assert len(set(errors.values())) == 4
    assert errors[" with 4 pairs"] < errors["none"]
    assert errors[" with 4 pairs"] <= 1.1 * errors[""]
