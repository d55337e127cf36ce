"""Files that run code where they are unpickled: each makes the file `harm`; and a look that none did."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch
from helpers import refusal


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


def saved(path: Path, harm: Path, whole: Path | None = None) -> Path:
    torch.save({"state_dict": {}, "hyper_parameters": TouchInPython(harm)}, path)
    return path


def legacy(path: Path, harm: Path, whole: Path | None = None) -> Path:
    torch.save({"state_dict": Touch(harm)}, path, _use_new_zipfile_serialization=False)
    return path


def bare(path: Path, harm: Path, whole: Path | None = None) -> Path:
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


CHECKPOINTS = {make.__name__: make for make in (saved, legacy, bare, replaced, beside)}


def array_file(path: Path, harm: Path, name: str) -> Path:
    """A feature set or pairs of which the array `name` is one of Python objects; "npy": nothing else."""
    objects = np.array(Touch(harm) if name == "settings" else [Touch(harm)] * 3, dtype=object)
    if name == "npy":
        np.save(path.with_suffix(".npy"), objects, allow_pickle=True)
        return path.with_suffix(".npy")
    features = np.zeros((3, 50, 40), np.float32)
    values = {"recording": np.array(["a", "b", "c"]), "start_s": np.zeros(3), "device": np.str_("cpc006")}
    values |= {"features": features, "features_a": features, "features_b": features}
    np.savez(path, **{**values, "settings": np.str_("null"), name: objects})
    return path


def refused(capture, harm: Path, bad: Path, *arguments: object) -> None:
    """See the command refuse in one sentence that names the file, and nothing happen."""
    assert bad.name in refusal(capture, *arguments)
    assert not harm.exists()
