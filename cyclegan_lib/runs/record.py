"""run.json: everything that is needed to repeat a run or to go on with it, written as the run goes on."""

import platform
import subprocess
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Literal

from cyclegan_lib import documents
from cyclegan_lib.config import RECORD

PENDING, DONE, FAILED = "pending", "done", "failed"
# what numbers come from, then what pictures and pages do
LIBRARIES = ("cyclegan-lib", "torch", "pytorch-lightning", "numpy", "scipy", "scikit-learn", "POT", "librosa")
LIBRARIES += ("soundfile", "matplotlib", "pydantic", "papermill", "nbclient", "nbconvert", "ipykernel")
GIT_TIMEOUT_S = 10


@dataclass
class Step:
    """One notebook of a run; `cell`, `error` and `message` are of its failure."""

    notebook: str  # file name
    status: Literal["pending", "done", "failed"] = PENDING
    started: str | None = None  # UTC, ISO 8601; of a pending one: the run was killed while it worked on it
    finished: str | None = None  # UTC, ISO 8601
    seconds: float | None = None
    cell: int | None = None  # its number as the executed notebook shows it, In [cell]
    error: str | None = None  # the error's class
    message: str | None = None  # what it says, in one line

    @property
    def stem(self) -> str:
        """The notebook's name without its suffix."""
        return Path(self.notebook).stem

    @property
    def failure(self) -> str:
        """Which cell of which notebook failed, and how."""
        return f"cell {self.cell} of {self.notebook} failed with {self.error}: {self.message}"


@dataclass
class Input:
    """A feature set that a run used."""

    path: str
    sha256: str


@dataclass
class Commit:
    """What was checked out, and whether files differed from it."""

    commit: str
    dirty: bool


@dataclass(kw_only=True)
class Record:
    """A run: what was asked for, what was done, and under which facts."""

    name: str
    command: str  # the command line that repeats it
    given: dict[str, Any]  # parameters that were given
    parameters: dict[str, dict[str, Any]]  # all parameters by notebook, given and defaults
    notebooks: list[Step]
    inputs: dict[str, Input] = field(default_factory=dict)
    started: str | None = None  # UTC, ISO 8601
    finished: str | None = None  # UTC, ISO 8601
    earlier: list[dict[str, Any]] = field(default_factory=list)  # facts of sessions under others, and "until"
    # the facts
    versions: dict[str, str] = field(default_factory=dict)  # of Python, and of what the numbers come from
    packages: list[str] = field(default_factory=list)  # all that are installed, name==version
    git: Commit | None = None
    platform: str = ""

    def __post_init__(self) -> None:
        for step in self.notebooks:
            if (step.status != PENDING or step.started) and step.stem not in self.parameters:
                raise ValueError(f"{step.notebook} has begun without parameters")

    @property
    def done(self) -> bool:
        """Whether every notebook is done."""
        return all(step.status == DONE for step in self.notebooks)

    @property
    def failed(self) -> Step | None:
        """The notebook that failed."""
        return next((step for step in self.notebooks if step.status == FAILED), None)

    @property
    def seconds(self) -> float:
        """What its notebooks took together."""
        return sum(step.seconds or 0 for step in self.notebooks)

    def under(self, facts: dict[str, Any]) -> "Record":
        """The record with the `facts` of this session; other ones, of the session before, go to `earlier`."""
        before = {name: getattr(self, name) for name in facts}
        changed = self.versions and before != facts
        earlier = [*self.earlier, {"until": now(), **before}] if changed else self.earlier
        return replace(self, earlier=earlier, **facts)

    def save(self, folder: Path) -> None:
        """Write run.json into `folder`, whole or not at all; raises InputError if it cannot be written."""
        documents.write(folder / RECORD, documents.plain(asdict(self)))

    @classmethod
    def load(cls, folder: Path) -> "Record":
        """Read the run.json in `folder`; raises InputError if there is none, or it cannot be read."""
        wrong = "cannot be read as the record of a run"
        return documents.read(folder / RECORD, cls, wrong, "remove the folder, or give another name")


def facts(project: Path) -> dict[str, Any]:
    """What a run hangs on besides its parameters: versions, all packages, the commit and the platform."""
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


def commit(folder: Path) -> Commit | None:
    """The commit that is checked out in `folder`; None without git, or before the first one."""
    command = ["git", "-C", str(folder), "status", "--porcelain=v2", "--branch"]
    try:
        told = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True, timeout=GIT_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    first, *others = told.stdout.splitlines()  # "# branch.oid 0123…", others about the branch, changed files
    head = first.split()[-1]
    return None if head == "(initial)" else Commit(head, any(not line.startswith("#") for line in others))


def now() -> str:
    """The time, UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
