"""Errors by slice, band and recording, and the signs of them."""

import numpy as np
import pytest
import torch
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.reliability import reliability
from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.models import Generator


@pytest.fixture(scope="module")
def given(exported, domains) -> tuple[Translator, FeatureSet, FeatureSet]:
    """A translator, recordings that it never heard, and those that it was trained on."""
    source = make_set("cpc006", n=10, seed=5, shift=10)
    return Translator.load(exported, "AB"), source, FeatureSet.load(domains[0])


def shifted_truth(translator: Translator, source: FeatureSet, by: np.ndarray) -> FeatureSet:
    """The translation itself with known errors (sequences, slices, 40), shuffled: names must match them."""
    translated = translator.translate_set(source)
    truth = translated.with_features(translated.features - by, "BATCH_UPLOAD")
    return truth.select(np.random.default_rng(0).permutation(len(source)))


def test_known_errors_are_found_where_they_are(given):
    wrong = np.zeros((10, 50, 40))
    wrong[3] = 2.0  # a whole recording, 2 dB too loud
    wrong[7, 20] = 4.0  # one slice
    wrong[:, :, 39] += 1.0  # one band
    judged = reliability(*given, shifted_truth(*given[:2], wrong))
    np.testing.assert_allclose(judged.difference, wrong, atol=1e-4)
    assert list(judged.worst_first()[:2]) == [3, 7]
    assert judged.slice_error[7].argmax() == 20
    everything, constant = judged.band_error
    assert everything.argmax() == 39 and np.all(constant <= everything + 1e-12)
    assert constant[39] == pytest.approx(np.sqrt((9 * 1 + 9) / 10), abs=0.05)
    assert judged.table(1)[1][:3] == ["cpc006-003", "outer_race", "2.0"]


def test_an_error_that_is_the_same_in_all_slices_is_constant_and_noise_is_not(given):
    rng = np.random.default_rng(1)
    level = np.broadcast_to(rng.normal(size=(10, 1, 40)), (10, 50, 40))
    for error, expected in ((level, 1), (rng.normal(size=(10, 50, 40)), 1 / 50)):
        judged = reliability(*given, shifted_truth(*given[:2], error))
        assert judged.constant_part == pytest.approx(expected, abs=0.01)


def test_what_the_source_hears_of_a_band(given):
    truth = given[1].with_features(given[1].features * 2 + 5, "BATCH_UPLOAD")
    # nothing of this band comes from the source
    truth.features[:, :, 7] = np.random.default_rng(2).normal(size=(10, 1))
    heard = reliability(*given, truth).heard
    assert heard[0] == pytest.approx(1, abs=1e-3)
    assert heard[7] < 0.6


def test_signs_need_no_truth_and_rank_with_errors_that_follow_them(given):
    judged = reliability(*given)
    assert judged.difference is None and judged.table(1)[1][2] == "unknown"
    assert list(judged.worst_first()) == list(np.argsort(-judged.disagreement, kind="stable"))
    by = np.ones((10, 50, 40)) * judged.disagreement[:, None, None]
    told = reliability(*given, shifted_truth(*given[:2], by))
    assert told.foresight()["disagreement of the restarts"] == pytest.approx(1)
    assert told.suspect.sum() == 3
    assert told.caught > told.suspect.mean()


def test_novelty_is_1_for_what_was_trained_on_and_large_for_the_unheard(given):
    translator, source, train = given
    strange = source.with_features(source.features + 60, "cpc006")
    known = reliability(*given).novelty
    assert np.median(known) == pytest.approx(1, abs=0.5)
    assert reliability(translator, strange, train).novelty.min() > 3 * known.max()


def test_disagreement_is_the_deviation_of_the_members_means():
    assert Generator(members=1).disagreement(torch.randn(3, 50, 40)).tolist() == [0, 0, 0]
    generator = Generator(members=2)
    generator.start_at([(np.eye(40), np.full(40, -0.5)), (np.eye(40), np.full(40, 0.5))])
    assert generator.disagreement(torch.randn(3, 50, 40)).tolist() == pytest.approx([0.5] * 3)


def test_pairs_that_do_not_match_are_refused(given):
    with pytest.raises(InputError, match="matches 9 of the 10 sequences"):
        reliability(*given, given[1].select(np.arange(9)))
