"""What a run hangs on besides its parameters: versions, the commit, the machine, the bytes of its inputs."""

import hashlib
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

LIBRARIES = (
    "cyclegan-lib",
    "torch",
    "pytorch-lightning",
    "numpy",
    "scipy",
    "scikit-learn",
    "POT",
    "librosa",
    "soundfile",
    "matplotlib",
    "pydantic",
    "papermill",
    "nbclient",
    "nbconvert",
    "ipykernel",
)
GIT_TIMEOUT_S = 10


def facts(project: Path) -> dict[str, Any]:
    """Versions of Python, the library and what its numbers come from, all packages, commit and platform."""
    installed = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"]}
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: installed[name] for name in LIBRARIES if name in installed},
        },
        "packages": sorted((f"{name}=={number}" for name, number in installed.items()), key=str.lower),
        "git": commit(project),
        "platform": platform.platform(),
    }


def commit(folder: Path) -> dict[str, Any] | None:
    """The commit that is checked out in `folder` and whether files differ from it; None without git."""
    head = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain")
    return None if head is None or changes is None else {"commit": head, "dirty": bool(changes)}


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=GIT_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
