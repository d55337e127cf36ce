"""Pairs of devices with hidden truth: what a method may see, and what it is measured on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cyclegan_lib import documents
from cyclegan_lib.benchmark.device_pair import DevicePair, Moments, check_pair, feature_sets
from cyclegan_lib.config import DEVICE_A, DEVICE_B, FeatureSettings, SimulationSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings.reading import read_header, read_recording
from cyclegan_lib.simulation.dataset import fault_of, render
from cyclegan_lib.simulation.microphones import LABORATORY, LEVEL, PLANT, hear, load_response

# Recordings of the simulated pairs: as `cyclegan simulate` makes them.
SIMULATED = SimulationSettings()
OFFSETS = 5  # training recordings are sliced at up to five offsets of 0.04 s
REAL_COLUMNS = ("recording", "fault", "diameter_mils", "position_oclock", "sensors")


@dataclass(frozen=True)
class Recipe:
    """How a pair is made: `make(seed, data)`, and what it needs in the folder of real recordings."""

    make: Callable[[int, Path], DevicePair]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labelled:
    """A row of labels.csv."""

    recording: str
    fault: str
    condition: str  # the fault with its size and place
    number: int  # of the row


def build(name: str, seed: int, data: str | Path) -> DevicePair:
    """Build the pair of devices that `PAIRS` has under `name`; `data` is the folder of real recordings.

    The seed decides who hears which recordings, and all noise. Raises InputError if real data are missing
    (see `lacking`) or damaged, or the pair cannot be learned from or measured (see `check_pair`).
    """
    return check_pair(name, PAIRS[name].make(seed, Path(data)))


def lacking(names: Iterable[str], data: str | Path) -> dict[str, str]:
    """Say which of the pairs lack real data in the folder `data`: {name: what is missing}."""
    data, lacks = Path(data), {}
    for name in names:
        missing = [data / part for part in PAIRS[name].needs if not (data / part).exists()]
        if missing:
            lacks[name] = f"{missing[0] if data.is_dir() else data} does not exist"
    return lacks


def simulated(seed: int, data: Path | None = None, **normal: float) -> DevicePair:
    """The simulated devices; `normal_a` and `normal_b` are the parts of normal machines in training."""
    settings = SIMULATED.model_copy(update={"seed": seed, **normal})

    def heard(role: str, devices: tuple[str, ...]) -> Moments:
        for i in range(settings.test_recordings if role == "test" else settings.train_recordings):
            rendered = render(settings, role, i, devices)  # int16
            sounds = {device: sound / 32768 for device, sound in rendered.items()}
            yield f"{role}-{i + 1:04d}", fault_of(settings, role, i), sounds

    return _pair(heard, FeatureSettings(sample_rate=settings.sample_rate))


def microphones(seed: int, data: Path, microphone_a: str, microphone_b: str) -> DevicePair:
    """Recordings of the drive-end sensor through two measured microphones, in a plant and in a laboratory."""
    folder = data / "cwru" / "drive_end"
    rows = _labels(data / "cwru" / "labels.csv", {"drive_end"})
    rate = read_header(folder / f"{rows[0].recording}.flac").sample_rate
    sounds = {row.recording: read_recording(folder / f"{row.recording}.flac", rate) for row in rows}
    loudness = np.median([np.std(sound) for sound in sounds.values()])
    if not loudness > 0:
        raise InputError(f"most recordings in {folder} are silent; give recordings of machines")
    settings = FeatureSettings(sample_rate=rate)
    responses = {
        DEVICE_A: load_response(data / "microphones" / f"{microphone_a}.wav", rate),
        DEVICE_B: load_response(data / "microphones" / f"{microphone_b}.wav", rate),
    }

    def sound(row: Labelled, device: str) -> np.ndarray:
        surroundings = PLANT if device == DEVICE_A else LABORATORY
        rng = np.random.default_rng([seed, int(device == DEVICE_A), row.number])
        return hear(LEVEL / loudness * sounds[row.recording], responses[device], rate, surroundings, rng)

    return _dealt(rows, seed, sound, settings)


def sensors(seed: int, data: Path, source: str, target: str) -> DevicePair:
    """Two accelerometers on one machine, nothing simulated."""
    rows = _labels(data / "cwru" / "labels.csv", {source, target})
    folders = {DEVICE_A: data / "cwru" / source, DEVICE_B: data / "cwru" / target}
    rate = read_header(folders[DEVICE_A] / f"{rows[0].recording}.flac").sample_rate

    def sound(row: Labelled, device: str) -> np.ndarray:
        return read_recording(folders[device] / f"{row.recording}.flac", rate)

    return _dealt(rows, seed, sound, FeatureSettings(sample_rate=rate))


def _microphones(microphone_a: str, microphone_b: str = "Oktava_ML19") -> Recipe:
    files = (f"microphones/{name}.wav" for name in (microphone_a, microphone_b))
    return Recipe(
        partial(microphones, microphone_a=microphone_a, microphone_b=microphone_b),
        ("cwru/labels.csv", "cwru/drive_end", *files),
    )


PAIRS: dict[str, Recipe] = {
    "simulated": Recipe(simulated),
    # the plant hears sound machines most of the time, the laboratory is sent broken ones
    "simulated-shifted": Recipe(partial(simulated, normal_a=0.8, normal_b=0.4)),
    "microphones": _microphones("IR_Lomo52A5M"),
    "microphones-stc4035": _microphones("IR_STC4035"),
    "microphones-gec2373": _microphones("GEC_2373"),
    "sensors": Recipe(
        partial(sensors, source="fan_end", target="drive_end"),
        ("cwru/labels.csv", "cwru/fan_end", "cwru/drive_end"),
    ),
}


def deal(conditions: list[str], seed: int) -> np.ndarray:
    """Deal recordings to both devices and "test": of every condition a quarter to test, the rest in halves.

    Takes the condition of each recording, returns its role, (recordings,). Raises InputError if a condition
    has fewer than three recordings: it could not be in all three.
    """
    rng = np.random.default_rng(seed)
    roles = np.empty(len(conditions), dtype=object)
    turn = int(rng.integers(2))  # the odd recording goes to both devices by turns
    for condition in sorted(set(conditions)):
        members = rng.permutation(np.flatnonzero(np.array(conditions) == condition))
        if len(members) < 3:
            raise InputError(
                f"the fault condition {condition} has {len(members)} recordings; at least 3 are needed,"
                " one for each domain and one to test"
            )
        n_test = max(1, len(members) // 4)
        rest = len(members) - n_test
        n_a = rest // 2 + (rest % 2) * turn
        turn ^= rest % 2
        roles[members[:n_test]] = "test"
        roles[members[n_test : n_test + n_a]] = DEVICE_A
        roles[members[n_test + n_a :]] = DEVICE_B
    return roles


def _labels(path: Path, sensors: set[str]) -> list[Labelled]:
    """Read the rows of labels.csv that all of `sensors` recorded."""
    columns = f"its columns must be {', '.join(REAL_COLUMNS)}"
    table = documents.read_table(
        path, REAL_COLUMNS, "give the folder of real recordings with --data", columns
    )
    rows = []
    for number, row in enumerate(table.rows):
        if not row["recording"] or not row["fault"]:
            raise InputError(f"{path} has a row without recording or fault; complete the row, or remove it")
        if sensors <= set(row["sensors"].split()):
            condition = "-".join(row[column] for column in REAL_COLUMNS[1:4])
            rows.append(Labelled(row["recording"], row["fault"], condition, number))
    if not rows:
        raise InputError(f"{path} names no recording of {' and '.join(sorted(sensors))}; give one that does")
    return rows


def _dealt(
    rows: list[Labelled],
    seed: int,
    sound: Callable[[Labelled, str], np.ndarray],
    settings: FeatureSettings,
) -> DevicePair:
    roles = deal([row.condition for row in rows], seed)

    def heard(role: str, devices: tuple[str, ...]) -> Moments:
        for row, dealt_to in zip(rows, roles, strict=True):
            if dealt_to == role:
                yield row.recording, row.fault, {device: sound(row, device) for device in devices}

    return _pair(heard, settings)


def _pair(heard: Callable[[str, tuple[str, ...]], Moments], settings: FeatureSettings) -> DevicePair:
    """The pair of what is `heard` in each role (a device's training, "test") by one device or by both."""
    both = (DEVICE_A, DEVICE_B)
    a = feature_sets(heard(DEVICE_A, both), settings, OFFSETS)
    b = feature_sets(heard(DEVICE_B, (DEVICE_B,)), settings, OFFSETS)
    test = feature_sets(heard("test", both), settings, 1)
    return DevicePair(a[DEVICE_A], b[DEVICE_B], test[DEVICE_A], test[DEVICE_B], truth_a=a[DEVICE_B])
