"""What malicious files would do."""

from pathlib import Path

import pytest


@pytest.fixture
def harm(tmp_path: Path) -> Path:
    """The file that malicious files make."""
    return tmp_path / "harm"
