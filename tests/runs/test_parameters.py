"""Parameters are checked before a kernel starts and before a folder is made."""

import papermill
import pytest
from helpers import done, refusal

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


@pytest.mark.parametrize("given", REFUSED)
def test_a_parameter_is_refused_in_one_sentence(given, project, monkeypatch, capsys):
    monkeypatch.setattr(papermill, "execute_notebook", None)
    (project / "mine.npz").write_text("mine")
    assert REFUSED[given] in refusal(capsys, "run", "--name", "refused", "-p", *given.split(" "))
    assert not (project / "runs").exists()


def test_values_get_their_types_and_paths_are_meant_from_here(project):
    (project / "mine.ckpt").write_text("mine")
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
