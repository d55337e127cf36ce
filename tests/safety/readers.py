"""Every reader of the library: damaged files for it, and what must be true of a file that it loads."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
import yaml
from helpers import PROJECT, make_set
from hypothesis import strategies as st
from pytorch_lightning.callbacks import Timer
from safety.checkpoints import checkpoint
from safety.contents import (
    NAMES,
    RATE,
    SWEEP,
    configurations,
    dumped,
    flacs,
    lists,
    saved,
    sound,
    sweeps,
    tables,
    waves,
)
from safety.mutations import as_json, bomb, changed, npy, npz

from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.benchmark.report import Benchmark
from cyclegan_lib.evaluation.measures import measured
from cyclegan_lib.export import Translator, export, inspect_checkpoint
from cyclegan_lib.export.manifest import sealed
from cyclegan_lib.features import FeatureSet, Normalizer, Pairs
from cyclegan_lib.features.extract import read_labels
from cyclegan_lib.features.stream import FeatureStream
from cyclegan_lib.models import CycleGANModule, Generator
from cyclegan_lib.models.checkpoint import read_checkpoint
from cyclegan_lib.recordings.microphones import load_response
from cyclegan_lib.recordings.reading import find_recordings, read_header, read_recording
from cyclegan_lib.runs.notebooks import notebooks_of
from cyclegan_lib.runs.record import Record
from cyclegan_lib.runs.sweep_file import read_sweep
from cyclegan_lib.training.callbacks import ChooseCheckpoint
from cyclegan_lib.training.checkpoints import Written
from cyclegan_lib.training.random_states import restore_random_states


@dataclass(frozen=True)
class Reader:
    """One way into the library.

    Attributes
    ----------
    file : str
        The name of the file that it reads.
    valid : bytes
        A file that it loads.
    wrong : strategy of bytes
        Containers that are whole, with wrong contents.
    load : callable
        Reads a path, and asserts what must be true if it does not raise InputError.
    count : int
        How many files of damaged bytes it is given.
    examples : int
        How many of wrong contents hypothesis makes, some of them equal.
    """

    file: str
    valid: bytes
    wrong: st.SearchStrategy[bytes]
    load: Callable[[Path], None]
    count: int
    examples: int


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


def load_stream(path: Path) -> None:
    stream = FeatureStream.open(path, least=1)
    parts = list(stream.parts(2))
    assert sum(map(len, parts)) == len(stream)
    for part in parts:
        _whole(part)


def load_pairs(path: Path) -> None:
    found = Pairs.load(path)
    assert found.features_a.shape == found.features_b.shape and found.features_a.dtype == np.float32
    assert np.isfinite(found.features_a).all() and np.isfinite(found.features_b).all() and len(found) >= 1


def load_normalization(path: Path) -> None:
    found = Normalizer.load(path)
    for domain in "AB":
        z = found.normalize(np.zeros((1, 40), np.float32), domain)
        assert np.isfinite(z).all() and np.isfinite(found.denormalize(np.zeros((1, 40)), domain)).all()


def load_sound(path: Path) -> None:
    header = read_header(path)
    sound = read_recording(path, RATE)
    assert sound.dtype == np.float32 and sound.ndim == 1 and np.isfinite(sound).all()
    assert abs(len(sound) - header.frames * RATE / header.sample_rate) <= 2


def load_microphone(path: Path) -> None:
    assert np.isfinite(load_response(path, RATE)).all()


def load_labels(path: Path) -> None:
    found = read_labels(path, "fault", NAMES)
    assert list(found) == NAMES and all(label and len(label.splitlines()) == 1 for label in found.values())


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
    record.save(path.with_name("again"))


def load_benchmark(path: Path) -> None:
    found = Benchmark.load(path)
    for cell in found.cells:
        assert isinstance(cell, Cell) and isinstance(cell.seed, int)
        found.spread(cell.pair, cell.method, "nmse")


def load_metrics(path: Path) -> None:
    found = measured(path.parent)
    assert found is None or all(np.isfinite(list(found.translated.values())))


def load_exported(path: Path) -> None:
    folder = path if path.is_dir() else path.parent
    for direction in ("AB", "BA"):
        translator = Translator.load(folder, direction)
        assert np.isfinite(translator.translate(np.full((1, 5, 40), -40, np.float32))).all()
        translator.source.encode(), translator.target.encode()


def load_checkpoint(path: Path) -> None:
    text = inspect_checkpoint(path)
    assert "generator_AB" in text and text.encode()
    folder = path.with_name("model")
    export(path, folder)
    load_exported(folder)
    shutil.rmtree(folder)
    _go_on(path)


def _go_on(path: Path) -> None:
    """All that training takes from a checkpoint, put to where it goes, and a step."""
    found = Written.read(path)
    assert found.epoch == len(found.choice["history"]) - 1
    content = read_checkpoint(path)
    module = CycleGANModule.load_from_checkpoint(path)
    for optimizer, state in zip(module.configure_optimizers(), content["optimizer_states"], strict=True):
        optimizer.load_state_dict(state)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    ChooseCheckpoint(path.parent).load_state_dict(found.choice)
    Timer("1:00:00:00").load_state_dict(content["callbacks"].get("Timer", {}))
    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", barebones=True)
    trainer.fit_loop.load_state_dict(content["loops"]["fit_loop"])
    assert isinstance(trainer.current_epoch, int)
    if content.get("random_states") is not None:
        restore_random_states(content["random_states"])


NOTEBOOKS = [notebook for notebook in notebooks_of(PROJECT) if not notebook.stem.startswith("05")]


def _weights(folder: Path) -> Callable[[Path], None]:
    """Load a folder in which a generator's file is replaced, its SHA-256 included."""
    values = json.loads((folder / "model_config.json").read_text())
    names = values.pop("sha256")
    del values["config_sha256"]

    def load(path: Path) -> None:
        text = sealed(values, [path.with_name(name) for name in names])
        path.with_name("model_config.json").write_text(text)
        load_exported(path.parent)

    return load


