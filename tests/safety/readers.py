"""Every reader of the library: damaged files for it, and what must be true of a file that it loads."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from helpers import make_set
from hypothesis import strategies as st
from safety import contents, loads
from safety.checkpoints import checkpoint
from safety.contents import LABELS, RATE, SENSORS, SWEEP, dumped, sound, tables
from safety.mutations import as_json, bomb, changed, damaged, endless, npy, npz, saved, seeds
from scipy.io import savemat

from cyclegan_lib.config import SimulationSettings
from cyclegan_lib.faults import FaultClassifier
from cyclegan_lib.runs.record import Input, Record


@dataclass(frozen=True)
class Reader:
    """One way into the library."""

    file: str  # the name of the file that it reads
    valid: bytes  # a file that it loads
    wrong: st.SearchStrategy[bytes]  # containers that are whole, with wrong contents
    load: Callable[[Path], None]  # reads a path, and asserts what is true if it does not raise InputError
    count: int  # of files of damaged bytes
    examples: int  # of wrong contents that hypothesis makes, some of them equal


def readers(base: Path, trained: Path, exported: Path) -> dict[str, Reader]:
    """All readers by name, with valid files made in the folder `base`, a checkpoint and an export."""
    return _arrays(base, exported) | _recordings(exported) | _runs(base) | _models(trained, exported)


def _json(name: str, value: Any, load: Callable[[Path], None], count: int, examples: int) -> Reader:
    return Reader(name, as_json(value), changed(value).map(as_json), load, count, examples)


def _arrays(base: Path, exported: Path) -> dict[str, Reader]:
    small = make_set("cpc006", n=3)
    small = replace(small, features=small.features[:, :4])
    arrays = dict(np.load(small.save(base / "small.npz")))
    pair = {"features_a": small.features, "features_b": small.features + 1, "recording": small.recording}
    np.savez(base / "pairs.npz", **pair)
    whole, pairs = (base / "small.npz").read_bytes(), (base / "pairs.npz").read_bytes()
    zeros = (bomb((10_000, 50, 40), arrays, "features"), bomb((3, 50, 40), arrays, "features"))
    wrong = npz(arrays, (*zeros, endless(arrays, "features")))
    wrong_pair = npz(pair, (bomb((10_000, 50, 40), pair, "features_a"), endless(pair, "features_a")))
    values = small.features
    nested = np.round(values[:2, :2], 2).tolist()
    script = loads.script(exported)
    labelled = replace(make_set("BATCH_UPLOAD", n=4), label=np.array(["good", "worn"] * 2))
    kept = FaultClassifier("reverse").fit(labelled, exported).save(base / "classifier.npz")
    of_classifier, faults = dict(np.load(kept)), loads.classifier(exported, small)
    return {
        "feature set, .npz": Reader("a.npz", whole, wrong, loads.load_features, 900, 500),
        "feature set, .npy": Reader("a.npy", saved(values), npy(values), loads.load_features, 700, 500),
        "feature set, .json": _json("a.json", nested, loads.load_features, 700, 400),
        "fault classifier": Reader("a.npz", kept.read_bytes(), npz(of_classifier), faults, 300, 200),
        "pairs": Reader("a.npz", pairs, wrong_pair, loads.load_pairs, 500, 300),
        "exported script, .npz": Reader("a.npz", whole, wrong, script, 200, 200),
        "exported script, .npy": Reader("a.npy", saved(values), npy(values), script, 100, 100),
        "exported script, .json": _json("a.json", nested, script, 100, 100),
    }


def _recordings(exported: Path) -> dict[str, Reader]:
    normalization = json.loads((exported / "normalization_params.json").read_text(encoding="utf-8"))
    flac, wav = sound("FLAC", "PCM_16"), sound("WAV", "PCM_16", 2)
    samples = np.random.default_rng(0).standard_normal((150, 2)).astype(np.float32)
    rows = [["time", "a", "b"], *([str(i), *map(str, row)] for i, row in enumerate(samples[:20]))]
    arrays = {"DE": samples, "sr": np.array(RATE)}
    np.savez(zipped := io.BytesIO(), **arrays)
    savemat(matlab := io.BytesIO(), {"X118_DE_time": samples, "X118RPM": 1772, "info": {"Name": "text"}})
    mat = b"MATLAB 5.0 MAT-file".ljust(116) + matlab.getvalue()[116:]  # without the time of writing
    garbled = seeds().map(lambda random: damaged(random, mat))
    labels, sensors, csv = ("\n".join(map(",".join, rows)).encode() for rows in (LABELS, SENSORS, rows))
    simulation = SimulationSettings().model_dump()
    return {
        "normalisation": _json("a.json", normalization, loads.load_normalization, 700, 400),
        "sound, WAV": Reader("a.wav", wav, contents.waves(), loads.load_sound, 700, 500),
        "sound, FLAC": Reader("a.flac", flac, contents.flacs(flac), loads.load_sound, 500, 200),
        "sound, CSV": Reader("a.csv", csv, tables(rows), loads.load_sound, 300, 150),
        "sound, MATLAB": Reader("a.mat", mat, garbled, loads.load_sound, 300, 100),
        "sound, .npy": Reader("a.npy", saved(samples), npy(samples), loads.load_sound, 150, 100),
        "sound, .npz": Reader("a.npz", zipped.getvalue(), npz(arrays), loads.load_sound, 150, 100),
        "impulse response": Reader("a.wav", wav, contents.waves(), loads.load_microphone, 150, 100),
        "labels": Reader("a.csv", labels, tables(LABELS), loads.load_labels, 600, 300),
        "labels of a benchmark": Reader("a.csv", sensors, tables(SENSORS), loads.load_sensors, 100, 100),
        "list of recordings": Reader("a.txt", b"a\ndeep/c\n", contents.lists(), loads.load_list, 250, 150),
        "simulation": _json("a.json", simulation, loads.load_simulation, 100, 100),
    }


def _runs(base: Path) -> dict[str, Reader]:
    step = {"notebook": "01.ipynb", "status": "done", "seconds": 1.5}
    record = Record(name="a", command="cyclegan run", given={}, parameters={"01": {}}, notebooks=[])
    record.inputs["domain_a"] = Input("a.npz", "00")
    record.save(base)
    run = json.loads((base / "run.json").read_text(encoding="utf-8")) | {"notebooks": [step]}
    cell = {"pair": "simulated", "seed": 0, "method": "identity", "values": {"nmse": 1.0, "c2st": None}}
    cell |= {"extras": {}, "recordings": {"test_a": [8]}, "seconds": 0.1}
    names = {"pairs": {"simulated": {}}, "methods": ["identity"], "seeds": [0]}
    names |= {"left_out": {}, "versions": {}}
    rows = [{"name": "CycleGAN", "nmse": 0.5, "interval": {"nmse": [0.4, 0.6]}}]
    rows += [{"name": "Gaussian OT", "nmse": 0.7, "baseline": True}]
    metrics = {"rows": rows, "headline": "Better.", "gap_closed": 0.5, "epoch": 3, "said": ["Good."]}
    metrics["recordings_compared"] = 20
    sweep = yaml.safe_dump(SWEEP).encode()
    notebook, lock = contents.executed(), b"\0pid 1234567"
    return {
        "sweep": Reader("a.yml", sweep, contents.sweeps(), loads.load_sweep, 400, 300),
        "record of a run": _json("run.json", run, loads.load_record, 250, 200),
        "metrics": _json("metrics.json", metrics, loads.load_metrics, 150, 100),
        "benchmark": _json("a.json", {**names, "cells": [cell]}, loads.load_benchmark, 200, 150),
        "cell of a benchmark": _json("a.json", {"fingerprint": "abc", **cell}, loads.load_cell, 150, 100),
        "declarations of a notebook": _json("a.ipynb", notebook, loads.load_declarations, 100, 150),
        "executed notebook": _json("a.ipynb", notebook, loads.load_executed, 100, 100),
        "lock": Reader(".lock", lock, st.binary(max_size=99), loads.load_lock, 60, 60),
    }


def _models(trained: Path, exported: Path) -> dict[str, Reader]:
    config, weights = "model_config.json", "generator_AB.pth"
    values, state, content = (path.read_bytes() for path in (exported / config, exported / weights, trained))
    wrong, wrong_state = (
        checkpoint(torch.load(io.BytesIO(whole), weights_only=True)).map(dumped) for whole in (content, state)
    )
    sealed = contents.configurations(exported)
    return {
        "configuration": Reader(config, values, sealed, loads.load_exported, 500, 250),
        "exported weights": Reader(weights, state, wrong_state, loads.load_weights, 250, 150),
        "checkpoint": Reader("a.ckpt", content, wrong, loads.load_checkpoint, 600, 350),
    }
