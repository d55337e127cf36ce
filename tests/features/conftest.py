import pytest
from extracting import write


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "recordings"
    write(folder / "a.wav", 10.0, seed=1)
    write(folder / "b.flac", 25.0, seed=2)
    write(folder / "day2" / "a.wav", 10.0, seed=3)
    return folder
