"""Parameters are checked before a kernel starts and before a folder is made."""

import json
import re
from dataclasses import replace

import numpy as np
import papermill
import pytest
from helpers import PROJECT, done, make_set, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.runs.parameters import (
    check_parameters,
    describe_parameters,
    notebooks_of,
    simulated_folder,
)
from cyclegan_lib.runs.sweep import runs_of
from cyclegan_lib.runs.sweep_file import SweepFile

REFUSED = {
    "max_epoch 3": "unknown notebook parameter 'max_epoch'; did you mean 'max_epochs'?",
    "xyzzy 3": "unknown notebook parameter 'xyzzy'; the notebooks know data_dir, seed",
    "run_dir here": "unknown notebook parameter 'run_dir'",
    "max_epochs many": "the parameter 'max_epochs' must be int, not 'many'",
    "max_epochs 1.5": "the parameter 'max_epochs' must be int, not '1.5'",
    "quick 1": "the parameter 'quick' must be bool, not '1'",
    "max_epochs -3": "'max_epochs' cannot be -3: input should be greater than or equal to 1",
    "generator_strength 2": "'generator.strength' cannot be 2.0",
    "normalization both": "'normalization' cannot be 'both'",
    "train_recordings 1": "'train_recordings' cannot be 1: input should be greater than or equal to 8",
    "lambda_cycle nan": "'lambda_cycle' must be a finite number, not nan",
    "seed -1": "'seed' cannot be -1",
    "resume no.ckpt": "no.ckpt does not exist; give the parameter 'resume' the path of an existing file",
    "resume notebooks": "notebooks is a folder, not a file",
    "recordings_a notebooks": "need all of recordings_a, recordings_b, and recordings_b is missing",
    "recordings_a nowhere": "nowhere does not exist; give the parameter 'recordings_a' an existing folder",
    "device_a mine": "device_a says how recordings of your own are read; give recordings_a and recordings_b",
    "domain_a mine.npz": "need all of domain_a, domain_b, test_a, test_b, and domain_b, test_a, test_b",
}


@pytest.mark.parametrize("given", REFUSED)
def test_a_parameter_is_refused_in_one_sentence(given, project, monkeypatch, capsys):
    monkeypatch.setattr(papermill, "execute_notebook", None)
    (project / "mine.npz").write_text("mine", encoding="utf-8")
    assert REFUSED[given] in refusal(capsys, "run", "--name", "refused", "-p", *given.split(" "))
    assert not (project / "runs").exists()


def test_values_get_their_types_and_paths_are_meant_from_here(project):
    (project / "mine.ckpt").write_text("mine", encoding="utf-8")
    given = {"max_epochs": "5", "lambda_cycle": "2", "quick": "True"}
    paths = {"resume": "mine.ckpt", "data_dir": "small"}
    checked = check_parameters({**given, **paths}, notebooks_of(project), "the command line")
    absolute = {name: str(project / path) for name, path in paths.items()}
    assert checked == {"max_epochs": 5, "lambda_cycle": 2.0, "quick": True, **absolute}
    assert type(checked["lambda_cycle"]) is float


def test_all_parameters_are_listed_with_their_meaning(project, capsys):
    text = done(capsys, "run", "--list-parameters")
    assert text.strip() == describe_parameters()
    assert "  max_epochs          int    40      epochs" in text
    assert "02_training" in text


A, B = make_set("phone"), make_set("hifi", seed=1)
SETS = {
    "domain_a": A,
    "domain_b": B,
    "test_a": make_set("phone", n=4, seed=2),
    "test_b": make_set("hifi", n=4, seed=3),
}
WRONG = {
    "domain_a.npz and .*domain_b.npz both come from the device 'phone'": {"domain_b": A},
    "domain_b.npz holds 7 recordings; at least 8": {"domain_b": B.select(np.arange(7))},
    r"test_b.npz \(test_b\) is from phone; it must be from hifi, as .*domain_b.npz \(domain_b\) is": {
        "test_b": A
    },
    r"domain_a.npz \(domain_a\) and .*test_b.npz \(test_b\) were extracted with different settings": {
        "test_b": make_set("hifi", sample_rate=12000)
    },
    r"test_a.npz \(test_a\) has 1 recording": {"test_a": make_set("phone", n=2).select(np.array([0, 0]))},
    r"test_a.npz \(test_a\) has the classes \['BALL'": {
        "test_a": replace(SETS["test_a"], label=np.char.upper(SETS["test_a"].label))
    },
    "test_b.npz .* the paired set matches 0 of the 4 sequences": {
        "test_b": replace(SETS["test_b"], recording=SETS["test_a"].recording, start_s=np.ones(4))
    },
}


@pytest.mark.parametrize("says", WRONG)
def test_recordings_of_ones_own_are_checked_before_the_first_notebook(says, project, monkeypatch, capsys):
    monkeypatch.setattr(papermill, "execute_notebook", None)
    given = {name: str(each.save(project / f"{name}.npz")) for name, each in (SETS | WRONG[says]).items()}
    options = [part for name, path in given.items() for part in ("-p", name, path)]
    (project / "s.yml").write_text(
        json.dumps({"parameters": given, "grid": {"seed": [0, 1]}}), encoding="utf-8"
    )
    for command in (["run", "--name", "own", *options], ["sweep", "s.yml"]):
        assert re.search(says, refusal(capsys, *command))
    assert not (project / "runs").exists()


@pytest.mark.slow
def test_simulated_recordings_of_other_settings_have_folders_of_their_own(project, capsys):
    done(capsys, "run", "--name", "fewer", "-p", "train_recordings", "60")
    used = json.loads((project / "runs" / "fewer" / "run.json").read_text(encoding="utf-8"))["inputs"]
    assert used["domain_a"]["path"] == str(project / "data" / "train_recordings=60" / "cpc006.npz")
    # the seed of training does not move them, and the default ones stay where they are
    notebooks, data = notebooks_of(PROJECT), project / "data"
    assert simulated_folder(data, {"seed": 1, "train_recordings": 240}, notebooks) == data
    other = simulated_folder(data, {"seed": 1, "data_seed": 2, "test_recordings": 8}, notebooks)
    assert other == data / "data_seed=2,test_recordings=8"


def test_runs_of_a_sweep_over_seeds_share_simulated_recordings_and_split_others_anew(project):
    notebooks = notebooks_of(PROJECT)
    for given, shared in (({}, True), ({"recordings_a": "a", "recordings_b": "b"}, False)):
        file = SweepFile("s", given, {"seed": [0, 1]})
        one, other = runs_of(file, project / "runs" / "s", notebooks, "cyclegan sweep s.yml")
        assert (one.data == other.data) == shared


def test_a_seed_of_the_simulation_is_checked_before_anything_runs():
    with pytest.raises(InputError, match="'seed' cannot be -1"):
        check_parameters({"data_seed": "-1"}, notebooks_of(PROJECT), "the command line")
