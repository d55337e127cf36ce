"""Small sound files laid out like the real recordings, a quick simulation, and cells made up."""

import numpy as np
import pytest
from sounds import tone, write

from cyclegan_lib.benchmark import pairs
from cyclegan_lib.benchmark.device_pair import DevicePair, check_pair
from cyclegan_lib.config import DEVICE_A, DEVICE_B, FeatureSettings, SimulationSettings
from cyclegan_lib.features import FeatureSet

RATE = 8000
SMALL = FeatureSettings(sample_rate=RATE, slices=4, slice_hop_s=0.2)
CONDITIONS = [("ball", "7", ""), ("inner_race", "7", ""), ("outer_race", "7", "3"), ("outer_race", "7", "6")]
EACH = 10  # recordings of each condition: 3 or 4 in each third


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Recordings, labels and microphones, laid out like the real ones: tones in noise, by condition."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows = []
    for kind, (fault, size, place) in enumerate(CONDITIONS):
        for i in range(EACH):
            name = str(100 * (kind + 1) + i)
            sound = tone(400 * (kind + 1), 0.05, rate=RATE) + 0.01 * rng.normal(size=RATE)
            for sensor, gain in (("fan_end", 0.3), ("drive_end", 1.0)):
                noise = 0.003 * rng.normal(size=RATE)
                write(folder / "cwru" / sensor / f"{name}.flac", gain * sound + noise, RATE)
            rows.append(f"{name},{fault},drive_end,{size},{place},0,1797,drive_end fan_end")
    columns = "recording,fault,fault_bearing,diameter_mils,position_oclock,load_hp,rpm,sensors"
    (folder / "cwru" / "labels.csv").write_text("\n".join([columns, *rows]), encoding="utf-8")
    lines = ["recording,fault,condition,inverter_hz,seconds,envelope_correlation"]
    for i in range(36):
        fault = ("healthy", "bearing_damage", "unbalance")[i % 3]
        sound = tone(400 + 300 * (i % 3), 0.05, rate=RATE) + 0.01 * rng.normal(size=RATE)
        for device, gain in (("phone", 0.3), ("hifi", 1.0)):
            noise = 0.003 * rng.normal(size=RATE)
            write(folder / "motors" / device / f"m{i}.flac", gain * sound + noise, RATE)
        lines.append(f"m{i},{fault},{fault},20,1,0.9")
    (folder / "motors" / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    for k, name in enumerate(("IR_Lomo52A5M", "IR_STC4035", "GEC_2373", "Oktava_ML19")):
        response = np.zeros(400)
        response[[0, k + 1]] = 0.8, 0.3  # a comb: another colour for each
        write(folder / "microphones" / f"{name}.wav", response, 44100)
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Sequences of 4 slices, few short recordings."""
    monkeypatch.setattr(pairs, "FeatureSettings", lambda sample_rate: SMALL)
    simulation = SimulationSettings(train_recordings=12, test_recordings=8, seconds=1, sample_rate=RATE)
    monkeypatch.setattr(pairs, "SIMULATED", simulation)
    monkeypatch.setattr(pairs, "OFFSETS", 2)


def heard(n, device, seed, gain=1.0, offset=0.0):
    """`n` recordings of one sequence: two faults that differ in every other feature."""
    rng = np.random.default_rng(seed)
    fault = np.arange(n) % 2
    x = -40 + 3 * rng.normal(size=(n, 10, 40)) + fault[:, None, None] * np.where(np.arange(40) % 2, 6.0, -6.0)
    return FeatureSet(
        (gain * x + offset).astype(np.float32),
        np.array([f"{seed}-{i:02d}" for i in range(n)]),
        np.zeros(n),
        device,
        SMALL,
        np.where(fault, "ball", "normal"),
    )


@pytest.fixture
def labelled_pair():
    """A pair whose perfect translation is known, x → 2 x + 10, with every label still on."""
    hear_a = {"device": DEVICE_A, "gain": 0.5, "offset": -5.0}
    return DevicePair(
        train_a=heard(12, seed=1, **hear_a),
        train_b=heard(12, DEVICE_B, seed=2),
        test_a=heard(8, seed=3, **hear_a),
        test_b=heard(8, DEVICE_B, seed=3),
        truth_a=heard(12, DEVICE_B, seed=1),
        labelled_a=heard(12, seed=1, **hear_a),
    )


@pytest.fixture
def pair(labelled_pair):
    return check_pair("made up", labelled_pair)
