"""run.json: everything that is needed to repeat a run or to go on with it, written as the run goes on."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import replacing

RECORD = "run.json"
PENDING, DONE, FAILED = "pending", "done", "failed"


@dataclass
class Step:
    """One notebook of a run.

    Attributes
    ----------
    notebook : str
        File name.
    status : "pending", "done" or "failed"
        Pending with a time under `started` if the run was killed while it worked on it.
    started, finished : str or None
        UTC, ISO 8601.
    seconds : float or None
    cell, error, message
        Of a failure: the cell's number, the error's class, and what it says in one line.
    """

    notebook: str
    status: Literal["pending", "done", "failed"] = PENDING
    started: str | None = None
    finished: str | None = None
    seconds: float | None = None
    cell: int | None = None
    error: str | None = None
    message: str | None = None

    @property
    def stem(self) -> str:
        """The notebook's name without its suffix."""
        return Path(self.notebook).stem

    @property
    def failure(self) -> str:
        """Which cell of which notebook failed, and how."""
        return f"cell {self.cell} of {self.notebook} failed with {self.error}: {self.message}"


@dataclass
class Record:
    """A run.

    Attributes
    ----------
    name : str
    command : str
        The command line that repeats it.
    given : dict
        Parameters that were given.
    parameters : dict of dict
        Values of all parameters by notebook, given and defaults.
    notebooks : list of Step
    inputs : dict
        {name: {"path", "sha256"}} of the feature sets that it used.
    facts : dict
        versions, packages, git, platform.
    started, finished : str or None
        UTC, ISO 8601.
    earlier : list of dict
        The facts of earlier sessions, where the run was continued under others.
    """

    name: str
    command: str
    given: dict[str, Any]
    parameters: dict[str, dict[str, Any]]
    notebooks: list[Step]
    facts: dict[str, Any]
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    started: str | None = None
    finished: str | None = None
    earlier: list[dict[str, Any]] = field(default_factory=list)

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

    def save(self, folder: Path) -> None:
        """Write run.json into `folder`, whole or not at all.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        content = asdict(self)
        facts = content.pop("facts")
        with replacing(folder / RECORD) as part:
            text = json.dumps({**content, **facts}, indent=1, ensure_ascii=False)
            part.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Record":
        """Read the run.json in `folder`.

        Raises
        ------
        InputError
            If there is none, or it cannot be read.
        """
        path = folder / RECORD
        if not path.exists():
            raise InputError(f"{folder} holds no {RECORD}: it is no run that can be continued")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            own = {name: content.pop(name) for name in cls.__dataclass_fields__ if name != "facts"}
            text = json.dumps({**own, "facts": content})
            record = TypeAdapter(cls).validate_json(text, strict=True)
            begun = {step.stem for step in record.notebooks if step.status != PENDING or step.started}
            inputs = record.inputs.values()
            if begun - record.parameters.keys() or any(used.keys() != {"path", "sha256"} for used in inputs):
                raise ValueError("a notebook without its parameters, or a feature set without its SHA-256")
            return record
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{path} cannot be read as the record of a run; remove the folder, or give another name"
            ) from error


def now() -> str:
    """The time, UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
