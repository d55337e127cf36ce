"""No file from outside runs code: real pickles that would, handed to every command that reads files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import PROJECT, QUICK, refusal, train_command, write_notebook
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from safety.contents import reseal
from safety.payloads import CHECKPOINTS, array_file, bare, beside, refused, saved
from sounds import record

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.cli import main
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, Pairs
from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.training import train
from cyclegan_lib.workspace import Workspace

UNPICKLE = """
import pickle, sys
from contextlib import suppress

import numpy as np
import torch

for path in sys.argv[1:]:
    for load in (
        lambda: torch.load(path, weights_only=False),
        lambda: pickle.load(open(path, "rb")),
        lambda: list(np.load(path, allow_pickle=True).values()),
        lambda: np.load(path, allow_pickle=True),
    ):
        with suppress(Exception):
            load()
"""


@pytest.fixture
def harm(tmp_path) -> Path:
    """The file that malicious files make."""
    return tmp_path / "harm"


def test_every_payload_does_harm_where_it_is_unpickled(trained, tmp_path):
    harms = [tmp_path / name for name in (*CHECKPOINTS, "features", "settings", "npy")]
    paths = [
        CHECKPOINTS[harm.name](harm.with_suffix(".ckpt"), harm, trained[0].best)
        if harm.name in CHECKPOINTS
        else array_file(harm.with_suffix(".npz"), harm, harm.name)
        for harm in harms
    ]
    assert not any(harm.exists() for harm in harms)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "tests")}
    subprocess.run([sys.executable, "-c", UNPICKLE, *paths], capture_output=True, env=environment)
    assert [harm.name for harm in harms if not harm.exists()] == []


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints_run_nothing(name, trained, domains, tmp_path, harm, capsys, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # nor can torch be told to
    bad = CHECKPOINTS[name](tmp_path / "bad.ckpt", harm, trained[0].best)
    out = tmp_path / "out"
    refused(capsys, harm, bad, "inspect", bad)
    refused(capsys, harm, bad, "export", "--checkpoint", bad, "--output-dir", out)
    given = ("--domain-a", domains[0], "--domain-b", domains[1], "--checkpoint-dir", out)
    refused(capsys, harm, bad, "train", *given, "--resume", bad)
    for load, given in (
        (read_checkpoint, {}),
        (CycleGANModule.load_from_checkpoint, {}),
        (CycleGANModule.load_from_checkpoint, {"map_location": "cpu", "weights_only": False}),
    ):
        with pytest.raises(InputError, match="bad.ckpt"):
            load(bad, **given)
    assert not harm.exists() and not out.exists()


@pytest.mark.parametrize("name", ["cyclegan-last", "best"])
def test_a_folder_of_malicious_checkpoints_is_passed_over(name, trained, domains, tmp_path, harm, capsys):
    """`--resume auto` looks at every checkpoint of the folder."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    beside(folder / f"{name}.ckpt", harm, trained[0].best)
    main(train_command(domains, folder, max_epochs=1))
    assert "passed over" in capsys.readouterr().err
    assert not harm.exists()


