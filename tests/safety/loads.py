"""What a reader must do with a file: refuse it, or load what is true of every file that it loads."""

import importlib.util
import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from filelock import FileLock
from helpers import PROJECT
from pytorch_lightning.callbacks import Timer
from safety.contents import NAMES, RATE, reseal

from cyclegan_lib import documents
from cyclegan_lib.benchmark.cells import Cell, cell_path
from cyclegan_lib.benchmark.numbers import Benchmark
from cyclegan_lib.benchmark.pairs import _labels
from cyclegan_lib.checkpoint.random_states import restore_random_states
from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.config import SimulationSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.measures import measured
from cyclegan_lib.export import Translator, export, inspect_checkpoint
from cyclegan_lib.faults import FaultClassifier
from cyclegan_lib.features import FeatureSet, Normalizer, Pairs
from cyclegan_lib.features.feature_set import FeatureStream
from cyclegan_lib.features.labels import read_labels
from cyclegan_lib.locks import locked
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.recordings.finding import find_recordings
from cyclegan_lib.recordings.reading import Reading, RecordingStream, read_header
from cyclegan_lib.recordings.riff import CLAIMS_LESS
from cyclegan_lib.runs.execute import is_whole
from cyclegan_lib.runs.parameters import notebooks_of, parameters_of, read_notebook
from cyclegan_lib.runs.record import Record
from cyclegan_lib.runs.report import _rendered
from cyclegan_lib.runs.sweep_file import read_sweep
from cyclegan_lib.simulation.microphones import load_response
from cyclegan_lib.training.callbacks import ChooseCheckpoint
from cyclegan_lib.training.checkpoints import ResumePoint

CELL = ("simulated", 0, "identity")
NOTEBOOKS = [notebook for notebook in notebooks_of(PROJECT) if not notebook.stem.startswith("05")]


def _taken(found: Any, path: Path) -> Any:
    """What was read; damaged files that are passed over, to be made again, count as refused."""
    if found is None:
        raise InputError(f"{path} is passed over")
    return found


def _whole(found: FeatureSet) -> None:
    n = len(found)
    assert found.features.dtype == np.float32 and found.features.shape[2:] == (40,) and n >= 1
    assert np.isfinite(found.features).all() and np.isfinite(found.start_s).all()
    for column in (found.recording, found.start_s, *([] if found.label is None else [found.label])):
        assert column.shape == (n,)
    " ".join(map(str, [found.device, *found.recording])).encode()


def load_features(path: Path) -> None:
    found = FeatureSet.load(path, least=1)
    _whole(found)
    again = FeatureSet.load(found.save(path.with_name("again.npz")), least=1)
    np.testing.assert_array_equal(again.features, found.features)
    parts = list(FeatureStream(path, least=1).parts(2))
    np.testing.assert_array_equal(np.concatenate([part.features for part in parts]), found.features)
    for part in parts:
        _whole(part)


def load_pairs(path: Path) -> None:
    found = Pairs.load(path)
    assert found.features_a.shape == found.features_b.shape and found.features_a.dtype == np.float32
    assert np.isfinite(found.features_a).all() and np.isfinite(found.features_b).all() and len(found) >= 1


def classifier(folder: Path, asked: FeatureSet) -> Callable[[Path], None]:
    """Read a saved classifier for the model in `folder`, and let it answer."""

    def load(path: Path) -> None:
        found = FaultClassifier.load(path, folder)
        predictions = found.predict(asked)
        assert np.allclose(predictions.probabilities.sum(axis=1), 1)
        expected = found.expected_accuracy(predictions)
        assert 0 <= expected.low <= expected.mean <= expected.high <= 1
        assert sum(found.estimated_shares(predictions).values()) < 1.001

    return load


def load_normalization(path: Path) -> None:
    found = Normalizer.load(path)
    for domain in "AB":
        z = found.normalize(np.zeros((1, 40), np.float32), domain)
        assert np.isfinite(z).all() and np.isfinite(found.denormalize(np.zeros((1, 40)), domain)).all()


def load_sound(path: Path) -> None:
    reading = Reading(rate_of_files=RATE)
    header = read_header(path, reading)
    stream = RecordingStream(path, RATE, reading)
    sound = np.concatenate([np.empty(0, np.float32), *stream.blocks()])
    assert sound.dtype == np.float32 and sound.ndim == 1 and np.isfinite(sound).all()
    if header.frames is not None:
        more = len(sound) - header.frames * RATE / header.sample_rate
        assert abs(more) <= 2 or (more > 0 and CLAIMS_LESS in stream.facts.remarks)


def load_microphone(path: Path) -> None:
    assert np.isfinite(load_response(path, RATE)).all()


def load_labels(path: Path) -> None:
    found = read_labels(path, "fault", NAMES, path.parent).of
    assert list(found) == NAMES and all(len(label.splitlines()) <= 1 for label in found.values())


def load_list(path: Path) -> None:
    folder = path.with_name("recordings")
    found = find_recordings(folder, path)
    assert found and all(one.resolve().is_relative_to(folder.resolve()) for one in found)


