"""Pairs of devices with hidden truth: what a method may see, and what it is measured on."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cyclegan_lib import documents
from cyclegan_lib.benchmark.device_pair import DevicePair, Moments, check_pair, feature_sets
from cyclegan_lib.config import DEVICE_A, DEVICE_B, FeatureSettings, SimulationSettings
from cyclegan_lib.errors import InputError, count
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.recordings.reading import read_header, read_recording
from cyclegan_lib.simulation.dataset import fault_of, render
from cyclegan_lib.simulation.microphones import LABORATORY, LEVEL, PLANT, hear, load_response

# Recordings of the simulated pairs: as `cyclegan simulate` makes them.
SIMULATED = SimulationSettings()
BOTH = (DEVICE_A, DEVICE_B)
OFFSETS = 5  # training recordings are sliced at up to five offsets of 0.04 s
ROTATIONS = 3  # of a seed, on real recordings: each is tested once, and trains A and B once
CWRU = ("diameter_mils", "position_oclock")  # what makes a condition of a fault
MOTORS = ("condition",)


@dataclass(frozen=True)
class Recipe:
    """How a pair is made: `make(seed, data)`, and what it needs in the folder of real recordings."""

    make: Callable[[int, Path], list[DevicePair]]
    needs: tuple[str, ...] = ()
    rotated: bool = False  # has three rotations a seed
    real: bool = False  # two devices heard the same machine, nothing is simulated


@dataclass(frozen=True)
class Labelled:
    """A row of labels.csv."""

    recording: str
    fault: str
    condition: str  # the fault with its kind, size and place
    number: int  # of the row


def build(name: str, seed: int, data: str | Path) -> list[DevicePair]:
    """Build the pair of devices that `PAIRS` has under `name`; `data` is the folder of real recordings.

    The seed decides who hears which recordings, and all noise. Real recordings are dealt in thirds, which
    train A, train B and test by turns: three rotations, in which each is tested once; simulated ones have one
    rotation. Raises InputError if real data are missing (see `lacking`) or damaged, or the pair cannot be
    learned from or measured (see `check_pair`).
    """
    return [check_pair(name, rotation) for rotation in PAIRS[name].make(seed, Path(data))]


def lacking(names: Iterable[str], data: str | Path) -> dict[str, str]:
    """Say which of the pairs lack real data in the folder `data`: {name: what is missing}."""
    data, lacks = Path(data), {}
    for name in names:
        missing = [data / part for part in PAIRS[name].needs if not (data / part).exists()]
        if missing:
            lacks[name] = f"{missing[0] if data.is_dir() else data} does not exist"
    return lacks


def simulated(seed: int, data: Path | None = None, **normal: float) -> list[DevicePair]:
    """The simulated devices; `normal_a` and `normal_b` are the parts of normal machines in training."""
    settings = SIMULATED.model_copy(update={"seed": seed, **normal})

    def heard(role: str, devices: tuple[str, ...], offsets: int) -> dict[str, FeatureSet]:
        return feature_sets(
            rendered(role, devices), FeatureSettings(sample_rate=settings.sample_rate), offsets
        )

    def rendered(role: str, devices: tuple[str, ...]) -> Moments:
        for i in range(settings.test_recordings if role == "test" else settings.train_recordings):
            sounds = {device: s / 32768 for device, s in render(settings, role, i, devices).items()}  # int16
            # other seeds are other recordings
            yield f"{seed}-{role}-{i + 1:04d}", fault_of(settings, role, i), sounds

    a = heard(DEVICE_A, BOTH, OFFSETS)
    b, test = heard(DEVICE_B, (DEVICE_B,), OFFSETS), heard("test", BOTH, 1)
    return [
        DevicePair(
            a[DEVICE_A],
            b[DEVICE_B],
            test[DEVICE_A],
            test[DEVICE_B],
            truth_a=a[DEVICE_B],
            labelled_a=a[DEVICE_A],
        )
    ]


def microphones(seed: int, data: Path, microphone_a: str, microphone_b: str) -> list[DevicePair]:
    """Recordings of the drive-end sensor through two measured microphones, in a plant and in a laboratory."""
    folder = data / "cwru" / "drive_end"
    rows = _labels(data / "cwru" / "labels.csv", CWRU, {"drive_end"})
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


def recorded(
    seed: int, data: Path, folder: str, source: str, target: str, of_condition: tuple[str, ...], **cut: float
) -> list[DevicePair]:
    """Two devices that heard one machine at once, nothing simulated: folders `source` and `target`."""
    devices = {source, target} if folder == "cwru" else set()  # elsewhere all devices heard all
    rows = _labels(data / folder / "labels.csv", of_condition, devices)
    folders = {DEVICE_A: data / folder / source, DEVICE_B: data / folder / target}
    rate = read_header(folders[DEVICE_A] / f"{rows[0].recording}.flac").sample_rate

    def sound(row: Labelled, device: str) -> np.ndarray:
        return read_recording(folders[device] / f"{row.recording}.flac", rate)

    return _dealt(rows, seed, sound, FeatureSettings(sample_rate=rate), **cut)


def _microphones(microphone_a: str, microphone_b: str = "Oktava_ML19") -> Recipe:
    files = (f"microphones/{name}.wav" for name in (microphone_a, microphone_b))
    return Recipe(
        partial(microphones, microphone_a=microphone_a, microphone_b=microphone_b),
        ("cwru/labels.csv", "cwru/drive_end", *files),
        rotated=True,
    )


def _recorded(folder: str, source: str, target: str, *of_condition: str, **cut: float) -> Recipe:
    given = {"folder": folder, "source": source, "target": target, "of_condition": of_condition}
    needs = ("labels.csv", source, target)
    return Recipe(partial(recorded, **given, **cut), tuple(f"{folder}/{n}" for n in needs), True, real=True)


PAIRS: dict[str, Recipe] = {
    "simulated": Recipe(simulated),
    # the plant hears sound machines most of the time, the laboratory is sent broken ones
    "simulated-shifted": Recipe(partial(simulated, normal_a=0.8, normal_b=0.4)),
    "microphones": _microphones("IR_Lomo52A5M"),
    "microphones-stc4035": _microphones("IR_STC4035"),
    "microphones-gec2373": _microphones("GEC_2373"),
    "sensors": _recorded("cwru", "fan_end", "drive_end", *CWRU),
    "motors": _recorded("motors", "phone", "hifi", *MOTORS),
    "motors-reversed": _recorded("motors", "hifi", "phone", *MOTORS),
    # the laboratory is sent a third of the sound machines that the plant hears
    "motors-shifted": _recorded("motors", "phone", "hifi", *MOTORS, healthy=1 / 3),
}


def deal(rows: list[Labelled], seed: int) -> np.ndarray:
    """Deal recordings in thirds, int (recordings,) from 0 to 2: of every condition, odd ones by turns.

    Conditions of fewer than three recordings are dealt as one for each fault. Raises InputError if even those
    are fewer than three: they could not be in all thirds.
    """
    of_each = Counter(row.condition for row in rows)
    conditions = [row.condition if of_each[row.condition] >= ROTATIONS else row.fault for row in rows]
    rng = np.random.default_rng(seed)
    thirds = np.empty(len(rows), dtype=int)
    turn = int(rng.integers(ROTATIONS))
    for condition in sorted(set(conditions)):
        members = rng.permutation(np.flatnonzero(np.array(conditions) == condition))
        if len(members) < ROTATIONS:
            raise InputError(
                f"the fault condition {condition} has {count(len(members), 'recording')}; at least"
                f" {ROTATIONS} are needed, one for each domain and one to test"
            )
        thirds[members] = (turn + np.arange(len(members))) % ROTATIONS
        turn = (turn + len(members)) % ROTATIONS
    return thirds


def _labels(path: Path, of_condition: tuple[str, ...], sensors: set[str]) -> list[Labelled]:
    """Read the rows of labels.csv that all of `sensors` recorded, conditions by columns `of_condition`."""
    names = ("recording", "fault", *of_condition, *(("sensors",) if sensors else ()))
    columns = f"its columns must be {', '.join(names)}"
    table = documents.read_table(path, names, "give the folder of real recordings with --data", columns)
    rows = []
    for number, row in enumerate(table.rows):
        if not row["recording"] or not row["fault"]:
            raise InputError(f"{path} has a row without recording or fault; complete the row, or remove it")
        if sensors <= set(row.get("sensors", "").split()):
            condition = "-".join(row[column] for column in ("fault", *of_condition))
            rows.append(Labelled(row["recording"], row["fault"], condition, number))
    if not rows:
        of = f" of {' and '.join(sorted(sensors))}" if sensors else ""
        raise InputError(f"{path} names no recording{of}; give one that does")
    return rows


def _dealt(
    rows: list[Labelled],
    seed: int,
    sound: Callable[[Labelled, str], np.ndarray],
    settings: FeatureSettings,
    **cut: float,
) -> list[DevicePair]:
    """The rotations of a seed; `cut` is the part of a fault's recordings that B's training keeps."""

    def heard(offsets: int) -> tuple[FeatureSet, FeatureSet]:
        moments = ((row.recording, row.fault, {d: sound(row, d) for d in BOTH}) for row in rows)
        sets = feature_sets(moments, settings, offsets)
        return sets[DEVICE_A], sets[DEVICE_B]

    (a, b), (test_a, test_b) = heard(OFFSETS), heard(1)
    names, thirds = np.array([row.recording for row in rows]), deal(rows, seed)
    rotations = []
    for rotation in range(ROTATIONS):
        of_a, of_b, tested = (names[(thirds + rotation + role) % ROTATIONS == 0] for role in range(3))
        kept = _thinned(of_b, {row.recording: row.fault for row in rows}, cut, [seed, rotation])
        train_a, truth_a = (x.select(np.isin(x.recording, of_a)) for x in (a, b))
        train_b = b.select(np.isin(b.recording, kept))
        test = (x.select(np.isin(x.recording, tested)) for x in (test_a, test_b))
        rotations.append(DevicePair(train_a, train_b, *test, truth_a, labelled_a=train_a))
    return rotations


def _thinned(names: np.ndarray, faults: dict[str, str], cut: dict[str, float], seed: list[int]) -> np.ndarray:
    """The recordings that are kept: of each fault in `cut` so large a part, drawn by the seed."""
    rng = np.random.default_rng(seed)
    for fault, part in cut.items():
        members = rng.permutation([name for name in names if faults[name] == fault])
        names = np.setdiff1d(names, members[round(part * len(members)) :])
    return names
