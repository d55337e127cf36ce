"""Ctrl-C and SIGTERM: the epoch is finished and saved, a sentence says so, and training can go on."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from helpers import PROJECT, QUICK, train_command
from jupyter_client.manager import start_new_kernel

from cyclegan_lib.cli import main
from cyclegan_lib.errors import Interrupted
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.stopping import Stopping
from cyclegan_lib.training import callbacks, fit, train
from cyclegan_lib.training.checkpoints import ResumePoint, checkpoints_in

pytestmark = pytest.mark.usefixtures("quick_start")
EPOCHS = 4
LAST = "cyclegan-last.ckpt"
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
SETTINGS = QUICK.model_copy(
    update={"max_epochs": EPOCHS, "accelerator": "cpu", "steps_per_epoch": 2, "restarts": 1}
)


@pytest.fixture
def arguments(domains, tmp_path) -> list[str]:
    """The command, which trains in the folder `run`."""
    return train_command(domains, tmp_path / "run", max_epochs=EPOCHS)


def at_step(monkeypatch, step: int, act) -> None:
    """Do something in the middle of a training step, counted from 1."""
    work, steps = CycleGANModule.training_step, []

    def training_step(self, *given):
        steps.append(1)
        if len(steps) == step:
            act()
        return work(self, *given)

    monkeypatch.setattr(CycleGANModule, "training_step", training_step)


def handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def said(capfd) -> str:
    """The sentence on stderr."""
    error = capfd.readouterr().err
    assert "Traceback" not in error and "Exception ignored" not in error
    lines = [line for line in error.splitlines() if line.startswith("cyclegan: ")]
    assert len(lines) == 1, error
    return lines[0]


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


@BOTH
def test_the_epoch_is_finished_and_saved_and_training_goes_on(
    number, arguments, domains, tmp_path, monkeypatch, capfd
):
    run, before = tmp_path / "run", handlers()
    with monkeypatch.context() as patch:
        at_step(patch, 3, lambda: signal.raise_signal(number))  # the first step of epoch 2
        assert main(arguments) == 128 + number
    assert handlers() == before
    captured = capfd.readouterr()
    assert "stopping when this epoch is done and saved" in captured.err
    assert captured.err.splitlines()[-1] == (
        f"cyclegan: training stopped after epoch 2 of {EPOCHS}; {run / LAST} holds it,"
        " and --resume auto goes on from there"
    )
    assert "Traceback" not in captured.err
    assert ResumePoint.read(run / LAST).epoch == 2
    assert main(arguments) == 0
    whole = weights(train(*domains, tmp_path / "whole", SETTINGS, progress=False).last)
    resumed = weights(run / LAST)
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


@BOTH
def test_twice_stops_at_once_with_the_checkpoint_of_the_epoch_before(
    number, arguments, tmp_path, monkeypatch, capfd
):
    def twice():
        signal.raise_signal(number)
        signal.raise_signal(number)

    with monkeypatch.context() as patch:
        at_step(patch, 5, twice)  # the first step of epoch 3
        assert main(arguments) == 128 + number
    assert f"training stopped after epoch 2 of {EPOCHS}" in said(capfd)
    assert ResumePoint.read(tmp_path / "run" / LAST).epoch == 2
    assert main(arguments) == 0


def test_twice_while_files_are_written_leaves_whole_ones(arguments, tmp_path, monkeypatch, capfd):
    copy_whole = callbacks.copy_whole

    def interrupted(source, target):
        if ResumePoint.read(source).epoch == 2:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
        copy_whole(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks, "copy_whole", interrupted)
        assert main(arguments) == 143
    assert "training stopped after epoch 2" in said(capfd)
    run = tmp_path / "run"
    assert max(ResumePoint.read(path).epoch for path in checkpoints_in(run)) == 2
    assert not list(run.glob(".*"))
    assert main(arguments) == 0


def test_in_the_last_epoch_nothing_is_left_to_do(arguments, tmp_path, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        at_step(patch, 2 * EPOCHS, lambda: signal.raise_signal(signal.SIGTERM))
        assert main(arguments) == 143
    assert f"after epoch {EPOCHS} of {EPOCHS}" in said(capfd)
    assert main(arguments) == 0
    assert "is done" in capfd.readouterr().out


@BOTH
def test_before_training_there_is_a_sentence_and_no_checkpoint(
    number, arguments, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr(fit, "load_domains", lambda *given: signal.raise_signal(number))
    before = handlers()
    assert main(arguments) == 128 + number
    assert said(capfd) == "cyclegan: training was stopped before it began"
    assert handlers() == before
    assert not (tmp_path / "run").exists()


IMPORTING = """
import signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            sys.meta_path.remove(self)
            signal.raise_signal({number})

sys.meta_path.insert(0, Interrupt())
from cyclegan_lib.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("module", "number"),
    [("typer", signal.SIGINT), ("ot", signal.SIGINT), ("pytorch_lightning", signal.SIGTERM)],
)
def test_while_libraries_are_imported_there_is_a_sentence_too(module, number, arguments, tmp_path):
    code = IMPORTING.format(module=module, number=int(number))
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 128 + number
    assert done.stderr.startswith("cyclegan: ") and done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_outside_the_main_thread_signals_are_left_alone(domains, tmp_path):
    before, found = handlers(), []

    def work():
        found.append(train(*domains, tmp_path, SETTINGS, progress=False))
        found.append(handlers())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(found[0].history) == EPOCHS + 1 and found[1] == before == handlers()


def test_an_error_of_the_block_is_not_taken_for_a_signal():
    before = handlers()
    with pytest.raises(ZeroDivisionError), Stopping(lambda: "stopped"):
        raise ZeroDivisionError
    with pytest.raises(Interrupted, match="stopped") as caught, Stopping(lambda: "stopped"):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143
    assert handlers() == before


def test_a_notebooks_stop_button_ends_the_cell_with_what_to_do(domains, tmp_path):
    code = f"""
from helpers import QUICK
from cyclegan_lib.training import train

settings = QUICK.model_copy(update={{"max_epochs": 100_000, "accelerator": "cpu"}})
where = ({str(domains[0])!r}, {str(domains[1])!r}, {str(tmp_path)!r})
train(*where, settings, progress=False, on_epoch=lambda history: print("epoch", len(history) - 1))
"""
    kernel, client = start_new_kernel(cwd=str(PROJECT / "tests"))
    try:
        request = client.execute(code)
        while True:
            message = client.get_iopub_msg(timeout=120)
            assert message["msg_type"] != "error", message["content"]["traceback"]
            if "epoch 1" in message["content"].get("text", ""):
                break
        kernel.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=120))["parent_header"]["msg_id"] != request:
            pass
        assert reply["content"]["ename"] == "Interrupted"
        epoch = ResumePoint.read(tmp_path / LAST).epoch
        assert reply["content"]["evalue"].startswith(f"training stopped after epoch {epoch} of 100000; ")
        # the kernel is as before: the next cell runs, and can be interrupted as ever
        client.execute_interactive("import signal; print(signal.getsignal(signal.SIGINT))", timeout=60)
        assert client.execute_interactive("1 / 0", timeout=60, output_hook=lambda m: None)["content"][
            "ename"
        ] == ("ZeroDivisionError")
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
