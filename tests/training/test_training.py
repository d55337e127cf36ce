import copy
import csv
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import QUICK, make_set
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import Normalizer, Pairs
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.training import Domains, held_out_distance, load_domains, train
from cyclegan_lib.training.start import Described, matched_gain, start_map, start_module


def silent(device):
    found = make_set(device)
    return found.with_features(np.full_like(found.features, -100.0), device)


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


def test_a_run_leaves_the_files_that_the_guide_names(trained):
    run, folder = trained
    names = {path.name for path in folder.iterdir()}
    assert {"best.ckpt", "cyclegan-last.ckpt", "normalization_params.json", "metrics.csv", "logs"} <= names
    named = [name for name in names if name.startswith("cyclegan-epoch=")]
    assert len(named) == 2
    assert all("-val_cycle_A=0." in name for name in named)
    assert any(path.name.startswith("events.out.tfevents") for path in (folder / "logs").rglob("*"))


def test_metrics_are_logged_for_each_epoch(trained):
    run, folder = trained
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for name in (
        "val_cycle_A",
        "val_cycle_B",
        "val_distance",
        "val_distance_1",
        "train_cycle",
        "train_discriminator",
    ):
        assert math.isfinite(float(rows[-1][name]))
    events = EventAccumulator(str(folder / "logs")).Reload()
    logged = {event.step: event.value for event in events.Scalars("val_distance")}
    assert list(logged.values()) == pytest.approx([float(row["val_distance"]) for row in rows[1:]], rel=1e-5)
    assert {"val_cycle_A", "val_cycle_B", "train_cycle"} <= set(events.Tags()["scalars"])
    best = min(rows, key=lambda row: float(row["val_distance"]))
    assert run.best_epoch == int(best["epoch"])


def test_training_starts_at_matched_maps_of_what_each_restart_may_see(domains, tmp_path):
    still = QUICK.model_copy(update={"max_epochs": 1, "learning_rate": 1e-12})
    run = train(*domains, tmp_path, still, progress=False)
    module = CycleGANModule.load_from_checkpoint(run.best, map_location="cpu")
    prepared = load_domains(*domains, QUICK)
    z = prepared.normalized()
    rng = np.random.default_rng(QUICK.seed)
    each = []
    for restart in range(QUICK.restarts):
        in_a, in_b = prepared.fold_a != restart, prepared.fold_b != restart
        a = Described.describe(z["a"][in_a], prepared.a.recording[in_a])
        b = Described.describe(z["b"][in_b], prepared.b.recording[in_b], prepared.b.label[in_b])
        weight, bias = start_map(a, b, copy.deepcopy(rng))
        start_map(b, a, rng)  # the other direction draws the same and moves the generator on
        each.append(z["a"] @ weight.T + bias)
    found = module.average_AB.module.ungained(torch.from_numpy(z["a"])).detach().numpy()
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-3)


def test_labels_of_b_count_where_they_are_wanted_and_those_of_a_never_do():
    a, b = make_set("cpc006", seed=1, shift=10), make_set("BATCH_UPLOAD", seed=2)

    def start(a, b, settings=QUICK):
        fold = np.arange(12) % 5
        normalizer = Normalizer.fit(a.features, b.features)
        module = start_module(Domains(a, b, fold, fold, normalizer, {}), settings)
        return torch.cat([module.generator_AB.start_weight, module.generator_BA.start_weight])

    first = start(a, b)
    for other in (None, a.label[::-1], np.full(12, "unknown")):
        assert torch.equal(start(replace(a, label=other), b), first)
    without = start(a, replace(b, label=None))
    assert not torch.equal(without, first)
    assert torch.equal(start(a, b, QUICK.model_copy(update={"use_labels": False})), without)
    assert torch.equal(start(a, replace(b, label=np.full(12, "ball"))), without)  # one class tells nothing


@pytest.mark.parametrize("name", ["best", "last"])
def test_the_gains_in_a_checkpoint_are_those_of_its_own_weights(domains, trained, name):
    module = CycleGANModule.load_from_checkpoint(getattr(trained[0], name), map_location="cpu")
    prepared = load_domains(*domains, QUICK)
    z = {key: torch.from_numpy(x) for key, x in prepared.normalized().items()}
    for generator, source, target in (
        (module.average_AB.module, z["a"], z["b"]),
        (module.average_BA.module, z["b"], z["a"]),
    ):
        before = {key: x.clone() for key, x in generator.state_dict().items() if key.startswith("gain_")}
        assert before["gain_bias"].abs().max() > 0.01
        translated = generator.ungained(source).detach().numpy()
        described = (Described.describe(x, np.arange(len(x))) for x in (translated, target.numpy()))
        gain = matched_gain(*described)
        for key, found in before.items():
            np.testing.assert_allclose(found, getattr(gain, key.removeprefix("gain_")), atol=1e-3)


