"""Ctrl-C and SIGTERM: the epoch is finished and saved, a sentence says so, and training can go on."""

import signal
import subprocess
import sys
import threading

import pytest
from helpers import PROJECT, train_command
from jupyter_client.manager import start_new_kernel
from same_run import unequal

from cyclegan_lib.cli import main
from cyclegan_lib.errors import Interrupted
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.stopping import SIGNALS, Stopping
from cyclegan_lib.training import TrainingRun, callbacks, fit
from cyclegan_lib.training.checkpoints import ResumePoint, checkpoints_in

pytestmark = pytest.mark.usefixtures("quick_start")
EPOCHS = 4
LAST = "cyclegan-last.ckpt"


@pytest.fixture
def arguments(domains, tmp_path) -> list[str]:
    """The command, which trains in the folder `run`."""
    return train_command(domains, tmp_path / "run")


def handlers():
    return [signal.getsignal(number) for number in SIGNALS]


def said(capfd) -> list[str]:
    """The lines of standard error, of which the last one is the sentence."""
    error = capfd.readouterr().err
    assert "Traceback" not in error and "Exception ignored" not in error
    assert error.count("cyclegan: ") == 1, error
    return error.splitlines()


@pytest.mark.parametrize(
    ("signals", "step", "saved"),
    [
        *[([number], 3, 2) for number in SIGNALS],  # the first step of epoch 2, which is finished
        ([signal.SIGTERM], 2 * EPOCHS, EPOCHS),  # the last step of all: nothing is left to do
        ([signal.SIGTERM, signal.SIGINT], 5, 2),  # twice in epoch 3, which is lost
        ([signal.SIGINT, signal.SIGTERM], 5, 2),
    ],
)
def test_an_epoch_is_saved_and_training_goes_on(
    signals, step, saved, arguments, uninterrupted, tmp_path, monkeypatch, capfd
):
    work, steps, run, before = CycleGANModule.training_step, [], tmp_path / "run", handlers()

    def training_step(self, *given):
        steps.append(1)
        if len(steps) == step:
            for number in signals:
                signal.raise_signal(number)
        return work(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(CycleGANModule, "training_step", training_step)
        assert main(arguments) == 128 + signals[-1]
    assert handlers() == before
    *before_it, sentence = said(capfd)
    assert any("stopping when this epoch is done" in line for line in before_it) == (len(signals) == 1)
    assert sentence == (
        f"cyclegan: training stopped after epoch {saved} of {EPOCHS}; {run / LAST} holds it,"
        " and --resume auto goes on from there"
    )
    assert ResumePoint.read(run / LAST).epoch == saved
    assert main(arguments) == 0
    assert ("is done" in capfd.readouterr().out) == (saved == EPOCHS)
    assert unequal(uninterrupted, run) == []


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
    assert "training stopped after epoch 2" in said(capfd)[-1]
    run = tmp_path / "run"
    assert max(ResumePoint.read(path).epoch for path in checkpoints_in(run)) == 2
    assert not list(run.glob(".*.part*"))
    assert main(arguments) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_training_there_is_a_sentence_and_no_checkpoint(
    number, arguments, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr(fit, "load_domains", lambda *given: signal.raise_signal(number))
    before = handlers()
    assert main(arguments) == 128 + number
    assert said(capfd)[-1] == "cyclegan: training was stopped before it began"
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
    [
        ("typer", signal.SIGINT),
        pytest.param("ot", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("pytorch_lightning", signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_while_libraries_are_imported_there_is_a_sentence_too(module, number, arguments, tmp_path):
    code = IMPORTING.format(module=module, number=int(number))
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=PROJECT)
    assert done.returncode == 128 + number
    assert done.stderr.startswith("cyclegan: ") and done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_outside_the_main_thread_signals_are_left_alone(arguments):
    before, seen = handlers(), []
    thread = threading.Thread(target=lambda: seen.extend([main(arguments), handlers()]))
    thread.start()
    thread.join()
    assert seen == [0, before] and handlers() == before


def test_an_error_of_the_block_is_not_taken_for_a_signal():
    before = handlers()
    with pytest.raises(ZeroDivisionError), Stopping(lambda: "stopped"):
        raise ZeroDivisionError
    with pytest.raises(Interrupted, match="stopped") as caught, Stopping(lambda: "stopped"):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143
    assert handlers() == before


@pytest.mark.slow
def test_a_notebooks_stop_button_ends_the_cell_with_what_to_do(domains, tmp_path):
    code = f"""
from helpers import QUICK
from cyclegan_lib.training import start, train

start.MAX_DRAWS = 1  # to begin soon
settings = QUICK.model_copy(update={{"max_epochs": 100_000, "accelerator": "cpu"}})
where = ({str(domains[0])!r}, {str(domains[1])!r}, {str(tmp_path)!r})
train(*where, settings, progress=False, on_epoch=lambda history: print("epoch", len(history) - 1))
"""
    kernel, client = start_new_kernel(cwd=str(PROJECT / "tests"))
    try:
        request = client.execute(code)
        while "epoch 1" not in (message := client.get_iopub_msg(timeout=120))["content"].get("text", ""):
            assert message["msg_type"] != "error", message["content"]["traceback"]
        kernel.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=120))["parent_header"]["msg_id"] != request:
            pass
        assert reply["content"]["ename"] == "Interrupted"
        epoch = ResumePoint.read(tmp_path / LAST).epoch
        assert reply["content"]["evalue"].startswith(f"training stopped after epoch {epoch} of 100000; ")
        run = TrainingRun.load(tmp_path)  # what a notebook goes on with
        assert len(run.history) == epoch + 1 and run.best.exists() and run.verdict
        # the kernel is as before: the next cell runs
        after = client.execute_interactive("1 / 0", timeout=60, output_hook=lambda message: None)
        assert after["content"]["ename"] == "ZeroDivisionError"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
