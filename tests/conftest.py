"""Small feature sets and a briefly trained model that many tests share."""

import signal
from pathlib import Path

import pytest
from helpers import QUICK, make_set
from xdist.scheduler import LoadScopeScheduling

# A shell that starts the tests in the background (`make test &` in a script) has them ignore Ctrl-C, and all
# processes too that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class TogetherByFile(LoadScopeScheduling):
    """Keeps on one worker the tests that share what is slow to make: those of a file, and all of notebooks/.

    The groups of pytest-xdist 3.8 (``--dist loadgroup``) have no effect under pytest 9.2: it renames tests
    through an attribute that pytest has no longer.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return "notebooks" if "notebooks" in Path(path).parts else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> TogetherByFile:
    """Where tests run side by side (``-n 2``)."""
    return TogetherByFile(config, log)


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
    """A run of two short epochs: (TrainingRun, its folder)."""
    from cyclegan_lib.training import train

    folder = tmp_path_factory.mktemp("checkpoints")
    return train(*domains, folder, QUICK, progress=False), folder


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory) -> Path:
    """A folder with everything exported from that run."""
    from cyclegan_lib.export import export

    folder = tmp_path_factory.mktemp("exported") / "exported_models"
    export(trained[0].best, folder, inference_script=True)
    return folder