def test_the_same_seed_gives_the_same_weights(domains, trained, tmp_path):
    again = weights(train(*domains, tmp_path, QUICK, progress=False).last)
    first = weights(trained[0].last)
    assert all(torch.equal(first[key], again[key]) for key in first)
    other = QUICK.model_copy(update={"seed": 1})
    different = weights(train(*domains, tmp_path / "other", other, progress=False).last)
    assert any(not torch.equal(first[key], different[key]) for key in first)


def test_a_resumed_run_equals_the_uninterrupted_one(domains, trained, tmp_path):
    run, _ = trained
    half = train(*domains, tmp_path, QUICK.model_copy(update={"max_epochs": 1}), progress=False)
    resumed = train(*domains, tmp_path, QUICK, resume=half.last, progress=False)
    assert [h["epoch"] for h in resumed.history] == [0, 1, 2]
    assert resumed.history == run.history
    whole, again = weights(run.last), weights(resumed.last)
    assert all(torch.equal(whole[key], again[key]) for key in whole)


def test_going_on_in_another_folder_leaves_a_best_checkpoint_there(domains, trained, tmp_path):
    run, folder = trained
    before = {path.name: path.read_bytes() for path in folder.glob("*.ckpt")}
    worse = QUICK.model_copy(update={"max_epochs": 2})
    again = train(*domains, tmp_path / "other", worse, resume=run.last, progress=False)
    assert again.best.read_bytes() == run.best.read_bytes()
    assert {path.name: path.read_bytes() for path in folder.glob("*.ckpt")} == before


def test_the_linear_start_is_chosen_when_training_only_makes_it_worse(domains, tmp_path):
    harmful = QUICK.model_copy(update={"max_epochs": 1, "learning_rate": 0.5})
    run = train(*domains, tmp_path, harmful, progress=False)
    assert run.best_epoch == 0
    assert run.history[1]["val_distance"] > run.history[0]["val_distance"]


def test_an_earlier_run_is_set_aside_not_overwritten(domains, tmp_path):
    quick = QUICK.model_copy(update={"max_epochs": 1})
    first = train(*domains, tmp_path, quick, progress=False).best.read_bytes()
    train(*domains, tmp_path, quick.model_copy(update={"seed": 5}), progress=False)
    assert (tmp_path / "earlier-1" / "best.ckpt").read_bytes() == first
    assert (tmp_path / "best.ckpt").read_bytes() != first


def test_resuming_on_other_data_is_refused(domains, trained, tmp_path):
    other = make_set("cpc006", seed=7).save(tmp_path / "other.npz")
    with pytest.raises(InputError, match="trained on other data"):
        train(other, domains[1], tmp_path / "out", QUICK, resume=trained[0].last, progress=False)


def usable(path):
    module = CycleGANModule.load_from_checkpoint(path, map_location="cpu")
    assert all(value.isfinite().all() for value in read_checkpoint(path)["state_dict"].values())
    assert module.convert_A_to_B(torch.zeros(1, 50, 40)).isfinite().all()


def test_a_diverging_run_names_the_step_and_keeps_the_last_good_checkpoint(domains, tmp_path):
    wild = QUICK.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(InputError, match="diverged: the loss at step 2 .* lower learning rate"):
        train(*domains, tmp_path, wild, progress=False)
    usable(tmp_path / "best.ckpt")


def test_a_step_that_diverges_with_the_epochs_last_is_found_after_the_epoch(domains, tmp_path):
    wild = QUICK.model_copy(update={"learning_rate": 1e30, "steps_per_epoch": 1})
    with pytest.raises(InputError, match="diverged"):
        train(*domains, tmp_path, wild, progress=False)
    usable(tmp_path / "best.ckpt")


