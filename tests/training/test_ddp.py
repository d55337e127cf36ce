"""Several devices share the restarts: the losses of one process; and, whatever happens, a sentence."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import torch
from helpers import PROJECT, QUICK, deviations_apart, refusal, train_command

from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.training import train
from cyclegan_lib.training.checkpoints import ResumePoint, checkpoints_in
from cyclegan_lib.training.ddp import members_of

pytestmark = pytest.mark.usefixtures("quick_start")
LAST = "cyclegan-last.ckpt"
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")


def settings(devices: int, epochs: int = 4, **more):
    """Three restarts, so that two processes have unequal parts."""
    asked = {"devices": devices, "max_epochs": epochs, "restarts": 3, "accelerator": "cpu", **more}
    return QUICK.model_copy(update=asked)


@pytest.fixture(scope="module")
def one(quick_start, domains, tmp_path_factory):
    """Four epochs in one process."""
    return train(*domains, tmp_path_factory.mktemp("one"), settings(1), progress=False)


@pytest.fixture(scope="module")
def two(quick_start, domains, tmp_path_factory):
    """The same in two."""
    hook = sys.excepthook
    run = train(*domains, tmp_path_factory.mktemp("two"), settings(2, strategy="ddp"), progress=False)
    assert not torch.distributed.is_initialized() and not multiprocessing.active_children()
    assert sys.excepthook is hook
    return run


def assert_same(run, other) -> None:
    """Every loss and figure of every epoch is that of the other run."""
    assert len(run.history) == len(other.history)
    for mine, others in zip(run.history, other.history, strict=True):
        assert mine == pytest.approx(others, abs=1e-4)
    assert {path.name for path in checkpoints_in(run.last.parent)} == {
        path.name for path in checkpoints_in(other.last.parent)
    }


@pytest.mark.parametrize(("devices", "restarts"), [(1, 4), (2, 4), (3, 4), (3, 16), (5, 5)])
def test_each_restart_is_trained_once(devices, restarts):
    parts = [members_of(rank, devices, restarts) for rank in range(devices)]
    assert [i for part in parts for i in range(restarts)[part]] == list(range(restarts))
    sizes = [part.stop - part.start for part in parts]
    assert 1 <= min(sizes) and max(sizes) - min(sizes) <= 1


def test_more_devices_than_restarts_are_refused_before_anything_is_written(domains, tmp_path, capsys):
    said = refusal(capsys, *train_command(domains, tmp_path / "out", devices=3, restarts=2))
    assert "3 devices cannot share 2 restarts" in said and "give --devices 2 at most" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="it has one")
def test_more_devices_than_gpus_are_refused(domains, tmp_path, capsys):
    command = train_command(domains, tmp_path / "out", devices=2, restarts=2, accelerator="gpu")
    assert "give fewer --devices, or --accelerator cpu" in refusal(capsys, *command)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_two_processes_give_the_losses_and_translations_of_one(one, two, domains):
    assert {"train_cycle", "train_discriminator", "val_cycle_A", "val_distance"} < set(two.history[-1])
    assert_same(one, two)
    source = FeatureSet.load(domains[0]).features
    for choose in ("best", "last"):
        mine, other = (Translator.of_checkpoint(getattr(run, choose), "AB") for run in (one, two))
        assert deviations_apart(mine, mine.translate(source), other.translate(source)) < 1e-4


@pytest.mark.slow
def test_every_weight_and_moment_is_there(one, two):
    mine, other = (torch.load(run.last, weights_only=True) for run in (one, two))
    for name, value in mine["state_dict"].items():
        torch.testing.assert_close(other["state_dict"][name], value, rtol=1e-4, atol=1e-5)
    for a, b in zip(mine["optimizer_states"], other["optimizer_states"], strict=True):
        for index, moments in a["state"].items():
            for name, value in moments.items():
                torch.testing.assert_close(b["state"][index][name], value, rtol=1e-3, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_a_run_goes_on_with_another_number_of_processes(before, after, one, domains, tmp_path):
    train(*domains, tmp_path, settings(before, epochs=2), progress=False)
    assert_same(train(*domains, tmp_path, settings(after), resume="auto", progress=False), one)


@pytest.mark.slow
def test_all_stop_when_the_minutes_are_over(domains, tmp_path):
    run = train(*domains, tmp_path, settings(2, epochs=100_000, max_minutes=0.01), progress=False)
    assert 2 <= len(run.history) < 1000 and not multiprocessing.active_children()


@pytest.mark.slow
def test_a_process_that_is_killed_ends_training_with_a_sentence(one, domains, tmp_path):
    def kill(history):
        if len(history) == 3:
            for process in multiprocessing.active_children():
                process.kill()

    with pytest.raises(
        InputError, match=r"exit code -9\); --devices 1 .*; .*last.ckpt holds epoch [23]"
    ) as said:
        train(*domains, tmp_path, settings(2), progress=False, on_epoch=kill)
    assert ResumePoint.read(tmp_path / LAST).epoch == int(str(said.value).split("holds epoch ")[1][0])
    assert not list(tmp_path.glob(".*.part*")) and not torch.distributed.is_initialized()
    assert_same(train(*domains, tmp_path, settings(1), resume="auto", progress=False), one)


@pytest.mark.slow
def test_training_that_diverges_anywhere_ends_with_the_sentence_of_one_process(domains, tmp_path):
    with pytest.raises(InputError, match="training diverged.*last.ckpt holds epoch 0"):
        train(*domains, tmp_path, settings(2, learning_rate=1e30), progress=False)
    assert not multiprocessing.active_children()


@on_posix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_stops_after_the_epoch(number, domains, tmp_path):
    command = train_command(domains, tmp_path, max_epochs=100_000, devices=2, restarts=2)
    process = subprocess.Popen(
        [sys.executable, "-m", "cyclegan_lib", *command],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    metrics = tmp_path / "metrics.csv"
    while not metrics.exists() or metrics.read_text(encoding="utf-8").count("\n") < 4:
        assert process.poll() is None
        time.sleep(0.1)
    others = psutil.Process(process.pid).children()
    os.killpg(process.pid, number)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number, error
    assert "--resume auto goes on from there" in error and "Traceback" not in error
    assert ResumePoint.read(tmp_path / LAST).epoch >= 2
    assert others and not psutil.wait_procs(others, timeout=10)[1]


@pytest.mark.slow
def test_a_script_that_is_not_guarded_is_told_so(domains, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from cyclegan_lib.config import TrainingSettings\nfrom cyclegan_lib.training import train\n"
        "settings = TrainingSettings(devices=2, accelerator='cpu')\n"
        f"train({str(domains[0])!r}, {str(domains[1])!r}, {str(tmp_path / 'out')!r}, settings)\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, script], capture_output=True, encoding="utf-8", env=environment)
    assert done.returncode == 1
    assert "train under `if __name__ == '__main__':`, or --devices 1" in done.stderr.splitlines()[-1]
    assert not checkpoints_in(tmp_path / "out")