def load_sweep(path: Path) -> None:
    found = read_sweep(path, NOTEBOOKS)
    combinations = found.combinations()
    assert 1 <= len(combinations) <= 10_000
    json.dumps([found.name, found.parameters, combinations])


def load_record(path: Path) -> None:
    record = Record.load(path.parent)
    assert all(step.status in ("pending", "done", "failed") for step in record.notebooks)
    assert isinstance(record.done, bool) and isinstance(record.seconds, float | int)
    for step in record.notebooks:
        assert step.status == "pending" or isinstance(record.parameters[step.stem], dict)
    " ".join(used.path + used.sha256 for used in record.inputs.values())
    record.save(path.with_name("again"))


def load_benchmark(path: Path) -> None:
    found = Benchmark.load(path)
    for cell in found.cells:
        assert isinstance(cell, Cell) and isinstance(cell.seed, int)
        found.mean(cell.pair, cell.method, "nmse")


def load_metrics(path: Path) -> None:
    found = _taken(measured(path.parent), path)
    best = [value for _, value in found.baseline.values()]
    assert all(np.isfinite([*found.translated.values(), *best, *np.ravel([*found.interval.values()])]))
    "\n".join(["", found.headline, *found.said, *(name for name, _ in found.baseline.values())])
    f"{found.epoch} {found.compared}"


def load_cell(path: Path) -> None:
    place = cell_path(path.parent, *CELL)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, place)
    cell = _taken(Cell.load(path.parent, *CELL, "abc"), path)
    Benchmark([cell], [CELL[0]], [CELL[2]], [0], {}, {}).mean(CELL[0], CELL[2], "nmse")


def load_simulation(path: Path) -> None:
    found = _taken(documents.read_if_whole(path, SimulationSettings), path)
    assert found.train_recordings >= 8 and np.isfinite(found.seconds)


def load_sensors(path: Path) -> None:
    for row in _labels(path, ("diameter_mils", "position_oclock"), {"drive_end"}):
        assert all(type(text) is str and text for text in (row.recording, row.fault, row.condition))


def load_declarations(path: Path) -> None:
    for name, parameter in parameters_of(path).items():
        assert name.isidentifier() and parameter.type in ("int", "float", "str", "bool")


def load_executed(path: Path) -> None:
    _taken(is_whole(path) or None, path)
    html, _ = _rendered(read_notebook(path), path.stem, {})
    html.encode()


def load_lock(path: Path) -> None:
    """What a lock says is read while another holds it."""
    with FileLock(path) if path.stat().st_size % 2 else nullcontext(), locked(path.parent):
        assert path.read_bytes().endswith(b"pid %d" % os.getpid())


def script(folder: Path) -> Callable[[Path], None]:
    """Read what the script that is exported beside the models reads, and translate it."""
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("inference_example", folder / "inference_example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(folder))

    def load(path: Path) -> None:
        said = io.StringIO()
        try:
            with redirect_stderr(said):
                features = module.read(path)["features"]
        except SystemExit as error:
            assert error.code == 2
            # numpy reserves what the header of a member claims without touching it; not so what is unpacked
            if isinstance(error.__context__, MemoryError):
                assert sum(member.file_size for member in zipfile.ZipFile(path).infolist()) < 1 << 30
        else:
            part = features[:1, :2]
            assert np.isfinite(part.astype(np.float32)).all() and not said.getvalue()
            assert module.translate(part).shape == part.shape
            return
        raise InputError(said.getvalue().strip())

    return load


def load_exported(path: Path) -> None:
    for direction in ("AB", "BA"):
        translator = Translator.load(path.parent, direction)
        assert np.isfinite(translator.translate(np.full((1, 5, 40), -40, np.float32))).all()
        translator.source.encode(), translator.target.encode()


def load_checkpoint(path: Path) -> None:
    text = inspect_checkpoint(path)
    assert "generator_AB" in text and text.encode()
    folder = path.with_name("model")
    export(path, folder)
    load_exported(folder / "model_config.json")
    shutil.rmtree(folder)
    _go_on(path)


def _go_on(path: Path) -> None:
    """All that training takes from a checkpoint, put to where it goes, and a step."""
    found = ResumePoint.read(path)
    assert found.epoch == len(found.choice["history"]) - 1
    content = read_checkpoint(path)
    module = CycleGANModule.load_from_checkpoint(path)
    for optimizer, state in zip(module.configure_optimizers(), content["optimizer_states"], strict=True):
        optimizer.load_state_dict(state)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    ChooseCheckpoint(path.parent, keep=3).load_state_dict(found.choice)
    Timer("1:00:00:00").load_state_dict(content["callbacks"].get("Timer", {}))
    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", barebones=True)
    trainer.fit_loop.load_state_dict(content["loops"]["fit_loop"])
    assert isinstance(trainer.current_epoch, int)
    if content.get("random_states") is not None:
        restore_random_states(content["random_states"])


def load_weights(path: Path) -> None:
    """Load a folder in which a generator's file is replaced, its SHA-256 included."""
    reseal(path.parent)
    load_exported(path)