def readers(base: Path, trained: Path, exported: Path) -> dict[str, Reader]:
    """All readers by name, with valid files made in the folder `base`, a checkpoint and an export."""
    small = make_set("cpc006", n=3)
    small = replace(small, features=small.features[:, :4])
    arrays = dict(np.load(small.save(base / "small.npz")))
    pair = {"features_a": small.features, "features_b": small.features + 1, "recording": small.recording}
    np.savez(base / "pairs.npz", **pair)
    nested = np.round(small.features[:2, :2], 2).tolist()
    normalization = json.loads((exported / "normalization_params.json").read_text())
    record = Record("a", "cyclegan run", {}, {"01": {}}, [], {"versions": {}, "git": None})
    record.save(base)
    run = json.loads((base / "run.json").read_text())
    run["notebooks"] = [{"notebook": "01.ipynb", "status": "done", "seconds": 1.5}]
    cell = {"pair": "simulated", "seed": 0, "method": "identity", "values": {"nmse": 1.0, "c2st": None}}
    cell |= {"extras": {}, "recordings": {"test_a": 8}, "seconds": 0.1}
    names = {"pairs": ["simulated"], "methods": ["identity"], "seeds": [0], "left_out": {}, "versions": {}}
    result = {**names, "cells": [cell]}
    metrics = {"rows": [{"name": "CycleGAN", "nmse": 0.5}, {"name": "Gaussian OT", "nmse": 0.7}]}
    table = "recording,fault\nm-1,ball\ndeep/m 2,normal\nä,ball\n".encode()
    content = torch.load(trained, weights_only=True)
    generator = torch.load(exported / "generator_AB.pth", weights_only=True)
    assert set(generator) == set(Generator(hidden_dim=8, members=2).state_dict())
    zeros = (bomb((10_000, 50, 40), arrays, "features"), bomb((3, 50, 40), arrays, "features"))
    pair_zeros = (bomb((10_000, 50, 40), pair, "features_a"),)
    flac, wav = sound("FLAC", "PCM_16"), sound("WAV", "PCM_16", 2)
    values = small.features
    jsons = lambda value: changed(value).map(as_json)
    read = lambda name: (base / name).read_bytes()
    return {
        "feature set, .npz": Reader("a.npz", read("small.npz"), npz(arrays, zeros), load_features, 900, 500),
        "feature set in parts": Reader("a.npz", read("small.npz"), npz(arrays, zeros), load_stream, 300, 200),
        "feature set, .npy": Reader("a.npy", saved(values), npy(values), load_features, 700, 500),
        "feature set, .json": Reader("a.json", as_json(nested), jsons(nested), load_features, 700, 400),
        "pairs": Reader("a.npz", read("pairs.npz"), npz(pair, pair_zeros), load_pairs, 500, 300),
        "normalisation": Reader(
            "a.json", as_json(normalization), jsons(normalization), load_normalization, 700, 400
        ),
        "sound, WAV": Reader("a.wav", wav, waves(), load_sound, 700, 500),
        "sound, FLAC": Reader("a.flac", flac, flacs(flac), load_sound, 500, 200),
        "impulse response": Reader("a.wav", wav, waves(), load_microphone, 150, 100),
        "labels": Reader("a.csv", table, tables(), load_labels, 600, 300),
        "list of recordings": Reader("a.txt", b"a\ndeep/c\n", lists(), load_list, 250, 150),
        "sweep": Reader("a.yml", yaml.safe_dump(SWEEP).encode(), sweeps(), load_sweep, 400, 300),
        "record of a run": Reader("run.json", as_json(run), jsons(run), load_record, 250, 200),
        "benchmark": Reader("a.json", as_json(result), jsons(result), load_benchmark, 200, 150),
        "metrics": Reader("metrics.json", as_json(metrics), jsons(metrics), load_metrics, 150, 100),
        "configuration": Reader(
            "model_config.json",
            (exported / "model_config.json").read_bytes(),
            configurations(exported),
            load_exported,
            500,
            250,
        ),
        "exported weights": Reader(
            "generator_AB.pth",
            (exported / "generator_AB.pth").read_bytes(),
            checkpoint(generator).map(dumped),
            _weights(exported),
            250,
            150,
        ),
        "checkpoint": Reader(
            "a.ckpt", trained.read_bytes(), checkpoint(content).map(dumped), load_checkpoint, 600, 350
        ),
    }
