"""A run's folder, its record, and going on after an interruption or a failure."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import papermill
import pytest
from helpers import PROJECT, done, refusal

from cyclegan_lib.cli import main
from cyclegan_lib.files import sha256
from cyclegan_lib.runs.record import Record, commit


def statuses(folder: Path) -> list[str]:
    return [step.status for step in Record.load(folder).notebooks]


def trained(folder: Path) -> list[str]:
    """With which checkpoint each training began."""
    return (folder / "trained.txt").read_text(encoding="utf-8").splitlines()


def started(project: Path, *arguments: str) -> subprocess.Popen:
    """`cyclegan run` in a process of its own, once its training has left a checkpoint."""
    command = [sys.executable, "-m", "cyclegan_lib", "run", "--name", "killed", *arguments]
    process = subprocess.Popen(
        command,
        cwd=project,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # a shell that starts the tests in the background has them, and so this, ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    patience = time.monotonic() + 600
    while not (project / "runs" / "killed" / "checkpoints" / "cyclegan-last.ckpt").exists():
        assert process.poll() is None and time.monotonic() < patience
        time.sleep(0.1)
    return process


def test_a_run_leaves_everything_that_is_needed_to_repeat_it(finished):
    folder, printed = finished
    assert str(folder / "report.html") in printed
    assert "NMSE 0.2.\nThe mean shift is used.\nnext: cyclegan classify --train B.npz --model " in printed
    content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert content["command"] == "cyclegan run --name one -p max_epochs 3"
    assert content["given"] == {"max_epochs": 3}
    assert content["parameters"]["02_training"]["max_epochs"] == 3
    assert content["parameters"]["02_training"]["lambda_cycle"] == 3.0
    assert content["parameters"]["01_data_normalization"]["train_recordings"] == 240
    assert {"python", "cyclegan-lib", "torch", "numpy", "papermill"} <= content["versions"].keys()
    assert any(line.startswith("papermill==") for line in content["packages"])
    assert content["platform"]
    assert content["git"] is None
    used = content["inputs"]["test_a"]
    assert used["path"] == str(folder.parents[1] / "data" / "cpc006_test.npz")
    assert used["sha256"] == sha256(Path(used["path"]))
    assert [step["status"] for step in content["notebooks"]] == ["done"] * 3
    assert all(step["seconds"] > 0 for step in content["notebooks"])
    assert content["started"] <= content["notebooks"][0]["started"] <= content["finished"]
    executed = nbformat.read(folder / "02_training.ipynb", as_version=4)
    assert executed.cells[2].source.startswith("# Parameters")
    # a run of the same name was set aside
    assert (folder.with_name("one-earlier-1") / "kept.txt").read_text(encoding="utf-8") == "mine"
    assert not (folder / "kept.txt").exists()


def test_the_commit_is_recorded_and_whether_files_differ_from_it(tmp_path):
    assert commit(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    (tmp_path / "a").write_text("1", encoding="utf-8")
    for words in ("init -q", "add .", "commit -q -m one"):
        subprocess.run([*git, *words.split()], check=True)
    head = commit(tmp_path)
    assert len(head.commit) == 40 and head.dirty is False
    (tmp_path / "a").write_text("2", encoding="utf-8")
    assert commit(tmp_path).dirty is True


def test_a_failed_run_keeps_what_was_done_and_goes_on(project, capsys):
    assert main(["run", "--name", "one", "-p", "lambda_cycle", "13"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == (
        "cyclegan: cell 4 of 02_training.ipynb failed with ValueError: thirteen is an unlucky number;"
        " `cyclegan run --name one --resume` goes on from there"
    )
    folder = project / "runs" / "one"
    assert statuses(folder) == ["done", "failed", "pending"]
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "thirteen is an unlucky number" in report
    assert 'id="01_data_normalization"' in report and 'id="04_domain_shift"' not in report

    # notebook 01 is done: what it used stays
    sentence = refusal(capsys, "run", "--name", "one", "--resume", "-p", "seed", 1)
    assert "01_data_normalization.ipynb is done with seed = 0" in sentence
    done(capsys, "run", "--name", "one", "--resume", "-p", "lambda_cycle", 4, "-p", "seed", 0)
    assert statuses(folder) == ["done"] * 3
    assert (project / "data" / "calls.txt").read_text(encoding="utf-8").count("\n") == 1
    # another weight of a loss: not the training that stopped
    assert trained(folder) == ["resume=", "resume="]
    assert Record.load(folder).command == "cyclegan run --name one -p lambda_cycle 4.0 -p seed 0"

    assert "NMSE 0.3." in done(capsys, "run", "--name", "one", "--resume")
    assert len(trained(folder)) == 2


def test_input_that_a_notebook_refuses_is_a_sentence_too(project, capsys):
    sentence = refusal(capsys, "run", "--name", "one", "-p", "seed", 14)
    assert "ipynb failed with InputError: fourteen is refused" in sentence


@pytest.mark.slow
def test_a_kernel_that_did_not_start_is_started_again(project, capsys, monkeypatch):
    """Another process had taken a port that was chosen for the kernel: no cell ran yet."""
    whole, starts = papermill.execute_notebook, []

    def once_in_vain(*given, **named):
        starts.append(given)
        if len(starts) in refused:
            raise RuntimeError("Kernel didn't respond in 60 seconds")
        return whole(*given, **named)

    monkeypatch.setattr(papermill, "execute_notebook", once_in_vain)
    refused = {1, 2}
    assert "NMSE 0.2." in done(capsys, "run", "--name", "one")
    assert len(starts) == 5  # three notebooks, and two starts in vain
    refused = set(range(6, 20))
    with pytest.raises(RuntimeError, match="didn't respond"):
        main(["run", "--name", "two"])
    assert len(starts) == 8


@pytest.mark.slow
def test_kernels_are_of_this_interpreter_whatever_is_called_python3(project, capsys, monkeypatch):
    """As shared servers set it: another Python, without ipykernel, comes first."""
    spec = project / "shared" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(
        json.dumps({"argv": ["false"], "display_name": "Python 3", "language": "python"}), encoding="utf-8"
    )
    monkeypatch.setenv("JUPYTER_PATH", str(project / "shared"))
    assert "NMSE 0.2." in done(capsys, "run", "--name", "one")
    executed = nbformat.read(project / "runs" / "one" / "02_training.ipynb", as_version=4)
    assert executed.metadata.kernelspec.name == "python3"
    (project / "notebooks" / "04_domain_shift.ipynb").unlink()
    done(capsys, "run", "--in-place")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_run_that_is_stopped_in_training_goes_on_from_its_checkpoint(how, project, capsys):
    process = started(project, "-p", "pause", "60")
    folder = project / "runs" / "killed"
    for options in (["--resume"], []):
        sentence = refusal(capsys, "run", "--name", "killed", *options)
        assert f"another process (pid {process.pid}) is working in" in sentence
    process.send_signal(getattr(signal, how))
    _, error = process.communicate(timeout=30)
    if how == "SIGINT":
        assert process.returncode == 130
        assert "interrupted; `cyclegan run --name killed --resume` goes on from there" in error
        assert "Traceback" not in error
    record = Record.load(folder)
    assert statuses(folder) == ["done", "pending", "pending"]
    assert record.notebooks[1].started and record.finished is None
    if how == "SIGINT":  # and goes on as what was killed
        return
    assert main(["run", "--name", "killed", "--resume"]) == 0
    assert statuses(folder) == ["done"] * 3
    last = folder / "checkpoints" / "cyclegan-last.ckpt"
    assert trained(folder) == ["resume=", f"resume={last}"]


def test_a_notebook_that_was_done_and_is_damaged_is_run_again(done_run):
    (done_run / "04_domain_shift.ipynb").write_text("{", encoding="utf-8")
    (done_run / "metrics.json").unlink()
    assert main(["run", "--name", "one", "--resume"]) == 0
    assert (done_run / "metrics.json").exists()
    assert len(trained(done_run)) == 1


def test_other_feature_sets_than_the_run_began_with_are_refused(done_run, capsys):
    (done_run / "04_domain_shift.ipynb").unlink()
    (done_run.parents[1] / "data" / "cpc006.npz").write_text("other", encoding="utf-8")
    sentence = refusal(capsys, "run", "--name", "one", "--resume")
    assert "cpc006.npz (domain_a) is not what the run began with" in sentence


def test_what_cannot_be_resumed_is_refused(project, capsys):
    resumed = ("run", "--resume", "--name", "no")
    assert "give --name" in refusal(capsys, *resumed[:2])
    assert "there is no run 'no'" in refusal(capsys, *resumed)
    record = project / "runs" / "no" / "run.json"
    record.parent.mkdir(parents=True)
    assert "run.json does not exist; remove the folder" in refusal(capsys, *resumed)
    record.write_text("{}", encoding="utf-8")
    assert "cannot be read as the record of a run" in refusal(capsys, *resumed)


@pytest.mark.slow
def test_plain_papermill_works_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results.json").write_text("{", encoding="utf-8")
    notebook = PROJECT / "notebooks" / "05_benchmark.ipynb"
    # figures go to a folder meant from here
    papermill.execute_notebook(notebook, "out.ipynb", parameters={"run_dir": "here"}, progress_bar=False)
    assert (tmp_path / "here" / "figures" / "05_benchmark.png").exists()
