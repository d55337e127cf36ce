"""Going on from a checkpoint: exact to the last bit, from any of them, and from the newest by itself."""

import json
import os
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers import PROJECT, QUICK, done, make_set, refusal, train_command
from same_run import differences, unequal

from cyclegan_lib.checkpoint.random_states import random_states
from cyclegan_lib.cli import main
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.training import train
from cyclegan_lib.training.checkpoints import ResumePoint, checkpoints_in

pytestmark = pytest.mark.usefixtures("quick_start")
LAST = "cyclegan-last.ckpt"


def settings(epochs: int, **more) -> TrainingSettings:
    return QUICK.model_copy(update={"max_epochs": epochs, "accelerator": "cpu", **more})


@pytest.fixture(scope="module")
def whole(quick_start, domains, tmp_path_factory):
    """The folder of six epochs without interruption, and of each epoch's checkpoint a copy."""
    folder, copies = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("copies")
    copy = lambda history: shutil.copyfile(folder / LAST, copies / f"{len(history) - 1}.ckpt")
    train(*domains, folder, settings(6), progress=False, on_epoch=copy)
    return folder, copies


@pytest.fixture(scope="module")
def three(quick_start, domains, tmp_path_factory):
    """The folder of the first three epochs."""
    folder = tmp_path_factory.mktemp("three")
    train(*domains, folder, settings(3), progress=False)
    return folder


@pytest.mark.parametrize("new_process", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [LAST, "cyclegan-epoch=1-*"])  # Lightning's 1 is the second epoch
def test_three_epochs_and_three_more_leave_what_six_leave(name, new_process, domains, whole, three, tmp_path):
    folder = shutil.copytree(three, tmp_path / "run")
    (path,) = folder.glob(name)
    point = shutil.copyfile(path, folder / "go-on.ckpt")
    command = train_command(domains, folder, max_epochs=6, resume=point)
    if new_process:
        subprocess.run([sys.executable, "-m", "cyclegan_lib", *command], check=True, cwd=PROJECT)
    else:
        assert main(command) == 0
    point.unlink()
    if name != LAST:
        assert {LAST, "best.ckpt"} < {path.name for path in folder.glob("earlier-1/*.ckpt")}
        shutil.rmtree(folder / "earlier-1")
    assert unequal(whole[0], folder) == []


def test_a_difference_of_one_bit_is_found():
    one = {"a": torch.zeros(3), "b": [1, {"c": 0.5}], "callbacks": {"Timer": 1.0}}
    same = {"a": torch.zeros(3), "b": [1, {"c": 0.5}], "callbacks": {"Timer": 2.0}}
    assert differences(one, same) == []
    assert differences(one, {**same, "callbacks": {}}) != []
    tensor = torch.zeros(3)
    tensor[1] = 1e-45
    assert differences(one, {**same, "a": tensor}) == ["a: tensors differ"]
    assert differences(one, {**same, "b": [1, {"c": 0.5000000000000001}]}) != []
    assert differences(one, {**same, "b": [1.0, {"c": 0.5}]}) == ["b/0: int and float"]


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_from_each_epochs_checkpoint_in_another_folder(epoch, domains, whole, tmp_path):
    copies = whole[1]
    train(*domains, tmp_path, settings(6), resume=copies / f"{epoch}.ckpt", progress=False)
    both = (torch.load(place, weights_only=True) for place in (copies / "6.ckpt", tmp_path / LAST))
    assert differences(*both) == []


def test_the_best_epochs_keep_checkpoints(whole):
    history = ResumePoint.read(whole[0] / LAST).choice["history"]
    best, *others = (figures["epoch"] for figures in sorted(history, key=lambda row: row["val_distance"]))
    assert ResumePoint.read(whole[0] / "best.ckpt").epoch == best
    kept = [ResumePoint.read(path).epoch for path in whole[0].glob("cyclegan-epoch=*.ckpt")]
    assert sorted(kept) == sorted([epoch for epoch in (best, *others) if epoch > 0][:3])


def test_random_generators_go_on_from_the_states_in_a_checkpoint(domains, whole, tmp_path):
    def draw():
        return random.random(), random.gauss(0, 1), np.random.standard_normal(), torch.rand(2).tolist()

    draw()
    content = torch.load(whole[1] / "5.ckpt", weights_only=True)
    assert set(content["random_states"]) == {"python", "numpy", "torch", "cuda"}
    content["random_states"] = random_states()
    torch.save(content, tmp_path / "5.ckpt")
    expected, drawn = draw(), []
    more = {"on_epoch": lambda history: drawn.append(draw()), "progress": False}
    train(*domains, tmp_path / "run", settings(6), resume=tmp_path / "5.ckpt", **more)
    assert drawn == [expected]


