"""Who is trained on what, and in which order."""

import numpy as np
import pytest
import torch
from helpers import QUICK

from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.training import load_domains, train
from cyclegan_lib.training.batches import UnpairedBatches, UnpairedData

X = np.arange(10.0).reshape(10, 1, 1)
SETTINGS = QUICK.model_copy(update={"steps_per_epoch": 5})


def several(device: str, recordings: int, each: int, seed: int) -> FeatureSet:
    """`each` sequences of every recording, not in order; every feature of a sequence is its own number."""
    n = recordings * each
    features = np.arange(n, dtype=np.float32)[:, None, None] + np.zeros((1, 50, 40), np.float32)
    order = np.random.default_rng(seed).permutation(n)
    names = np.array([f"{device}-{i // each:03d}" for i in range(n)])[order]
    return FeatureSet(features, names, np.zeros(n), device)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    a, b = several("cpc006", 11, 3, seed=1), several("BATCH_UPLOAD", 8, 5, seed=2)
    return a.save(folder / "a.npz"), b.save(folder / "b.npz")


def drawn(batches: UnpairedBatches) -> list[tuple[list, list]]:
    return [tuple(x.flatten().tolist() for x in batches[step]) for step in range(len(batches))]


def test_batches_are_unpaired_and_follow_from_seed_and_epoch():
    everything, other = [np.arange(10)] * 2, SETTINGS.model_copy(update={"seed": 1})
    first, again, later, otherwise = (
        drawn(UnpairedBatches(X, X, everything, everything, settings, epoch))
        for settings, epoch in ((SETTINGS, 0), (SETTINGS, 0), (SETTINGS, 1), (other, 0))
    )
    assert first == again
    assert later != first != otherwise
    assert any(a != b for a, b in first)


def test_every_restart_sees_each_of_its_sequences_as_often():
    members = [np.arange(10), np.array([1, 2, 5, 7, 9])]
    batches = UnpairedBatches(X, X, members, members, SETTINGS, 0)
    a = torch.stack([batches[step][0] for step in range(5)])  # (steps, members, batch, 1, 1)
    assert a.shape == (5, 2, 4, 1, 1)
    # 20 draws for each: from 10 sequences each twice, from 5 each four times
    assert sorted(a[:, 0].flatten().tolist()) == sorted(list(range(10)) * 2)
    assert sorted(a[:, 1].flatten().tolist()) == sorted([1, 2, 5, 7, 9] * 4)


@pytest.mark.parametrize(("restarts", "folds"), [(4, 5), (7, 3), (2, 2)])
def test_no_restart_is_trained_on_a_sequence_of_its_held_out_fold(paths, restarts, folds):
    settings = QUICK.model_copy(update={"restarts": restarts, "folds": folds, "steps_per_epoch": 20})
    domains = load_domains(*paths, settings)
    data = UnpairedData(domains, settings)
    batches = [
        UnpairedBatches(data.a, data.b, data.train_a, data.train_b, settings, epoch) for epoch in range(3)
    ]
    for place, (z, domain) in enumerate(((data.a, domains.a), (data.b, domains.b))):
        values = z[:][:, 0, 0].tolist()
        recording = dict(zip(values, domain.recording, strict=True))
        assert len(recording) == len(values)  # a sequence is known by its value
        held_out = [both[place] for both in data.held_out]
        for restart in range(restarts):
            trained_on = torch.stack([epoch[step][place][restart] for epoch in batches for step in range(20)])
            seen = {recording[value] for value in trained_on[..., 0, 0].flatten().tolist()}
            judged = {recording[value] for value in held_out[restart][:, 0, 0].tolist()}
            assert judged and not seen & judged
            assert seen | judged == set(domain.recording)
            # every sequence of a held-out recording is judged
            assert len(held_out[restart]) == np.isin(domain.recording, list(judged)).sum()
        for x, y in zip(held_out, held_out[folds:], strict=False):
            assert torch.equal(x, y)  # more restarts than folds begin again with the first


def test_gains_are_fitted_on_one_sequence_of_each_recording(paths):
    domains = load_domains(*paths, QUICK)
    data = UnpairedData(domains, QUICK)
    for first, z, domain in ((data.first_a, data.a, domains.a), (data.first_b, data.b, domains.b)):
        recording = dict(zip(z[:][:, 0, 0].tolist(), domain.recording, strict=True))
        fitted_on = [recording[value] for value in first[:, 0, 0].tolist()]
        assert sorted(fitted_on) == sorted(set(domain.recording))


def test_as_many_folds_as_the_fewest_recordings_are_enough_to_hold_out(quick_start, paths, tmp_path):
    settings = QUICK.model_copy(update={"restarts": 8, "folds": 8, "max_epochs": 1, "steps_per_epoch": 1})
    data = UnpairedData(load_domains(*paths, settings), settings)
    assert all(len(a) and len(b) for a, b in data.held_out)
    run = train(*paths, tmp_path, settings, progress=False)
    assert np.isfinite(run.history[-1]["val_distance"])


def test_folds_follow_from_the_seed_and_normalisation_does_not(paths):
    first, again = load_domains(*paths, QUICK), load_domains(*paths, QUICK)
    other = load_domains(*paths, QUICK.model_copy(update={"seed": 1}))
    assert np.array_equal(first.fold_a, again.fold_a) and np.array_equal(first.fold_b, again.fold_b)
    assert not np.array_equal(first.fold_a, other.fold_a)
    expected = Normalizer.fit(first.a.features, first.b.features)
    assert first.normalizer.to_dict() == other.normalizer.to_dict() == expected.to_dict()
