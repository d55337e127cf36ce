"""Files that run code where they are unpickled: each makes the file `harm`; and a look that none did."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cyclegan_lib.cli import main


class Touch:
    """When it is unpickled, a shell makes the file `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.system, (f"touch '{self.path}'",)


class TouchInPython(Touch):
    """The same without a shell."""

    def __reduce__(self) -> tuple:
        return Path.touch, (Path(self.path),)


def legacy(path: Path, harm: Path) -> Path:
    torch.save({"state_dict": Touch(harm)}, path, _use_new_zipfile_serialization=False)
    return path


def saved(path: Path, harm: Path) -> Path:
    torch.save({"state_dict": {}, "hyper_parameters": TouchInPython(harm)}, path)
    return path


def bare(path: Path, harm: Path) -> Path:
    path.write_bytes(pickle.dumps(Touch(harm)))
    return path


def replaced(path: Path, harm: Path, whole: Path) -> Path:
    """A real file of torch.save in which another pickle takes the place of its own."""
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename.endswith("/data.pkl"):
                content = pickle.dumps(Touch(harm), protocol=2)
            new.writestr(member.filename, content)
    return path


def beside(path: Path, harm: Path, whole: Path) -> Path:
    """A real checkpoint in which everything is as it should be, and one more value is not."""
    content = torch.load(whole, weights_only=True)
    torch.save({**content, "example": Touch(harm)}, path)
    return path


CHECKPOINTS: dict[str, Callable[[Path, Path, Path], Path]] = {
    "saved": lambda path, harm, whole: saved(path, harm),
    "legacy": lambda path, harm, whole: legacy(path, harm),
    "bare": lambda path, harm, whole: bare(path, harm),
    "replaced": replaced,
    "beside": beside,
}


def arrays(harm: Path) -> dict:
    objects = np.array([Touch(harm)] * 3, dtype=object)
    values = {
        "features": np.zeros((3, 50, 40), np.float32),
        "recording": np.array(["a", "b", "c"]),
        "start_s": np.zeros(3),
        "device": np.str_("cpc006"),
        "settings": np.str_("null"),
    }
    return {"values": values, "objects": objects}


def array_file(path: Path, harm: Path, name: str) -> Path:
    """A feature set or pairs of which the array `name` is one of Python objects."""
    found = arrays(harm)
    values = found["values"]
    if name in ("features_a", "features_b"):
        values |= {"features_a": values["features"], "features_b": values["features"]}
    objects = found["objects"] if name != "settings" else np.array(Touch(harm), dtype=object)
    np.savez(path, **{**values, name: objects})
    return path


def npy_file(path: Path, harm: Path) -> Path:
    np.save(path, arrays(harm)["objects"], allow_pickle=True)
    return path


def refused(capsys: pytest.CaptureFixture, harm: Path, bad: Path, *arguments: object) -> None:
    """See the command refuse in one sentence that names the file, and nothing happen."""
    assert main([str(argument) for argument in arguments]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cyclegan: ")]
    assert len(said) == 1 and bad.name in said[0], said
    assert not harm.exists()
