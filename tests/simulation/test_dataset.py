"""The simulated set on disk: layout, determinism, and that nothing of the user's is overwritten."""

import csv
import json
from collections import Counter

import numpy as np
import pytest
import soundfile
from scipy.signal import coherence

from cyclegan_lib.config import DEVICE_A, DEVICE_B, SimulationSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.simulation import FAULTS, dataset, simulate
from cyclegan_lib.simulation.dataset import ROLES, fault_of, render

TINY = SimulationSettings(train_recordings=8, test_recordings=8, seconds=1.0)


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("simulated"), TINY, workers=1, progress=False)


def test_layout(simulated):
    roles = [(device, role) for device in (DEVICE_A, DEVICE_B) for role in (f"train/{device}", "test/test")]
    wanted = {f"{device}/{role}-{i:04d}.wav" for device, role in roles for i in range(1, 9)}
    assert set(contents(simulated)) == wanted | {"labels.csv", "simulation.json"}
    assert json.loads((simulated / "simulation.json").read_text(encoding="utf-8")) == TINY.model_dump()
    header = soundfile.info(simulated / DEVICE_A / "test" / "test-0001.wav")
    assert (header.subtype, header.channels, header.samplerate, header.frames) == ("PCM_16", 1, 16000, 16000)


def test_labels_hold_each_recording_once_and_each_fault_equally_often(simulated):
    text = (simulated / "labels.csv").read_text(encoding="utf-8")
    assert text.startswith("recording,split,fault,rpm,load,severity\n")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == len({row["recording"] for row in rows}) == 24
    for split, prefix in (("train", DEVICE_A), ("train", DEVICE_B), ("test", "test")):
        part = [r for r in rows if r["split"] == split and r["recording"].startswith(prefix)]
        assert Counter(r["fault"] for r in part) == dict.fromkeys(FAULTS, 2)
    assert all((float(r["severity"]) == 0) == (r["fault"] == "normal") for r in rows)
    assert len({r["rpm"] for r in rows}) == 24  # every recording is another machine's moment


def test_the_part_of_normal_machines_is_as_asked_for_each_device_and_never_in_test():
    more = TINY.model_copy(update={"normal_a": 0.8, "normal_b": 0.5})
    cases = [(TINY, role, 4, 1) for role in ROLES]
    # every 15 in a row hold 12 normal machines and each fault once; every 6 hold 3 and each once
    for settings, role, group, normal in (*cases, (more, DEVICE_A, 15, 12), (more, DEVICE_B, 6, 3)):
        for first in range(0, 40, group):
            dealt = Counter(fault_of(settings, role, first + i) for i in range(group))
            assert dealt == {**dict.fromkeys(FAULTS[1:], 1), FAULTS[0]: normal}
    assert all(fault_of(more, "test", i) == fault_of(TINY, "test", i) for i in range(40))


@pytest.mark.parametrize("normal", [0.05, 0.1, 0.25, 1 / 3, 0.4, 0.6, 0.7, 0.95])
def test_any_part_of_normal_machines_leaves_the_faults_equally_frequent(normal):
    settings, n = TINY.model_copy(update={"normal_a": normal}), 3 * 4 * 5 * 20
    dealt = Counter(fault_of(settings, DEVICE_A, i) for i in range(n))
    assert dealt["normal"] / n == pytest.approx(normal, abs=0.005)
    assert max(abs(dealt[fault] - (n - dealt["normal"]) / 3) for fault in FAULTS[1:]) <= 0.005 * n


def test_a_domain_with_one_kind_alone_is_refused():
    for values in ({"normal_a": 0.0}, {"normal_b": 1.0}):
        with pytest.raises(InputError, match="normal_"):
            SimulationSettings.checked("the test", **values)


def likeness(a, b):
    """Coherence where both devices hear the machine: high only if they heard one moment."""
    hz, share = coherence(a / 1.0, b / 1.0, 16000, nperseg=512)
    return share[(hz > 300) & (hz < 1500)].mean()


def test_what_the_other_device_would_have_heard_can_be_asked_for():
    both = render(TINY, DEVICE_A, 3, devices=(DEVICE_A, DEVICE_B))
    for devices in (None, (DEVICE_B,)):  # without asking a device hears its own role alone
        ((device, wave),) = render(TINY, DEVICE_A, 3, devices).items()
        assert device == (DEVICE_B if devices else DEVICE_A) and np.array_equal(wave, both[device])
    assert likeness(*both.values()) > 0.3


def test_the_bytes_do_not_depend_on_the_number_of_processes(simulated, tmp_path):
    assert contents(simulate(tmp_path, TINY, workers=2, progress=False)) == contents(simulated)


def test_another_seed_gives_other_sound_and_more_recordings_change_no_earlier_one():
    more = TINY.model_copy(update={"train_recordings": 100, "test_recordings": 9})
    other = TINY.model_copy(update={"seed": 1})
    for role in ROLES:
        assert all(fault_of(TINY, role, i) == fault_of(more, role, i) for i in range(8))
        for device, wave in render(TINY, role, 7).items():
            assert np.array_equal(wave, render(more, role, 7)[device])
            assert not np.array_equal(wave, render(other, role, 7)[device])


def test_only_test_recordings_are_of_one_moment(simulated):
    def likenesses(split):
        of_a, of_b = (sorted((simulated / device / split).iterdir()) for device in (DEVICE_A, DEVICE_B))
        return [likeness(soundfile.read(a)[0], soundfile.read(b)[0]) for a, b in zip(of_a, of_b, strict=True)]

    assert min(likenesses("test")) > 0.3 and max(likenesses("train")) < 0.1


def test_a_finished_simulation_is_left_alone_and_what_was_removed_is_made_again(simulated, capsys):
    times = {p: p.stat().st_mtime_ns for p in simulated.rglob("*")}
    assert simulate(simulated, TINY) == simulated
    assert "nothing to be done" in capsys.readouterr().out
    with pytest.raises(InputError, match="other settings"):
        simulate(simulated, TINY.model_copy(update={"seed": 5}), progress=False)
    assert {p: p.stat().st_mtime_ns for p in simulated.rglob("*")} == times
    before = contents(simulated)
    (simulated / DEVICE_A / "train" / f"{DEVICE_A}-0003.wav").unlink()
    simulate(simulated, TINY, workers=1, progress=False)
    assert contents(simulated) == before


@pytest.mark.parametrize("seed", [0, 3])
def test_an_interrupted_simulation_is_continued_or_started_over(simulated, tmp_path, monkeypatch, seed):
    calls, made = [], []

    def failing(*task):
        calls.append(task)
        if len(calls) > 3:
            raise InterruptedError
        return render(*task)

    monkeypatch.setattr(dataset, "render", failing)
    with pytest.raises(InterruptedError):
        simulate(tmp_path, TINY.model_copy(update={"seed": seed}), workers=1, progress=False)
    left = contents(tmp_path)
    assert ".incomplete" in left and "simulation.json" not in left
    assert sum(name.endswith(".wav") for name in left) == 3
    (tmp_path / DEVICE_A / "train" / f".{DEVICE_A}-0004.123.part.wav").write_bytes(b"half")
    monkeypatch.setattr(dataset, "render", lambda *task: made.append(task) or render(*task))
    simulate(tmp_path, TINY, workers=1, progress=False)
    assert contents(tmp_path) == contents(simulated)
    assert len(made) == (21 if seed == TINY.seed else 24)  # same settings: what is done is kept
