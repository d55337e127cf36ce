"""`cyclegan run` on folders of recordings, with the real notebooks: from the folders to the report."""

import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from helpers import CWRU
from notebooks.conftest import copy_project
from notebooks.layers import cyclegan
from sounds import rng, write

from cyclegan_lib.features import FeatureSet

MOTORS = CWRU.with_name("motors")


@pytest.mark.slow
def test_a_run_goes_from_folders_of_recordings_to_the_report(tmp_path):
    project = copy_project(tmp_path / "a project")
    rows = ["recording,fault"]
    for i in range(24):
        kind = ("normal", "ball")[i % 2]
        sound = rng(i).normal(size=163_840 if i else 90_000) / 10  # of the first one 5.6 s
        write(project / "phone" / f"r{i}.wav", sound * (1 + i % 2))
        # the same moments in a folder for each class, 8 channels of which the second hears
        array = rng(i).normal(size=(len(sound), 8)) / 100
        array[:, 1] = 0.5 * sound * (1 + i % 2)
        write(project / "hifi" / kind / f"h{i}.wav", array)
        rows.append(f"r{i},{kind}")
    (project / "phone" / "damaged.wav").write_bytes(b"RIFF")
    (project / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    given = {"recordings_a": "phone", "recordings_b": "hifi", "device_a": "phone", "device_b": "hifi"}
    given |= {"labels_a": "labels.csv", "label_folder_b": 1, "channel_b": 2}
    given |= {"max_epochs": 1, "restarts": 1}
    words = [word for name, value in given.items() for word in ("-p", name, str(value))]
    done = cyclegan(project, "run", "--name", "own", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "from phone to hifi" in done.stdout
    run = project / "runs" / "own"
    a, b = (FeatureSet.load(run / "data" / f"{device}.npz") for device in ("phone", "hifi"))
    test_a, test_b = (FeatureSet.load(run / "data" / f"{device}_test.npz") for device in ("phone", "hifi"))
    assert (len(a) + len(test_a), len(b) + len(test_b)) == (24, 24)
    assert (a.settings.channel, b.settings.channel) == (1, 2) and b.classes == ["ball", "normal"]
    assert sorted({*a.lengths, *test_a.lengths}) == [28, 50]
    assert "damaged" in (run / "data" / "phone.npz.report.csv").read_text(encoding="utf-8")
    used = json.loads((run / "run.json").read_text(encoding="utf-8"))["inputs"]
    assert used["domain_a"]["path"] == str(run / "data" / "phone.npz")
    text = says_what_was_computed(run, 6)  # no truth: the names are no pairs
    assert "1 recording is damaged" in text and "from phone to hifi" in text
    assert not (project / "data").exists()


@pytest.mark.slow
@pytest.mark.skipif(not MOTORS.is_dir(), reason="../shared/data/motors is not there, beside the project")
def test_a_run_on_a_motor_tells_nothing_of_the_simulation(tmp_path):
    project = copy_project(tmp_path / "project")
    given = {"device_a": "phone", "device_b": "hifi", "max_epochs": 1, "restarts": 1}
    given |= {f"recordings_{domain}": MOTORS / given[f"device_{domain}"] for domain in "ab"}
    given |= dict.fromkeys(("labels_a", "labels_b"), MOTORS / "labels.csv")
    words = [word for name, value in given.items() for word in ("-p", name, str(value))]
    done = cyclegan(project, "run", "--name", "motors", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "from phone to hifi" in says_what_was_computed(project / "runs" / "motors", 9)


def says_what_was_computed(run: Path, players: int) -> str:
    """The text of a report on own data: of these devices, nothing of the simulation or of the benchmark."""
    report = (run / "report.html").read_text(encoding="utf-8")
    assert report.count('src="data:audio/mpeg;base64') == players
    text = BeautifulSoup(report, "html.parser").get_text()
    assert "no invented sound" in text
    assert not re.findall(r"cpc006|BATCH_UPLOAD|\bplants?\b|resonan|: True|: False", text)
    assert not (run / "05_benchmark.ipynb").exists()
    return text