@pytest.mark.parametrize("network", ["generator_BA", "discriminator_A"])
def test_one_restart_without_numbers_stops_the_run_before_it_is_saved(domains, tmp_path, network):
    def break_after_first_epoch(epoch, module):
        if epoch == 1:
            with torch.no_grad():
                next(getattr(module, network).parameters())[1] = float("nan")

    says = "the loss at step 4 is not a finite number; .*cyclegan-last.ckpt holds epoch 1, the last good one"
    with pytest.raises(InputError, match=says):
        train(*domains, tmp_path, QUICK, progress=False, watch=break_after_first_epoch)
    for name in ("best.ckpt", "cyclegan-last.ckpt"):
        usable(tmp_path / name)
    with (tmp_path / "metrics.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]
    resumed = train(*domains, tmp_path, QUICK, resume="auto", progress=False)
    assert resumed.history[-1]["epoch"] == 2  # what broke it is gone


def test_a_run_that_is_out_of_time_leaves_whole_checkpoints(domains, tmp_path):
    hurried = QUICK.model_copy(update={"max_minutes": 1e-5, "max_epochs": 50, "steps_per_epoch": 20})
    run = train(*domains, tmp_path, hurried, progress=False)
    assert len(run.history) < 50
    for path in (run.best, run.last):
        usable(path)


def test_progress_is_reported_each_epoch(domains, tmp_path):
    seen = []
    train(*domains, tmp_path, QUICK, progress=False, on_epoch=lambda history: seen.append(len(history)))
    assert seen == [1, 2, 3]


def test_a_watcher_sees_the_untrained_model_and_every_epoch(domains, trained, tmp_path):
    seen = {}

    def watch(epoch, module):
        assert epoch not in seen
        seen[epoch] = module.convert_A_to_B(torch.zeros(1, 50, 40))

    run = train(*domains, tmp_path, QUICK, progress=False, watch=watch)
    assert list(seen) == [0, 1, 2]
    last = CycleGANModule.load_from_checkpoint(run.last, map_location="cpu")
    torch.testing.assert_close(seen[2], last.convert_A_to_B(torch.zeros(1, 50, 40)))
    assert not torch.equal(seen[0], seen[1])
    # watching changes nothing
    first, again = weights(trained[0].last), weights(run.last)
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_pairs_help_to_start_and_are_not_needed_to_go_on(domains, trained, tmp_path):
    both = make_set("cpc006", n=3, seed=8)
    heard = both.with_features(both.features - 10, "BATCH_UPLOAD")
    pairs = Pairs.of(both, heard).save(tmp_path / "pairs.npz")
    run = train(*domains, tmp_path / "with", QUICK, progress=False, pairs=pairs)
    assert [figures["epoch"] for figures in run.history] == [0, 1, 2]
    first, with_pairs = weights(trained[0].last), weights(run.last)
    for name in ("generator_AB.start_weight", "generator_BA.start_bias"):
        assert not torch.equal(first[name], with_pairs[name])
    train(*domains, tmp_path / "with", QUICK, resume=run.last, progress=False)
    with pytest.raises(InputError, match="no_such.npz does not exist"):
        train(*domains, tmp_path / "without", QUICK, progress=False, pairs=tmp_path / "no_such.npz")
    assert not (tmp_path / "without").exists()


@pytest.mark.parametrize(
    ("b", "says"),
    [
        (make_set("BATCH_UPLOAD", sample_rate=12000), "different settings"),
        (make_set("cpc006"), "both come from the device"),
        (make_set("BATCH_UPLOAD", n=1), "at least 2"),
        (make_set("BATCH_UPLOAD", n=7), "b.npz holds 7 recordings; at least 8"),
        (silent("BATCH_UPLOAD"), "every feature in .*b.npz has the same value everywhere"),
    ],
)
def test_domains_that_do_not_fit_are_refused_before_anything_is_written(domains, tmp_path, b, says):
    path = b.save(tmp_path / "b.npz")
    with pytest.raises(InputError, match=says):
        train(domains[0], path, tmp_path / "out", QUICK, progress=False)
    assert not (tmp_path / "out").exists()


def test_held_out_distance_against_an_independent_computation():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 50, 40)), rng.normal(size=(6, 50, 40)) * 1.5 + 0.3
    statistics = []
    for z in (x, y):
        c = z - z.mean(axis=1, keepdims=True)
        lag = np.einsum("nsf,nsf->nf", c[:, 1:], c[:, :-1]) / 49
        statistics.append(np.hstack([z.mean(axis=1), z.std(axis=1), lag]))
    scale = statistics[1].std(axis=0)
    u, v = (s / scale for s in statistics)
    directions = rng.normal(size=(4000, 120))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    expected = np.sqrt(np.mean((np.sort(u @ directions.T, axis=0) - np.sort(v @ directions.T, axis=0)) ** 2))
    assert held_out_distance(x, y) == pytest.approx(expected, rel=0.1)
    assert held_out_distance(y, y) == 0
    assert held_out_distance(x, y, seed=3) == held_out_distance(x, y, seed=3)
