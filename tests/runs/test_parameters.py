"""Parameters are checked before a kernel starts and before a folder is made."""

import papermill
import pytest

from cyclegan_lib.cli import main
from cyclegan_lib.runs.parameters import check_parameters, describe_parameters, notebooks_of

REFUSED = {
    "max_epoch 3": "unknown notebook parameter 'max_epoch'; did you mean 'max_epochs'?",
    "xyzzy 3": "unknown notebook parameter 'xyzzy'; the notebooks know data_dir, seed",
    "run_dir here": "unknown notebook parameter 'run_dir'",
    "max_epochs many": "the parameter 'max_epochs' must be int, not 'many'",
    "max_epochs 1.5": "the parameter 'max_epochs' must be int, not '1.5'",
    "quick 1": "the parameter 'quick' must be bool, not '1'",
    "max_epochs -3": "'max_epochs' cannot be -3: input should be greater than or equal to 1",
    "train_recordings 1": "'train_recordings' cannot be 1: input should be greater than or equal to 8",
    "lambda_cycle nan": "'lambda_cycle' must be a finite number, not nan",
    "seed -1": "'seed' cannot be -1",
    "resume no.ckpt": "no.ckpt does not exist; give the parameter 'resume' the path of an existing file",
    "resume notebooks": "notebooks is a folder, not a file",
    "domain_a mine.npz": "need all of domain_a, domain_b, test_a, test_b, and domain_b, test_a, test_b",
}


@pytest.fixture
def no_kernel(monkeypatch):
    def started(*_, **__):
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(papermill, "execute_notebook", started)


@pytest.mark.parametrize("given", REFUSED)
def test_a_parameter_is_refused_in_one_sentence(given, project, no_kernel, capsys):
    (project / "mine.npz").write_text("mine")
    assert main(["run", "--name", "refused", "-p", *given.split(" ")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("cyclegan: ") and error.count("\n") == 1
    assert REFUSED[given] in error
    assert not (project / "runs").exists()


def test_values_get_their_types_and_paths_are_meant_from_here(project):
    (project / "mine.ckpt").write_text("mine")
    given = {
        "max_epochs": "5",
        "lambda_cycle": "2",
        "quick": "True",
        "resume": "mine.ckpt",
        "data_dir": "small",
    }
    checked = check_parameters(given, notebooks_of(project), "the command line")
    assert checked == {
        "max_epochs": 5,
        "lambda_cycle": 2.0,
        "quick": True,
        "resume": str(project / "mine.ckpt"),
        "data_dir": str(project / "small"),
    }
    assert type(checked["lambda_cycle"]) is float


def test_all_parameters_are_listed_with_their_meaning(project, capsys):
    assert main(["run", "--list-parameters"]) == 0
    text = capsys.readouterr().out
    assert text.strip() == describe_parameters()
    assert "  max_epochs          int    40      epochs" in text
    assert "02_training" in text
