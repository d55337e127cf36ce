"""Of many recordings all are trained on, and so many looked at once that training takes no longer."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import QUICK, make_set

from cyclegan_lib.training import domains as limits
from cyclegan_lib.training import fit, load_domains, matching, start, train
from cyclegan_lib.training.batches import UnpairedBatches, UnpairedData
from cyclegan_lib.training.trust import Trust

MANY, MOST = 40, 20


def several(device, each, **how):
    """`MANY` recordings of `each` sequences, in another order than their names'."""
    sound = make_set(device, n=MANY * each, **how)
    order = np.random.default_rng(0).permutation(MANY * each)
    names = np.array([f"{device}-{i // each:02d}" for i in range(MANY * each)])[order]
    return replace(sound, recording=names, start_s=np.arange(MANY * each, dtype=float), label=None)


@pytest.fixture
def paths(tmp_path):
    a, b = several("cpc006", 3, shift=10), several("BATCH_UPLOAD", 1, seed=1)
    return a.save(tmp_path / "a.npz"), b.save(tmp_path / "b.npz")


@pytest.fixture
def few(monkeypatch):
    for name in ("MOST_RECORDINGS", "START_RECORDINGS"):
        monkeypatch.setattr(limits, name, MOST)


def test_as_many_recordings_of_each_fold_are_drawn_by_the_seed(paths, few):
    domains = load_domains(*paths, QUICK)
    drawn, again, other = (domains.drawn(seed) for seed in (0, 0, 1))
    for name, whole in (("a", domains.a), ("b", domains.b)):
        own = getattr(drawn, name)
        names, first = np.unique(own.recording, return_index=True)
        folds = getattr(drawn, f"fold_{name}")
        assert np.bincount(folds[first]).tolist() == [MOST // 5] * 5
        assert len(own) == np.isin(whole.recording, names).sum()  # with all of their sequences
        assert np.array_equal(own.features, getattr(again, name).features)
        assert set(names) != set(getattr(other, name).recording)
        assert dict(zip(own.recording, folds, strict=True)).items() <= set(
            zip(whole.recording, getattr(domains, f"fold_{name}"), strict=True)
        )


def test_where_there_are_no_more_all_are_drawn(paths):
    domains = load_domains(*paths, QUICK)
    assert domains.drawn(0) is domains and domains.drawn_in_words(0) == ""
    assert all(domains.drawn_to_start(0, restart) is domains for restart in range(2))


@pytest.mark.parametrize(("most", "together", "different"), [(30, 40, 4), (20, 40, 2), (5, 20, 4)])
def test_each_restart_starts_from_others_as_far_as_there_are(paths, monkeypatch, most, together, different):
    monkeypatch.setattr(limits, "START_RECORDINGS", most)
    domains = load_domains(*paths, QUICK)
    for name in "ab":
        drawn, again = (
            [set(getattr(domains.drawn_to_start(0, restart), name).recording) for restart in range(4)]
            for _ in range(2)
        )
        assert drawn == again and [len(names) for names in drawn] == [most] * 4
        assert len(set(map(frozenset, drawn))) == different
        assert len(set.union(*drawn)) == together


def test_the_maps_of_a_start_are_those_of_the_restarts_draws(paths, monkeypatch):
    monkeypatch.setattr(limits, "START_RECORDINGS", MOST)
    trusted = Trust(), dict.fromkeys(("ab", "ba"), (1.0, 1.0, 1.0))
    monkeypatch.setattr(Trust, "of", lambda *given: trusted)
    wanted = matching.MatchSettings(ridge=0.3, entropy=0.1, mass=0.1, gain=0.5, distance=0.0)
    monkeypatch.setattr(start, "start_map", lambda a, b, *given: matching.matched_map(a, b, wanted))
    settings = QUICK.model_copy(update={"restarts": 2})
    domains = load_domains(*paths, settings)

    def begun():
        return start.start_module(domains, settings).generator_AB.start_weight.clone()

    each = begun()
    first = limits.Domains.drawn_to_start
    monkeypatch.setattr(limits.Domains, "drawn_to_start", lambda self, seed, restart: first(self, seed, 0))
    of_the_first = begun()
    assert torch.equal(each[0], of_the_first[0]) and not torch.allclose(each[1], of_the_first[1], atol=0.01)


def test_of_recordings_with_very_many_sequences_some_are_drawn_evenly_spaced(paths, monkeypatch):
    monkeypatch.setattr(limits, "MOST_SEQUENCES", 2 * MANY)
    monkeypatch.setattr(limits, "EACH", 2)
    domains = load_domains(*paths, QUICK)
    drawn = domains.drawn(0)
    names, counts = np.unique(drawn.a.recording, return_counts=True)
    assert len(names) == MANY and set(counts) == {2}
    assert np.array_equal(drawn.b.features, domains.b.features)  # has one of each


def test_nothing_but_the_batches_looks_at_more_recordings_than_are_drawn(
    paths, few, quick_start, tmp_path, monkeypatch, capsys
):
    plans, soft_matches = [], matching.soft_matches

    def watched(cost, *given):
        plans.append(cost.shape)
        return soft_matches(cost, *given)

    monkeypatch.setattr(matching, "soft_matches", watched)
    settings = QUICK.model_copy(update={"steps_per_epoch": 40})
    run = train(*paths, tmp_path / "run", settings, progress=False)
    assert len(run.history) == 3 and max(map(max, plans)) <= MOST
    said = capsys.readouterr().out
    assert "judged on 60 of 120 sequences of cpc006 and 20 of 40 sequences of BATCH_UPLOAD" in said
    assert f"each restart starts from {MOST} at most" in said
    domains = load_domains(*paths, settings)
    data = UnpairedData(domains, settings)
    assert len(data.first_a) == len(data.first_b) == MOST
    assert [len(b) for _, b in data.held_out] == [MOST // 5] * settings.restarts
    batches = UnpairedBatches(data.a, data.b, data.train_a, data.train_b, settings, epoch=0)
    trained_on = {value for step in range(40) for value in batches[step][1][0, :, 0, 0].tolist()}
    assert trained_on == set(data.b[domains.fold_b != 0][:, 0, 0].tolist())


def test_the_start_counts_as_training_time_and_shows_a_bar(
    domains, quick_start, tmp_path, monkeypatch, capsys
):
    start_module, clock = fit.start_module, time.monotonic
    late = [0.0]

    def slow(*given):
        late[0] = 600.0  # seconds
        return start_module(*given)

    monkeypatch.setattr(fit, "start_module", slow)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + late[0])
    hurried = QUICK.model_copy(update={"max_epochs": 5, "max_minutes": 5.0})
    run = train(*domains, tmp_path, hurried)
    assert [line["epoch"] for line in run.history] == [0, 1]  # the epoch that was begun, and no other
    assert f"start: 100%|██████████| {QUICK.restarts + 1}/{QUICK.restarts + 1}" in capsys.readouterr().err
    # what was trained for counts when it goes on
    late[0] = 0.0
    assert len(train(*domains, tmp_path, hurried, resume="auto", progress=False).history) == 2
    longer = hurried.model_copy(update={"max_minutes": 30.0, "max_epochs": 3})
    assert len(train(*domains, tmp_path, longer, resume="auto", progress=False).history) == 4
