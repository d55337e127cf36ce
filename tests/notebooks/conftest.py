"""A folder like the project's to run notebooks in, and two runs that several tests look at."""

import shutil
from pathlib import Path

import pytest
from helpers import PROJECT
from notebooks.layers import COMMITTED, NAMES, cyclegan, run_nbval

# 8 test recordings a side and 50 steps: enough for the CycleGAN to come nearer than no translation
SMALL = {"train_recordings": 24, "test_recordings": 16, "max_epochs": 2, "seed": 3, "data_seed": 3}


def copy_project(folder: Path) -> Path:
    """Copy the notebooks into a folder like the project's, so that its own results are left alone."""
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder like the project's, with its notebooks and nothing that they wrote."""
    return copy_project(tmp_path_factory.mktemp("projects") / "a project")


@pytest.fixture(scope="session")
def committed_again(tmp_path_factory) -> tuple[Path, tuple[int, str]]:
    """The committed notebooks run again by nbval: the folder of what they wrote, and what it found.

    The folder is like that of a run: notebooks, measures and figures.
    """
    project = copy_project(tmp_path_factory.mktemp("projects") / "a project run again")
    found = run_nbval(*(project / "notebooks" / path.name for path in COMMITTED))
    run = project / "runs" / "again"
    shutil.copytree(project / "figures", run / "figures", ignore=shutil.ignore_patterns("06*"))
    for path in (project / "metrics.json", *(project / "notebooks" / f"{name}.ipynb" for name in NAMES)):
        shutil.copy(path, run)
    return run, found


@pytest.fixture(scope="session")
def small_run(tmp_path_factory) -> tuple[Path, str]:
    """A run of `cyclegan run` with small parameters: (its folder, what it printed)."""
    project = copy_project(tmp_path_factory.mktemp("projects") / "a small project")
    given = [text for name, value in SMALL.items() for text in ("-p", name, str(value))]
    done = cyclegan(project, "run", "--name", "small", "-p", "data_dir", "data/small", *given)
    assert done.returncode == 0, done.stderr[-3000:]
    return project / "runs" / "small", done.stdout