def test_later_checkpoints_of_the_folder_are_set_aside_and_the_best_of_then_is_restored(
    domains, whole, tmp_path
):
    folder = shutil.copytree(whole[0], tmp_path / "run")
    shutil.copyfile(whole[1] / "3.ckpt", folder / "mine.ckpt")
    before = {path.name: path.read_bytes() for path in folder.glob("*.ckpt")}
    seen = []

    def look(history):
        seen.append({path.name: ResumePoint.read(path).epoch for path in checkpoints_in(folder)})

    run = train(*domains, folder, settings(4), resume=folder / "mine.ckpt", progress=False, on_epoch=look)
    aside = {path.name: path.read_bytes() for path in (folder / "earlier-1").iterdir()}
    assert {LAST, "best.ckpt"} <= set(aside)
    assert all(before[name] == held for name, held in aside.items())
    assert max(seen[0].values()) == 4 and seen[0][LAST] == 4
    assert ResumePoint.read(run.best).epoch == run.best_epoch


def test_auto_takes_the_newest_that_can_be_read(domains, whole, three, tmp_path, capsys):
    folder = shutil.copytree(three, tmp_path / "run")
    content = (folder / LAST).read_bytes()
    (folder / LAST).write_bytes(content[: len(content) // 2])
    (folder / "best.ckpt").write_bytes(b"")
    (folder / "note.ckpt").write_text("not one", encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (folder / f".best.{process.pid}.part.ckpt").write_bytes(content)  # of a process that is no more
    (folder / f".best.{os.getppid()}.part.ckpt").write_bytes(b"half")
    capsys.readouterr()
    train(*domains, folder, settings(6), resume="auto", progress=False)
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert len(lines) == 3 and all(line.startswith("passed over: ") for line in lines), said.err
    assert all(any(name in line for line in lines) for name in (LAST, "best.ckpt", "note.ckpt"))
    assert "going on from" in said.out and "epoch=2-" in said.out and "after epoch 3 of 6" in said.out
    assert [path.name for path in folder.glob(".*.part*")] == [f".best.{os.getppid()}.part.ckpt"]
    for extra in (*folder.glob(".*.part*"), folder / "note.ckpt"):
        extra.unlink()
    assert unequal(whole[0], folder) == []


def test_auto_on_the_command_line(domains, tmp_path, capsys):
    folder = tmp_path / "run"
    train_to = lambda epochs, **more: train_command(domains, folder, max_epochs=epochs, **more)
    files = lambda: {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    said = done(capsys, *train_to(2))
    assert f"no checkpoint to go on from in {folder}: training from the beginning" in said
    before = files()
    said = done(capsys, *train_to(2))
    assert "cyclegan-last.ckpt is done: it holds epoch 2 of 2" in said and "best epoch" in said
    assert "it holds epoch 2 of 1" in done(capsys, *train_to(1))
    assert files() == before
    said = done(capsys, *train_to(3, max_minutes=20, threads=1))
    assert "after epoch 2 of 3" in said and "of 3: " in said

    for option, old, new in (("seed", 0, 1), ("generator_hidden_dim", 8, 9), ("keep_checkpoints", 3, 2)):
        said = refusal(capsys, *train_to(4, **{option: new}))
        assert f"{option} = {old}, and {new} is" in said
    other = make_set("cpc006", seed=7).save(tmp_path / "other.npz")
    said = refusal(capsys, *train_command((other, domains[1]), folder))
    assert "was trained on other data" in said


def test_without_settings_those_of_the_checkpoint_hold(domains, whole, tmp_path):
    shutil.copyfile(whole[1] / "5.ckpt", tmp_path / LAST)
    assert len(train(*domains, tmp_path, resume="auto", progress=False).history) == 7


def test_a_run_that_was_out_of_time_ends_with_a_whole_epoch(domains, whole, tmp_path, capsys):
    hurried = settings(6, max_minutes=1e-5)
    assert len(train(*domains, tmp_path, hurried, progress=False).history) == 2
    train(*domains, tmp_path, settings(6), resume="auto", progress=False)
    both = (torch.load(place / LAST, weights_only=True) for place in (tmp_path, whole[0]))
    assert differences(*both) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.slow
def test_killed_again_and_again_training_loses_nothing_but_the_epoch_it_was_in(tmp_path):
    report = tmp_path / "report.json"
    script = PROJECT / "benchmarks" / "kill_resume.py"
    # in a process of its own, which has not trained: PyTorch cannot be forked after that
    done = subprocess.run(
        [sys.executable, str(script), "--kills", "30", "--seed", "3", "--json", str(report)],
        capture_output=True,
        encoding="utf-8",
        cwd=PROJECT,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    outcome = json.loads(report.read_text(encoding="utf-8"))
    assert outcome["kills"] == 30 and outcome["broken"] == []
    assert outcome["equal"] == outcome["runs"] > 0
    assert set(outcome["lost"]) <= {"0", "1"}
    assert outcome["phases"].get("writing", 0) > 0
