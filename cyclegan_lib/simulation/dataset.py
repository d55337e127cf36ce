"""The simulated pair of devices, written as WAV files.

Layout::

    cpc006/train/cpc006-0001.wav ...              machines heard by cpc006 alone
    BATCH_UPLOAD/train/BATCH_UPLOAD-0001.wav ...  other machines, heard by BATCH_UPLOAD alone
    cpc006/test/test-0001.wav ...                 the same moments, heard by both: for the evaluation alone
    BATCH_UPLOAD/test/test-0001.wav ...
    labels.csv                                    recording, split, fault, rpm, load, severity
    simulation.json                               the settings, written last: the set is whole
"""

import re
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from cyclegan_lib import documents
from cyclegan_lib.config import DEVICE_A, DEVICE_B, SimulationSettings
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.files import name_for_c, replacing, writable_folder
from cyclegan_lib.names import check_written
from cyclegan_lib.parallel import each
from cyclegan_lib.simulation.devices import DEVICES
from cyclegan_lib.simulation.machine import FAULTS, Moment, draw_moment, machine_sound
from cyclegan_lib.system import processors

SIMULATION_JSON, UNFINISHED, LABELS = "simulation.json", ".incomplete", "labels.csv"
LABEL_COLUMNS = ("recording", "split", "fault", "rpm", "load", "severity")
# Roles number the seeds: each role has recordings of its own, and adding some changes no earlier one.
ROLES = {DEVICE_A: 0, DEVICE_B: 1, "test": 2}
RECORDING_FILE = re.compile(rf"\.?({DEVICE_A}|{DEVICE_B}|test)-\d{{4,}}(\.\d+\.part)?\.wav")
WORTH_A_PROCESS = 4  # recordings; starting one takes as long


