"""A full disk, on a small real file system: one sentence, the last good checkpoint, on once there is room."""

import os
import shutil
import subprocess
import sys

import pytest
from helpers import refusal, train_command
from same_run import unequal

from cyclegan_lib.cli import main
from cyclegan_lib.training import callbacks
from cyclegan_lib.training.checkpoints import ResumePoint, checkpoints_in, copy_whole, write_metrics

pytestmark = pytest.mark.usefixtures("quick_start")
LAST = "cyclegan-last.ckpt"
IN_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture
def disk(tmp_path):
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={4 * 2**20}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no small file system: only root may mount one; see test_full_disks_without_root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(
    ("full", "checkpoints_left", "missing", "saved"),
    [
        ("after an epoch", 0, "", 2),
        ("after an epoch", 0.5, LAST, 2),
        ("after an epoch", 1.5, LAST, 3),  # room for one more, under a name of its own
        ("between two files", 0.5, "cyclegan-epoch=1", 2),
    ],
)
def test_a_disk_that_fills_up(
    full, checkpoints_left, missing, saved, domains, uninterrupted, disk, monkeypatch, capfd
):
    run, filler = disk / "run", disk / "filler"

    def fill():
        leave = int(checkpoints_left * (run / LAST).stat().st_size)
        filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - leave)))

    def metrics_then_full(folder, history):
        write_metrics(folder, history)
        if full == "after an epoch" and len(history) == 3:  # epoch 2 is written
            fill()

    def full_then_copy(source, target):
        if full == "between two files" and target.name.startswith("cyclegan-epoch=1"):  # which is epoch 2
            fill()
        copy_whole(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks, "write_metrics", metrics_then_full)
        patch.setattr(callbacks, "copy_whole", full_then_copy)
        sentence = refusal(capfd, *train_command(domains, run))
    assert "No space left on device" in sentence and "MB are free" in sentence and "make room" in sentence
    # with no room at all it hangs on single bytes whether the logs or the checkpoint lack it first
    assert missing in sentence.split(" cannot be written")[0]
    epoch = ResumePoint.read(run / LAST).epoch
    assert f"{LAST} holds epoch {epoch}, the last good one" in sentence
    assert epoch == saved and all(ResumePoint.read(path).epoch <= epoch for path in checkpoints_in(run))
    assert not list(run.glob(".*.part*"))

    if checkpoints_left == 0:
        # as long as there is no room
        assert "No space left on device" in refusal(capfd, *train_command(domains, run))
    filler.unlink()
    assert main(train_command(domains, run)) == 0
    assert unequal(uninterrupted, run) == []


def test_too_little_room_is_said_before_training(domains, disk, capfd):
    wide = {"generator_hidden_dim": 256, "discriminator_hidden_dim": 256}
    sentence = refusal(capfd, *train_command(domains, disk / "run", **wide))
    assert "has room for 4.2 MB, and the checkpoints of this run need" in sentence
    assert [path.name for path in (disk / "run").iterdir()] == [".lock"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root runs the tests above as they are"
)
def test_full_disks_without_root(tmp_path):
    """Where only root may mount: the same tests as root of a name space of their own."""
    probe = subprocess.run(
        [*IN_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True
    )
    if probe.returncode:
        pytest.skip(f"FULL DISKS ARE NOT TESTED HERE: {probe.stderr.decode().strip()}")
    inner = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", __file__]
    done = subprocess.run([*IN_NAMESPACE, *inner], capture_output=True, encoding="utf-8")
    assert done.returncode == 0 and "5 passed" in done.stdout, done.stdout[-3000:]
