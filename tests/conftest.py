"""Small feature sets and a briefly trained model that many tests share."""

import math
import os
import signal
import sys
from pathlib import Path

# Side by side, threads would wait for each other. Before torch is imported, and for tests' processes too.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from helpers import QUICK, make_set
from xdist.scheduler import LoadScopeScheduling

# A shell that starts the tests in the background (`make test &` in a script) has them ignore Ctrl-C, and all
# processes too that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# its limits of memory and processor time are not to be had on Windows
collect_ignore = ["safety/test_fuzz.py"] if sys.platform == "win32" else []


def pytest_configure(config: pytest.Config) -> None:
    """Processes that tests start do not say what other packages open without `encoding=`."""
    if not config.getoption("numprocesses", None):  # whose workers need it
        os.environ.pop("PYTHONWARNDEFAULTENCODING", None)


# What takes longest begins first, so that no worker is left alone with it at the end.
LONGEST = ("notebooks/", "export/", "end_to_end/", "runs/", "safety/", "training/")
# folders of tests that share what takes long to make: the notebooks run again, an export of everything
SHARING = ("tests/notebooks/", "tests/export/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        path = item.nodeid.removeprefix("tests/")
        return next((i for i, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))

    items.sort(key=place)


class TogetherByFile(LoadScopeScheduling):
    """Keeps on one worker the tests that share what is slow to make: those of a file, and of a folder
    that is `SHARING`.

    The groups of pytest-xdist 3.8 (``--dist loadgroup``) have no effect under pytest 9.2: it renames tests
    through an attribute that pytest has no longer.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return next(filter(path.startswith, SHARING), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> TogetherByFile:
    """Where tests run side by side (``-n 2``)."""
    config.option.loadscopereorder = False
    return TogetherByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def quick_measures():
    """Fewer trees, halvings and slices take a tenth of the time; what is tested does not hang on them.

    A test of the precision that they bring sets them itself.
    """
    from sklearn.ensemble import RandomForestClassifier

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "cyclegan_lib.faults.models.RandomForestClassifier",
            lambda _, **given: RandomForestClassifier(9, **given),
        )
        patch.setattr("cyclegan_lib.evaluation.halvings.HALVINGS", 2)
        patch.setattr("cyclegan_lib.evaluation.halvings.SLICES_COMPARED", 100)
        patch.setattr("cyclegan_lib.evaluation.two_sample.TREES", 3)
        patch.setattr("cyclegan_lib.evaluation.two_sample.C2ST_FOLDS", 2)
        patch.setattr("cyclegan_lib.training.trust.HALVINGS", 2)
        yield


@pytest.fixture(scope="module")
def quick_start():
    """The search for linear maps to start at takes seconds; here every member starts at the same one."""
    from kill_resume import START

    from cyclegan_lib.training import start

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "start_map", lambda *given: START)
        patch.setattr(start, "_nearest", lambda *given: start.MATCHED)
        patch.setattr(
            start.Trust, "of", lambda *given: (start.Trust(), dict.fromkeys(("ab", "ba"), (0.0, 0.0, 0.0)))
        )
        yield


@pytest.fixture(scope="session")
def domains(tmp_path_factory) -> tuple[Path, Path]:
    """Feature sets of both devices on disk."""
    folder = tmp_path_factory.mktemp("domains")
    return (
        make_set("cpc006", seed=1, shift=10).save(folder / "cpc006.npz"),
        make_set("BATCH_UPLOAD", seed=2).save(folder / "BATCH_UPLOAD.npz"),
    )


@pytest.fixture(scope="session")
def trained(domains, tmp_path_factory):
    """A run of two short epochs, of which a trained one is chosen: (TrainingRun, its folder)."""
    from cyclegan_lib.training import train
    from cyclegan_lib.training.callbacks import ChooseCheckpoint

    folder, cost = tmp_path_factory.mktemp("checkpoints"), ChooseCheckpoint._cost
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cyclegan_lib.training.trust.HALVINGS", 16)  # what it says of so few is noise
        # what is exported is more than the start, although so few steps do not improve on it
        patch.setattr(ChooseCheckpoint, "_cost", lambda self, of: cost(self, of) if of["epoch"] else math.inf)
        return train(*domains, folder, QUICK, progress=False), folder


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory) -> Path:
    """A folder with everything exported from that run."""
    from cyclegan_lib.export import export

    folder = tmp_path_factory.mktemp("exported") / "exported_models"
    export(trained[0].best, folder, inference_script=True)
    return folder