def simulate(
    folder: Path, settings: SimulationSettings, workers: int | None = None, progress: bool = True
) -> Path:
    """Simulate both devices' recordings into `folder`, and return it; the same settings give the same bytes.

    Returns at once if `folder` already holds them; an interrupted simulation is continued. The work is shared
    by `workers` processes, one for each processor if left out; the bytes do not depend on it. Raises
    InputError if `folder` holds something else, or cannot be written.
    """
    folder = Path(folder)
    if _prepare(folder, settings):
        if progress:
            print(f"{printable(str(folder))} already holds this simulation; nothing to be done")
        return folder
    tasks = _unfinished(folder, settings)
    workers = min(workers or processors(), -(-len(tasks) // WORTH_A_PROCESS))
    with tqdm(total=len(tasks), desc="simulating", unit="recording", disable=not progress) as bar:
        for _ in each(partial(_render, folder, settings), tasks, workers):
            bar.update()
    labels = [_label(settings, *task) for task in _tasks(settings)]
    documents.write_table(folder / LABELS, LABEL_COLUMNS, labels, end="\n")
    documents.write(folder / SIMULATION_JSON, settings.model_dump())
    (folder / UNFINISHED).unlink()
    return folder


def fault_of(settings: SimulationSettings, role: str, index: int) -> str:
    """The fault of recording `index` (from 0).

    Dealt in groups in random order: by default every four in a row hold each fault once. Test recordings
    always are, whatever the parts of normal machines in training.
    """
    deck = _deck({DEVICE_A: settings.normal_a, DEVICE_B: settings.normal_b}.get(role, 1 / len(FAULTS)))
    group, place = divmod(index, len(deck))
    order = _rng(settings.seed, role, group, "faults").permutation(len(deck))
    return deck[order[place]]


@lru_cache
def _deck(normal: float) -> tuple[str, ...]:
    """The smallest group with a part `normal` of normal machines and as many of each fault."""
    part = Fraction(normal).limit_denominator(20)
    faults = FAULTS[1:]
    times = 1 if (part.denominator - part.numerator) % len(faults) == 0 else len(faults)
    of_each = times * (part.denominator - part.numerator) // len(faults)
    return (FAULTS[0],) * (times * part.numerator) + faults * of_each


def moment_of(settings: SimulationSettings, role: str, index: int) -> tuple[Moment, np.random.Generator]:
    """The machine that recording `index` (from 0) of `role` hears, and the generator that goes on from it."""
    rng = _rng(settings.seed, role, index, "machine")
    return draw_moment(fault_of(settings, role, index), rng), rng


def render(
    settings: SimulationSettings, role: str, index: int, devices: tuple[str, ...] | None = None
) -> dict[str, np.ndarray]:
    """Each device's recording of one moment: int16 (samples,) by device.

    `role` is "cpc006", "BATCH_UPLOAD" or "test", and `index` counts from 0. A device hears its own training
    recordings; both hear the test recordings. `devices` may be others than those that hear the role, to know
    what they would have heard.
    """
    moment, rng = moment_of(settings, role, index)
    sound = machine_sound(moment, settings.seconds, settings.sample_rate, rng)  # (samples,)
    heard = {}
    for device in devices or (DEVICES if role == "test" else (role,)):
        # a generator for each device: what one draws must not change what the other hears
        wave = DEVICES[device](sound, settings.sample_rate, _rng(settings.seed, role, index, device))
        heard[device] = np.round(wave * 32767).astype(np.int16)
    return heard


def _rng(seed: int, role: str, index: int, purpose: str) -> np.random.Generator:
    purposes = {"machine": 0, "faults": 1, DEVICE_A: 2, DEVICE_B: 3}
    return np.random.default_rng(np.random.SeedSequence((seed, ROLES[role], index, purposes[purpose])))


def _tasks(settings: SimulationSettings) -> list[tuple[str, int]]:
    counts = {"train": settings.train_recordings, "test": settings.test_recordings}
    return [(role, index) for role in ROLES for index in range(counts[_split(role)])]


def _unfinished(folder: Path, settings: SimulationSettings) -> list[tuple[str, int]]:
    return [
        task for task in _tasks(settings) if not all(path.exists() for path in _paths(folder, *task).values())
    ]


def _name(role: str, index: int) -> str:
    return f"{role}-{index + 1:04d}"


def _paths(folder: Path, role: str, index: int) -> dict[str, Path]:
    devices = DEVICES if role == "test" else (role,)
    return {device: folder / device / _split(role) / f"{_name(role, index)}.wav" for device in devices}


def _split(role: str) -> str:
    return "test" if role == "test" else "train"


def _render(folder: Path, settings: SimulationSettings, task: tuple[str, int]) -> None:
    heard = render(settings, *task)
    for device, path in _paths(folder, *task).items():
        with replacing(path) as part:
            soundfile.write(name_for_c(part), heard[device], settings.sample_rate, subtype="PCM_16")


def _label(settings: SimulationSettings, role: str, index: int) -> dict[str, str]:
    moment, _ = moment_of(settings, role, index)
    return {
        "recording": _name(role, index),
        "split": _split(role),
        "fault": moment.fault,
        "rpm": f"{moment.rpm:.1f}",
        "load": f"{moment.load:.3f}",
        "severity": f"{moment.severity:.3f}",
    }


def _prepare(folder: Path, settings: SimulationSettings) -> bool:
    """Return True if the simulation is there already; make the folder ready for it otherwise."""
    check_written(_paths(folder, DEVICE_B, 0)[DEVICE_B])
    writable_folder(folder)
    done, unfinished = folder / SIMULATION_JSON, folder / UNFINISHED
    if done.exists() and not unfinished.exists():
        # a folder written before a setting existed has its default
        if documents.read_if_whole(done, SimulationSettings) != settings:
            raise InputError(
                f"{folder} holds a simulation with other settings ({SIMULATION_JSON});"
                " give another folder, or remove this one"
            )
        if not _unfinished(folder, settings) and (folder / LABELS).exists():
            return True
    elif unfinished.exists():
        begun = documents.read_if_whole(unfinished, SimulationSettings)
        if begun is None:
            raise InputError(
                f"{unfinished} is not of an interrupted simulation, and {folder} is left as it is;"
                " give a new or an empty folder"
            )
        _remove_leftovers(folder, parts_only=begun == settings)
    elif any(folder.iterdir()):
        raise InputError(
            f"{folder} already holds files that are no simulation, and they are never overwritten;"
            " give a new or an empty folder"
        )
    documents.write(unfinished, settings.model_dump(), indent=None)
    done.unlink(missing_ok=True)
    return False


def _remove_leftovers(folder: Path, parts_only: bool) -> None:
    """Remove what an interrupted simulation left: half-written files, or all of its recordings."""
    for path in (path for device in DEVICES for path in (folder / device).glob("*/*.wav")):
        if RECORDING_FILE.fullmatch(path.name) and (path.name.startswith(".") or not parts_only):
            path.unlink()