@pytest.mark.parametrize("distilled", [(), pytest.param(("--distilled",), marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_exported_weights_run_nothing(name, distilled, exported, domains, tmp_path, harm, capsys):
    """Also if the SHA-256 in model_config.json was changed to match, and that of the file itself."""
    model = shutil.copytree(exported, tmp_path / "model")
    weights = f"generator_AB{'_distilled' * len(distilled)}.pth"
    bad = CHECKPOINTS[name](model / weights, harm, exported / "generator_AB.pth")
    generator = json.loads((model / "model_config.json").read_text(encoding="utf-8"))["generator_config"]
    small = {"generator_config": generator, "difference": {"AB": 0.1, "BA": 0.1}}
    reseal(model, weights, distilled=small)
    out = tmp_path / "out.npz"
    given = ("--direction", "AB", "--input", domains[0], "--output", out)
    refused(capsys, harm, bad, "translate", "--model", model, *given, *distilled)
    # the script that is exported beside them
    code = [sys.executable, str(model / "inference_example.py"), "--input", domains[0], "--output", out]
    done = subprocess.run([*code, *distilled], capture_output=True, cwd=model, encoding="utf-8")
    assert done.returncode == 2 and f"{weights} does not hold this generator's weights" in done.stderr
    assert not harm.exists() and not out.exists()


@pytest.mark.parametrize("array", ["features", "label", "settings", "more", "npy"])
def test_feature_sets_run_nothing(array, domains, exported, tmp_path, harm, capsys):
    bad, out = array_file(tmp_path / "bad.npz", harm, array), tmp_path / "out.npz"
    a, b = domains
    given = ("--direction", "AB", "--input", bad, "--output", out)
    refused(capsys, harm, bad, "translate", "--model", exported, *given)
    refused(capsys, harm, bad, "train", "--domain-a", bad, "--domain-b", b, "--checkpoint-dir", out)
    refused(capsys, harm, bad, "train", "--domain-a", a, "--domain-b", bad, "--checkpoint-dir", out)
    refused(capsys, harm, bad, "evaluate", "--source", bad, "--translated", b, "--target", b)
    for name in ("paired", "labelled", "fit-source", "fit-target"):
        given = ("--source", a, "--translated", a, "--target", b, f"--{name}", bad)
        refused(capsys, harm, bad, "evaluate", *given)
    with pytest.raises(InputError, match=bad.name):
        FeatureSet.load(bad)
    assert not out.exists()


def test_pairs_run_nothing(domains, tmp_path, harm, capsys):
    bad, out = array_file(tmp_path / "bad.npz", harm, "features_a"), tmp_path / "out"
    a, b = domains
    given = ("--domain-a", a, "--domain-b", b, "--checkpoint-dir", out)
    refused(capsys, harm, bad, "train", *given, "--pairs", bad)
    with pytest.raises(InputError, match="never loaded"):
        Pairs.load(bad)
    assert not out.exists()


def test_labels_lists_and_recordings_run_nothing(tmp_path, harm, capsys):
    bad, out = bare(tmp_path / "bad.wav", harm), tmp_path / "out.npz"
    refused(capsys, harm, bad, "extract", bad, "--device", "x", "--output", out)
    folder = tmp_path / "recordings"
    record(folder / "a.wav")
    for option in ("--labels", "--recordings-list"):
        refused(capsys, harm, bad, "extract", folder, "--device", "x", "--output", out, option, bad)
    labels = tmp_path / "labels.csv"
    labels.write_text(f"recording,fault\na,\"__import__('os').system('touch {harm}')\"\n", encoding="utf-8")
    main(["extract", str(folder), "--device", "x", "--output", str(out), "--labels", str(labels)])
    assert not harm.exists()


ABROAD = [("dropped", name) for name in ("../victim.txt", "/etc/victim.txt", "victim.txt", "best.ckpt")]
ABROAD += [("kept", "../victim.txt"), ("kept", "cyclegan-epoch=0-val_cycle_A=0.1000.ckpt/../../victim.txt")]


@pytest.mark.parametrize(("kind", "name"), ABROAD)
def test_a_checkpoint_cannot_name_files_to_be_deleted_or_written(kind, name, trained, domains, tmp_path):
    """Training removes and copies the checkpoints that the state of a run names as its own."""
    victim = tmp_path / "victim.txt"
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for path in (victim, folder / "victim.txt"):
        path.write_text("mine", encoding="utf-8")
    content = torch.load(trained[0].last, weights_only=True)
    state = content["callbacks"]["ChooseCheckpoint"]
    state[kind] = [name] if kind == "dropped" else {name: 1}
    torch.save(content, folder / "cyclegan-last.ckpt")
    with pytest.raises(InputError, match="is no checkpoint of its own"):
        train(*domains, folder, QUICK, resume=folder / "cyclegan-last.ckpt", progress=False)
    assert victim.read_text(encoding="utf-8") == (folder / "victim.txt").read_text(encoding="utf-8") == "mine"


def test_lightning_is_never_asked_to_import_what_a_checkpoint_names(trained, tmp_path, harm, monkeypatch):
    """`_instantiator` among the hyperparameters names a function that Lightning would import and call."""
    (tmp_path / "payload.py").write_text(f"open({str(harm)!r}, 'w')\ndef f(*given): pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    content = torch.load(trained[0].best, weights_only=True)
    content["hyper_parameters"]["_instantiator"] = "payload.f"
    torch.save(content, tmp_path / "bad.ckpt")
    with pytest.raises(InputError, match="bad.ckpt"):
        CycleGANModule.load_from_checkpoint(tmp_path / "bad.ckpt")
    assert not harm.exists()


SWEEPS = (
    "!!python/object/apply:os.system [touch HARM]",
    "{grid: {seed: !!python/object/apply:os.system [touch HARM]}}",
    "{grid: {seed: [!!python/object/new:os.system [touch HARM]]}}",
    "{name: !!python/name:os.system '', grid: {seed: [0]}}",
    "{grid: {seed: [\"__import__('os').system('touch HARM')\"]}}",
    "{name: \"$(touch HARM)\", grid: {seed: ['`touch HARM`']}}",
    "{grid: {domain_a: [\"'; import os; os.system('touch HARM') #\"]}}",
)


@pytest.mark.parametrize("text", SWEEPS)
def test_sweep_files_run_nothing(text, tmp_path, harm, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT)
    bad = tmp_path / "bad.yml"
    bad.write_text(text.replace("HARM", str(harm)), encoding="utf-8")
    refused(capsys, harm, bad, "sweep", bad)


def test_parameters_that_look_like_code_are_text(harm, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT)
    for name in ("max_epochs", "lambda_cycle", "use_labels", "domain_a", "resume"):
        assert name in refusal(capsys, "run", "-p", name, f"__import__('os').system('touch {harm}')")
    assert not harm.exists()


def test_a_notebook_reads_text_that_looks_like_code_as_text(tmp_path, harm):
    """papermill writes parameters into a cell: what ends a string there must stay inside it."""
    notebook = load_notebook_node(str(write_notebook(tmp_path / "a.ipynb", 'domain_a: str = ""  # a path')))
    text = f"\"\"\"'''\\\n__import__('os').system('touch {harm}') #"
    scope: dict = {}
    for cell in parameterize_notebook(notebook, {"domain_a": text}).cells:
        exec(cell.source, scope)
    assert scope["domain_a"] == text and not harm.exists()


@pytest.mark.parametrize("name", ["resume", "domain_a"])
def test_files_that_parameters_name_run_nothing(name, domains, tmp_path, harm):
    """What notebook 02 does with them, after the check of its parameters."""
    bad = tmp_path / "bad.npz"
    saved(bad, harm) if name == "resume" else array_file(bad, harm, "label")
    cells = ["", f'{name}: str = ""  # file: one\n', f'# Parameters\n{name} = "{bad}"\n']
    Workspace.open({"In": cells, name: str(bad), "run_dir": str(tmp_path)})
    given = {"domain_a": domains[0], "domain_b": domains[1], "resume": None, name: bad}
    with pytest.raises(InputError, match=bad.name):
        train(**given, checkpoint_dir=tmp_path / "out", settings=QUICK, progress=False)
    assert not harm.exists() and not (tmp_path / "out").exists()


WORDS = "pickle.load|torch.load(|np.load(|yaml.load(|joblib|shelve|marshal| eval(| exec(".split("|")
# the last is what a training sends to its own processes
SAFE = ("weights_only=True", "allow_pickle=False", "_UniqueKeys", "pickle.loads(pipe.recv_bytes())")


def test_nothing_in_the_library_unpickles_or_evaluates():
    """By name: whoever adds such a call finds this test."""
    sources = [PROJECT / "scripts", PROJECT / "cyclegan_lib"]
    lines = [
        line.strip()
        for source in sources
        for path in source.rglob("*.py")
        for line in path.open(encoding="utf-8")
    ]
    calls = [line for line in lines if any(word in line for word in WORDS)]
    assert len(calls) >= 5  # the search finds what there is
    assert [line for line in calls if not any(word in line for word in SAFE)] == []
