from pathlib import Path

import pytest
from helpers import train_command

from cyclegan_lib.cli import main


@pytest.fixture(scope="module")
def uninterrupted(quick_start, domains, tmp_path_factory) -> Path:
    """The folder of `train_command` where nothing stopped it."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert main(train_command(domains, folder)) == 0
    return folder
