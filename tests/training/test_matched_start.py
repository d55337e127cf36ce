"""Where a real training starts: at maps of what each restart may see, with labels, pairs and gains."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import QUICK, make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import Normalizer, Pairs
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.training import Domains, load_domains, start, train
from cyclegan_lib.training.matching import Described, MatchSettings, matched_gain
from cyclegan_lib.training.start import start_map, start_module
from cyclegan_lib.training.trust import Trust, beyond_filter


@pytest.fixture(autouse=True)
def one_draw(monkeypatch):
    """A start is one map then, not the mean of eight; and none that is simpler."""
    monkeypatch.setattr(start, "MAX_DRAWS", 1)
    monkeypatch.setattr(start, "_nearest", lambda *given: start.MATCHED)


def test_training_starts_at_matched_maps_of_what_each_restart_may_see(domains, tmp_path):
    short = QUICK.model_copy(update={"max_epochs": 1, "steps_per_epoch": 1})
    run = train(*domains, tmp_path, short, progress=False)
    module = CycleGANModule.load_from_checkpoint(run.last, map_location="cpu")
    prepared = load_domains(*domains, QUICK)
    z = prepared.normalized()
    described = (Described.describe(z[x][:], getattr(prepared, x).recording) for x in "ab")
    trust, _ = Trust.of(*described, np.random.default_rng(QUICK.seed))
    rng = np.random.default_rng([QUICK.seed, 1])
    drawn = MatchSettings.draw(rng, QUICK.restarts, trust.distance)
    for restart in range(QUICK.restarts):
        in_a, in_b = prepared.fold_a != restart, prepared.fold_b != restart
        a = Described.describe(z["a"][in_a], prepared.a.recording[in_a])
        b = Described.describe(z["b"][in_b], prepared.b.recording[in_b], prepared.b.label[in_b])
        own = drawn[restart :: QUICK.restarts]  # the same in both directions
        ab, ba = start_map(a, b, own, rng), start_map(b, a, own, rng)
        for network, (weight, bias) in (
            (module.average_AB.module, trust.applied(ab, a, b, trust.level_ab)),
            (module.generator_BA, trust.applied(ba, b, a, trust.level_ba)),
        ):
            np.testing.assert_allclose(network.start_weight[restart].T, weight, atol=1e-5)
            np.testing.assert_allclose(network.start_bias[restart, 0], bias, atol=1e-5)


def test_labels_of_b_count_where_they_are_wanted_and_those_of_a_never_do(monkeypatch):
    trusted = start.Trust(), dict.fromkeys(("ab", "ba"), (1.0, 1.0, 1.0))
    monkeypatch.setattr(start.Trust, "of", lambda *given: trusted)
    a, b = make_set("cpc006", seed=1, shift=10), make_set("BATCH_UPLOAD", seed=2)

    def begin(a, b, **more):
        fold = np.arange(12) % 5
        normalizer = Normalizer.fit(a.features, b.features)
        settings = QUICK.model_copy(update={"restarts": 1, **more})
        module = start_module(Domains(a, b, fold, fold, normalizer, {}), settings)
        return torch.cat([module.generator_AB.start_weight, module.generator_BA.start_weight])

    first = begin(a, b)
    assert torch.equal(begin(replace(a, label=np.full(12, "unknown")), b), first)
    without = begin(a, replace(b, label=None))
    assert not torch.equal(without, first)
    assert torch.equal(begin(a, b, use_labels=False), without)
    assert torch.equal(begin(a, replace(b, label=np.full(12, "ball"))), without)  # one class tells nothing
    assert torch.equal(begin(a, replace(b, label=np.full(12, ""))), without)
    some = begin(a, replace(b, label=np.where(np.arange(12) < 8, b.label, "")))
    assert not torch.equal(some, without) and not torch.equal(some, first)


@pytest.mark.parametrize("kind", [start.SHIFT, start.AFFINE])
def test_a_simpler_map_is_taken_where_it_is_nearer(kind, domains, monkeypatch):
    """The devices of these sets differ by a shift of 10 dB, or by a gain besides."""
    monkeypatch.undo()
    monkeypatch.setattr(start, "start_map", lambda *given: (np.eye(40), np.full(40, 5.0)))
    doubtful = start.Trust(), dict.fromkeys(("ab", "ba"), (0.1, -0.1, 0.3))
    monkeypatch.setattr(start.Trust, "of", lambda *given: doubtful)
    prepared = load_domains(*domains, QUICK)
    if kind == start.AFFINE:
        a = prepared.a.with_features(2 * prepared.a.features, prepared.a.device)
        prepared = replace(prepared, a=a, normalizer=Normalizer.fit(a.features, prepared.b.features))
    module = start_module(prepared, QUICK)
    assert module.evidence.start == kind
    sure = start.Trust(), dict.fromkeys(("ab", "ba"), (0.2, 0.1, 0.3))
    monkeypatch.setattr(start.Trust, "of", lambda *given: sure)
    assert start_module(prepared, QUICK).evidence.start == start.MATCHED  # as held-out matches say
    off_diagonal = module.generator_AB.start_weight[:, ~torch.eye(40, dtype=bool)]
    assert (off_diagonal == 0).all()


@pytest.mark.parametrize(("of_last", "kind"), [(1.9, start.SHIFT), (2.1, start.MATCHED)])
def test_a_simpler_map_must_be_nearer_on_every_fold(of_last, kind, domains, monkeypatch):
    monkeypatch.undo()
    doubtful = start.Trust(), dict.fromkeys(("ab", "ba"), (0.1, -0.1, 0.3))
    monkeypatch.setattr(start.Trust, "of", lambda *given: doubtful)
    of_folds = [(2.0, 1.0, 3.0)] * (QUICK.restarts - 1) + [(2.0, of_last, 3.0)]  # matched, shift, affine
    distances = itertools.cycle(itertools.chain(*of_folds))
    monkeypatch.setattr(start, "held_out_distance", lambda *given: next(distances))
    assert start_module(load_domains(*domains, QUICK), QUICK).evidence.start == kind


@pytest.mark.parametrize("name", ["best", "last"])
def test_the_gains_in_a_checkpoint_are_those_of_its_own_weights(domains, trained, name):
    module = CycleGANModule.load_from_checkpoint(getattr(trained[0], name), map_location="cpu")
    z = {name: scores[:] for name, scores in load_domains(*domains, QUICK).normalized().items()}
    for generator, source, target in (
        (module.average_AB.module, z["a"], z["b"]),
        (module.average_BA.module, z["b"], z["a"]),
    ):
        assert generator.gain_bias.abs().max() > 0.01
        translated = generator.ungained(torch.from_numpy(source)).detach().numpy()
        names = np.arange(len(source))
        part = beyond_filter(Described.describe(z["a"], names), Described.describe(z["b"], names))
        gain = matched_gain(*(Described.describe(x, names) for x in (translated, target)), part)
        for name, fitted in vars(gain).items():
            np.testing.assert_allclose(getattr(generator, f"gain_{name}"), fitted, atol=1e-3)


def test_the_linear_start_is_chosen_when_training_only_makes_it_worse(domains, tmp_path):
    harmful = QUICK.model_copy(update={"max_epochs": 1, "learning_rate": 0.5})
    run = train(*domains, tmp_path, harmful, progress=False)
    assert run.best_epoch == 0
    assert run.history[1]["val_distance"] > run.history[0]["val_distance"]


def test_pairs_help_to_start_and_are_not_needed_to_go_on(domains, trained, tmp_path):
    both = make_set("cpc006", n=3, seed=8)
    heard = both.with_features(both.features - 10, "BATCH_UPLOAD")
    pairs = Pairs.of(both, heard).save(tmp_path / "pairs.npz")
    short = QUICK.model_copy(update={"max_epochs": 1})
    run = train(*domains, tmp_path / "with", short, progress=False, pairs=pairs)
    first, with_pairs = (
        torch.load(path, weights_only=True)["state_dict"] for path in (trained[0].last, run.last)
    )
    for name in ("generator_AB.start_weight", "generator_BA.start_bias"):
        assert not torch.equal(first[name], with_pairs[name])
    assert len(train(*domains, tmp_path / "with", QUICK, resume=run.last, progress=False).history) == 3
    with pytest.raises(InputError, match="no_such.npz does not exist"):
        train(*domains, tmp_path / "without", QUICK, progress=False, pairs=tmp_path / "no_such.npz")
    assert not (tmp_path / "without").exists()
