"""What a run leaves, what stops it, and what it never begins with."""

import csv
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import QUICK, make_set, refusal, train_command
from same_run import differences, unequal
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.errors import InputError
from cyclegan_lib.locks import locked
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.training import held_out_distance, train
from cyclegan_lib.training.criterion import yardstick

pytestmark = pytest.mark.usefixtures("quick_start")
LAST = "cyclegan-last.ckpt"
X = torch.zeros(1, 50, 40)


def quick(**more):
    return QUICK.model_copy(update=more)


@pytest.fixture(scope="module")
def watched(quick_start, domains, tmp_path_factory):
    """Two epochs: (TrainingRun, its folder, lengths of the history, what a watcher saw translated)."""
    lengths, seen, folder = [], {}, tmp_path_factory.mktemp("watched")

    def watch(epoch, module):
        assert epoch not in seen
        seen[epoch] = module.convert_A_to_B(X)

    count = lambda history: lengths.append(len(history))
    run = train(*domains, folder, QUICK, progress=False, on_epoch=count, watch=watch)
    return run, folder, lengths, seen


def test_a_run_leaves_the_files_that_the_guide_names(watched):
    folder = watched[1]
    names = {path.name for path in folder.iterdir()}
    own = [name for name in names if re.fullmatch(r"cyclegan-epoch=[01]-val_cycle_A=\d\.\d{4}\.ckpt", name)]
    assert len(own) == 2
    names -= {".lock"}  # which Windows takes away with its owner
    assert names == {"best.ckpt", LAST, "normalization_params.json", "metrics.csv", "logs", *own}
    assert list((folder / "logs").glob("events.out.tfevents*"))


def test_metrics_are_logged_for_each_epoch(watched):
    run, folder, lengths, _ = watched
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"] and lengths == [1, 2, 3]
    for name in ("val_cycle_A", "val_cycle_B", "val_distance", "val_distance_1", "train_discriminator"):
        assert math.isfinite(float(rows[-1][name]))
    events = EventAccumulator(str(folder / "logs")).Reload()
    logged = {event.step: event.value for event in events.Scalars("held_out/distance")}
    assert list(logged.values()) == pytest.approx([float(row["val_distance"]) for row in rows[1:]], rel=1e-5)
    tags = set(events.Tags()["scalars"])
    assert {"held_out/cycle_A", "losses/cycle", "losses/discriminator"} <= tags
    # TensorBoard opens on groups: nothing stands beside them
    assert {tag.partition("/")[0] for tag in tags} == {"losses", "held_out"}
    best = min(rows, key=lambda row: float(row["val_distance"]))
    assert run.best_epoch == int(best["epoch"])


def test_a_watcher_sees_the_untrained_model_and_every_epoch(watched):
    run, _, _, seen = watched
    assert list(seen) == [0, 1, 2]
    last = CycleGANModule.load_from_checkpoint(run.last, map_location="cpu")
    torch.testing.assert_close(seen[2], last.convert_A_to_B(X))
    assert not torch.equal(seen[0], seen[1])


def test_the_same_seed_gives_the_same_weights_watched_or_not(domains, watched, tmp_path):
    best = train(*domains, tmp_path, QUICK, progress=False).best.read_bytes()
    assert unequal(watched[1], tmp_path) == []
    train(*domains, tmp_path, quick(seed=1), progress=False)
    # the earlier run is set aside, not overwritten
    assert (tmp_path / "earlier-1" / "best.ckpt").read_bytes() == best
    both = (torch.load(folder / LAST, weights_only=True) for folder in (watched[1], tmp_path))
    assert any(line.startswith("state_dict") for line in differences(*both))


def test_going_on_in_another_folder_leaves_a_best_checkpoint_there(domains, watched, tmp_path):
    run, folder, *_ = watched
    before = {path.name: path.read_bytes() for path in folder.glob("*.ckpt")}
    again = train(*domains, tmp_path / "other", QUICK, resume=run.last, progress=False)
    assert again.best.read_bytes() == run.best.read_bytes()
    assert {path.name: path.read_bytes() for path in folder.glob("*.ckpt")} == before


def usable(path):
    module = CycleGANModule.load_from_checkpoint(path, map_location="cpu")
    assert all(value.isfinite().all() for value in read_checkpoint(path)["state_dict"].values())
    assert module.convert_A_to_B(X).isfinite().all()


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (3, "diverged: the loss at step 2 .* lower learning rate"),
        (1, "diverged"),  # with the epoch's last step: found after the epoch
    ],
)
def test_a_diverging_run_keeps_the_last_good_checkpoint(steps, says, domains, tmp_path):
    wild = quick(learning_rate=1e30, steps_per_epoch=steps)
    with pytest.raises(InputError, match=says):
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
    for name in ("best.ckpt", LAST):
        usable(tmp_path / name)
    with (tmp_path / "metrics.csv").open(encoding="utf-8", newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]
    resumed = train(*domains, tmp_path, QUICK, resume="auto", progress=False)
    assert resumed.history[-1]["epoch"] == 2  # what broke it is gone


B = make_set("BATCH_UPLOAD")


@pytest.mark.parametrize(
    ("b", "settings", "says"),
    [
        (make_set("BATCH_UPLOAD", sample_rate=12000), {}, "different settings"),
        (make_set("cpc006"), {}, "both come from the device"),
        (make_set("BATCH_UPLOAD", n=1), {}, "at least 2"),
        (make_set("BATCH_UPLOAD", n=7), {}, "b.npz holds 7 recordings; at least 8"),
        (make_set("BATCH_UPLOAD", n=9), {"restarts": 10, "folds": 10}, "b.npz holds 9 .*; at least 10"),
        (
            replace(B, features=np.full_like(B.features, -100)),
            {},
            "every feature in .*b.npz has the same val",
        ),
        (replace(B, features=B.features[:, :4]), {}, "b.npz has 4 slices a sequence; at least 5"),
    ],
)
def test_domains_that_do_not_fit_are_refused_before_anything_is_written(domains, tmp_path, b, settings, says):
    path = b.save(tmp_path / "b.npz")
    with pytest.raises(InputError, match=says):
        train(domains[0], path, tmp_path / "out", quick(**settings), progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="it has one")
def test_an_accelerator_that_is_not_there_is_refused_before_anything_is_written(domains, tmp_path, capsys):
    said = refusal(capsys, *train_command(domains, tmp_path / "out", accelerator="gpu"))
    assert "the accelerator gpu cannot be used here" in said and "give --accelerator cpu" in said
    assert not (tmp_path / "out").exists()


def test_two_trainings_do_not_share_a_folder(domains, watched, tmp_path, capsys):
    for folder in (watched[1], tmp_path / "new"):
        command = train_command(domains, folder, resume=watched[0].last, max_epochs=3, restarts=2)
        with locked(folder):
            before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
            said = refusal(capsys, *command)
            assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
        assert f"is working in {folder}; wait until it has ended, or give another folder for check" in said
    assert len(train(*domains, folder, QUICK, progress=False).history) == 3  # it is free again


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
    measure = yardstick(y)
    np.testing.assert_allclose(measure, [statistics[1].mean(axis=0), scale])
    assert held_out_distance(x, y, measure) == pytest.approx(expected, rel=0.1)
    assert held_out_distance(y, y, measure) == 0
    odd = np.concatenate([x[:5], 100 * x[5:]])  # one odd recording does not decide
    assert held_out_distance(odd, y, measure) < 3 * expected
