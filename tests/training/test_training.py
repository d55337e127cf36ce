import csv
import math

import numpy as np
import pytest
import torch
from helpers import QUICK, make_set
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import Normalizer
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.models.linear import gaussian_ot_map
from cyclegan_lib.training import held_out_distance, load_domains, train
from cyclegan_lib.training.batches import UnpairedBatches


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
    for name in ("val_cycle_A", "val_adversarial_B", "val_distance", "train_cycle", "train_discriminator"):
        assert math.isfinite(float(rows[-1][name]))
    events = EventAccumulator(str(folder / "logs")).Reload()
    logged = {event.step: event.value for event in events.Scalars("val_distance")}
    assert list(logged.values()) == pytest.approx([float(row["val_distance"]) for row in rows[1:]], rel=1e-5)
    assert {"val_cycle_A", "val_adversarial_B", "train_cycle"} <= set(events.Tags()["scalars"])
    best = min(rows, key=lambda row: float(row["val_distance"]))
    assert run.best_epoch == int(best["epoch"])


def test_training_starts_at_gaussian_optimal_transport(domains, tmp_path):
    still = QUICK.model_copy(update={"max_epochs": 1, "learning_rate": 1e-12})
    run = train(*domains, tmp_path, still, progress=False)
    module = CycleGANModule.load_from_checkpoint(run.best, map_location="cpu")
    prepared = load_domains(*domains, QUICK)
    parts = prepared.normalized()
    weight, bias = gaussian_ot_map(parts["train_a"].reshape(-1, 40), parts["train_b"].reshape(-1, 40))
    expected = parts["held_out_a"] @ weight.T + bias
    found = module.convert_A_to_B(torch.from_numpy(parts["held_out_a"])).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


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


def test_a_diverging_run_keeps_the_last_good_checkpoint(domains, tmp_path):
    wild = QUICK.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(InputError, match="diverged in epoch 1"):
        train(*domains, tmp_path, wild, progress=False)
    assert all(value.isfinite().all() for value in weights(tmp_path / "best.ckpt").values())


def test_progress_is_reported_each_epoch(domains, tmp_path):
    seen = []
    train(*domains, tmp_path, QUICK, progress=False, on_epoch=lambda history: seen.append(len(history)))
    assert seen == [1, 2, 3]


def test_normalisation_is_fitted_on_the_training_part_alone(domains):
    prepared = load_domains(*domains, QUICK)
    expected = Normalizer.fit(prepared.train_a.features, prepared.train_b.features)
    np.testing.assert_array_equal(prepared.normalizer.mean_a, expected.mean_a)
    assert set(prepared.train_a.recording).isdisjoint(prepared.held_out_a.recording)


@pytest.mark.parametrize(
    ("b", "says"),
    [
        (make_set("BATCH_UPLOAD", sample_rate=12000), "different settings"),
        (make_set("cpc006"), "both come from the device"),
        (make_set("BATCH_UPLOAD", n=1), "at least 2"),
    ],
)
def test_domains_that_do_not_fit_are_refused_before_anything_is_written(domains, tmp_path, b, says):
    path = b.save(tmp_path / "b.npz")
    with pytest.raises(InputError, match=says):
        train(domains[0], path, tmp_path / "out", QUICK, progress=False)
    assert not (tmp_path / "out").exists()


def test_batches_are_unpaired_and_follow_from_seed_and_epoch():
    x = torch.arange(10.0).reshape(10, 1, 1)
    settings = QUICK.model_copy(update={"steps_per_epoch": 5, "batch_size": 4})
    first, again, later = (
        [tuple(t.flatten().tolist() for t in batches[step]) for step in range(len(batches))]
        for batches in (UnpairedBatches(x, x, settings, epoch) for epoch in (0, 0, 1))
    )
    assert first == again
    assert first != later
    assert any(a != b for a, b in first)
    # 20 draws from 10: each sequence exactly twice
    assert sorted(v for a, _ in first for v in a) == sorted(list(range(10)) * 2)


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
