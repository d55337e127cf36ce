"""Every row of the benchmark that takes seconds, on a pair whose perfect translation is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cyclegan_lib.benchmark import baseline_rows, cyclegan_rows
from cyclegan_lib.benchmark.device_pair import Translation
from cyclegan_lib.benchmark.judge import Judge, Measured, truth_variance
from cyclegan_lib.benchmark.methods import DEFAULT, METHODS, UNPAIRED
from cyclegan_lib.benchmark.reference import ReferenceSettings, reference_design
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.evaluation.measures import DISTANCES
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.features import split_by_recording

FEW = ReferenceSettings(steps=30, every=10, batch_size=40, hidden_dim=16)


def test_rows_in_the_order_of_the_table():
    unpaired = (
        "identity, mean shift, per-feature affine, quantile mapping, CORAL, Gaussian OT, OT barycentric"
    )
    others = "CycleGAN, untrained CycleGAN, reference design, supervised MLP, own labels of A, real B"
    assert list(UNPAIRED) == unpaired.split(", ") and DEFAULT == [*UNPAIRED, *others.split(", ")]


@pytest.mark.parametrize("name", [*UNPAIRED, "supervised MLP", "real B"])
def test_rows_that_train_no_gan(name, pair, tmp_path, monkeypatch):
    monkeypatch.setattr("cyclegan_lib.benchmark.supervised.MAX_EPOCHS", 2)
    blind = (
        replace(pair, truth_a=None, test_b=None, labelled_a=None) if name in UNPAIRED else pair
    )  # they see no truth
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
        judge = Judge(pair, 0, truth_variance([pair]))
        truth, untranslated = (
            judge.measure(Translation(x.features)).values for x in (pair.test_b, pair.test_a)
        )
        assert set(truth) == {"nmse", "accuracy_forest", "accuracy_logistic", *DISTANCES}
        assert truth["nmse"] == 0 and untranslated["nmse"] > 1
        assert truth["accuracy_forest"] == truth["accuracy_logistic"] == 1
        for name in DISTANCES:
            assert untranslated[name] > truth[name]

    def test_what_became_of_each_recording_makes_the_numbers(self, pair, tmp_path):
        longer = pair.test_a.select(np.array([0, *range(8)]))  # the first recording has two sequences
        pair = replace(pair, test_a=longer, test_b=pair.test_b.select(np.array([0, *range(8)])))
        translation = METHODS["mean shift"](pair, 0, tmp_path)
        measured = Judge(pair, 0, truth_variance([pair])).measure(translation, expect=True)
        assert measured.tested["recording"] == sorted(set(longer.recording))
        assert measured.tested["slices"] == [20] + [10] * 7
        values = measured.values
        assert values["nmse"] == pytest.approx(nmse(translation.features, pair.test_b.features), abs=1e-4)
        accuracy = FaultModels(0).fit(pair.train_b).accuracy(longer.with_features(translation.features, "B"))
        assert values["accuracy_forest"] == pytest.approx(accuracy["forest"], abs=1e-4)
        assert {"augmented_forest", "reverse_logistic", "there_and_back_forest"} <= set(values)
        assert set(measured.expected) == {"augmented_forest", "augmented_logistic"}
        assert measured.shares["B"] == {"ball": 0.5, "normal": 0.5}
        assert sum(measured.shares["estimated"].values()) == pytest.approx(1)

    def test_own_labels_have_accuracies_alone(self, pair, tmp_path):
        values = (
            Judge(pair, 0, truth_variance([pair]))
            .measure(METHODS["own labels of A"](pair, 0, tmp_path))
            .values
        )
        assert values == {"accuracy_forest": 1.0, "accuracy_logistic": 1.0}

    def test_rotations_are_pooled_by_slices(self):
        one = Measured(
            {"recording": ["x"], "slices": [50], "nmse": [0.2]}, {"c2st": 0.5}, {"augmented_forest": 0.4}
        )
        two = Measured(
            {"recording": ["y"], "slices": [100], "nmse": [0.5]}, {"c2st": 0.7}, {"augmented_forest": 0.7}
        )
        whole = Measured.pooled([one, two])
        assert whole.tested["recording"] == ["x", "y"]
        assert whole.values == pytest.approx({"nmse": 0.4, "c2st": 0.6})
        assert whole.expected == pytest.approx({"augmented_forest": 0.6})

    def test_nan_is_refused(self, pair):
        with pytest.raises(InputError, match="NaN"):
            Judge(pair, 0, np.ones(40)).measure(Translation(np.full_like(pair.test_a.features, np.nan)))


def test_untrained_rows_take_labels_and_pairs(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("cyclegan_lib.training.start.MAX_DRAWS", 1)
    used = []

    def settings(use_labels, **more):
        used.append(use_labels)
        return TrainingSettings(restarts=1, use_labels=use_labels, **more)

    monkeypatch.setattr(cyclegan_rows, "TrainingSettings", settings)
    errors = {"none": nmse(pair.test_a.features, pair.test_b.features)}
    for help in ("", " without labels", " with 4 pairs"):
        folder = tmp_path / f"start{help}"
        folder.mkdir()
        translated = METHODS[f"untrained CycleGAN{help}"](pair, 0, folder).features
        assert translated.shape == pair.test_a.features.shape
        errors[help] = nmse(translated, pair.test_b.features)
    assert used == [True, False, True] and errors[" with 4 pairs"] != errors[""]
    assert max(errors[""], errors[" without labels"], errors[" with 4 pairs"]) < errors["none"] / 10
