"""Small feature sets and a briefly trained model that many tests share."""

from pathlib import Path

import pytest
from helpers import QUICK, make_set


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side, keep together those that share what is slow to make."""
    for item in items:
        whole = item.path.parent.name == "notebooks"  # they look at one small run of the notebooks
        item.add_marker(pytest.mark.xdist_group("notebooks" if whole else str(item.path)))


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
