"""A run, and the one function that does what is not done of it: new, interrupted, failed or in a sweep."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan_lib.config import DEVICE_A, DEVICE_B
from cyclegan_lib.errors import InputError, NotebookError
from cyclegan_lib.features.lake import digest
from cyclegan_lib.locks import locked
from cyclegan_lib.runs.execute import SOURCES, CellError, execute, is_whole
from cyclegan_lib.runs.parameters import OWN_SETS, RESERVED, parameters_of
from cyclegan_lib.runs.record import DONE, FAILED, PENDING, RECORD, Input, Record, Step, facts, now
from cyclegan_lib.workspace import NOT_SIMULATED, SIMULATING, Workspace

# what a training run takes anew when it goes on from a checkpoint
CONTINUABLE = ("max_epochs", "max_minutes", "resume")
# the owner of a lock may have been killed a moment ago
LOCK_PATIENCE_S = 60.0
RECORDINGS_LOCK = ".recordings.lock"


@dataclass(frozen=True)
class Run:
    """What is to be done, for this process or another one; what was done is in the folder's run.json."""

    folder: Path  # runs/NAME
    notebooks: tuple[Path, ...]  # as they are in the project's notebooks/
    given: dict[str, Any]  # checked parameters; paths are absolute
    data: Path  # simulated recordings, and the feature sets that it makes
    command: str  # the command line that repeats it
    resume_command: str  # the one that goes on after a failure

    @property
    def simulates(self) -> bool:
        """Whether it simulates its recordings, or was given others."""
        return not any(map(self.given.get, NOT_SIMULATED))

    @property
    def source(self) -> str:
        """Where its data come from, one of `SOURCES`."""
        return SOURCES[0] if self.simulates else SOURCES[1] if self.makes_sets else SOURCES[2]

    @property
    def makes_sets(self) -> bool:
        """Whether it makes its feature sets, or was given them."""
        return not self.given.get(OWN_SETS[0])

    def record(self) -> Record:
        """What was done so far, of a run that has not begun nothing; InputError if it has other notebooks."""
        names = [notebook.name for notebook in self.notebooks]
        if (self.folder / RECORD).exists():
            record = Record.load(self.folder)
            if [step.notebook for step in record.notebooks] != names:
                raise InputError(
                    f"{self.folder} was made with other notebooks; remove it, or give another --name"
                )
            return record
        return Record(
            name=self.folder.name,
            command=self.command,
            given=self.given,
            parameters=self.values(),
            notebooks=[Step(name) for name in names],
            started=now(),
        )

    def values(self) -> dict[str, dict[str, Any]]:
        """All parameters by notebook, given ones and defaults, but for the run's own folder."""
        return {
            notebook.stem: {
                p.name: str(self.data) if p.name == "data_dir" else self.given.get(p.name, p.default)
                for p in parameters_of(notebook).values()
                if p.name != RESERVED
            }
            for notebook in self.notebooks
        }

    def injected(self, notebook: Path) -> dict[str, Any]:
        """The parameters that papermill hands to a notebook: the given ones, and the folders."""
        values = {**self.given, "data_dir": str(self.data), RESERVED: str(self.folder)}
        declared = parameters_of(notebook)
        return {name: value for name, value in values.items() if name in declared}

    def inputs(self) -> dict[str, Input]:
        """The feature sets that it uses and that exist by now."""
        made = Workspace(data=self.data, run=self.folder)
        devices = (self.given.get("device_a", DEVICE_A), self.given.get("device_b", DEVICE_B))
        paths = [made.features(device, part) for part in ("", "test") for device in devices]
        used = {name: str(self.given.get(name) or p) for name, p in zip(OWN_SETS, paths, strict=True)}
        return {name: Input(path, sha) for name, path in used.items() if (sha := digest(path))}


def carry_out(run: Run, wait_s: float = 0.0, progress: bool = True) -> Record:
    """Do what is not done of a run: its notebooks one after the other, recorded, and reported at the end.

    It begins with the first notebook that is not done, or not whole any more; training goes on from its last
    checkpoint, if its parameters are the same. What was done stays whatever happens, and is in the report.

    Raises InputError if another process works in the folder for longer than `wait_s`, a parameter of a done
    notebook or a feature set has changed since, or a notebook refuses its input; NotebookError if a cell
    fails otherwise.
    """
    with locked(run.folder, wait_s):
        record = run.record()
        _drop_damaged(record, run.folder)
        _check_kept(run, record)
        if record.done:
            return record
        _check_inputs(record)
        before = {step.stem: record.parameters[step.stem] for step in record.notebooks if step.started}
        record = record.under(facts(run.notebooks[0].parent))
        record.command, record.given, record.parameters = run.command, run.given, run.values()
        record.finished = None
        record.save(run.folder)
        for step, notebook in zip(record.notebooks, run.notebooks, strict=True):
            if step.status != DONE:
                # one at a time makes the sets of a folder; the next one finds there what it needs
                shared = run.makes_sets and SIMULATING in parameters_of(notebook)
                with locked(run.data, math.inf, RECORDINGS_LOCK) if shared else nullcontext():
                    _carry_out(run, record, step, notebook, before.get(step.stem), progress)
            if step.status == FAILED:
                break
        else:
            record.finished = now()
            record.save(run.folder)
        # imported here: it takes seconds, which a refused parameter should not
        from cyclegan_lib.runs.report import write_report

        write_report(run, record)
        if step.status == FAILED:
            kind = InputError if step.error == InputError.__name__ else NotebookError
            raise kind(f"{step.failure}; `{run.resume_command}` goes on from there")
        return record


def failure_of(run: Run) -> str:
    """Carry out a run in a process of many; return why it failed, or nothing."""
    try:
        carry_out(run, LOCK_PATIENCE_S, progress=False)
    except (InputError, NotebookError) as error:
        return str(error)
    except Exception as error:  # whatever it is, the other runs go on
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""


def _drop_damaged(record: Record, folder: Path) -> None:
    """Mark as pending the first notebook whose executed file is missing or damaged, and all after it."""
    whole = True
    for step in record.notebooks:
        whole = whole and step.status == DONE and is_whole(folder / step.notebook)
        if not whole and step.status == DONE:
            step.status = PENDING


def _carry_out(
    run: Run, record: Record, step: Step, notebook: Path, before: dict[str, Any] | None, progress: bool
) -> None:
    """Execute one notebook; `before` are the parameters with which it was interrupted."""
    values = run.injected(notebook) | _checkpoint(run, record.parameters[step.stem], before)
    step.status, step.started, step.finished = PENDING, now(), None
    step.seconds = step.cell = step.error = step.message = None
    record.save(run.folder)
    begun = time.monotonic()
    try:
        execute(notebook, run.folder / notebook.name, values, progress, run.source)
        step.status = DONE
        record.inputs = run.inputs()
    except CellError as error:
        step.status, step.cell, step.error, step.message = FAILED, error.cell, error.name, error.message
    step.finished, step.seconds = now(), round(time.monotonic() - begun, 2)
    record.save(run.folder)


def _checkpoint(run: Run, values: dict[str, Any], before: dict[str, Any] | None) -> dict[str, str]:
    """The checkpoint to go on from, for a notebook that knows `resume` and was interrupted in training."""
    if before is None or "resume" not in values or "resume" in run.given:
        return {}
    # imported here: it takes seconds, and few runs are resumed
    from cyclegan_lib.checkpoint.reading import LAST

    last = run.folder / "checkpoints" / LAST
    same = all(before.get(name) == value for name, value in values.items() if name not in CONTINUABLE)
    return {"resume": str(last)} if same and last.exists() else {}


def _check_kept(run: Run, record: Record) -> None:
    """Refuse to go on with other parameters for a notebook that is done."""
    for step, notebook in zip(record.notebooks, run.notebooks, strict=True):
        if step.status != DONE:
            continue
        for name in parameters_of(notebook).keys() & run.given.keys():
            used = record.parameters[step.stem].get(name)
            if run.given[name] != used:
                raise InputError(
                    f"{step.notebook} is done with {name} = {used!r}, which cannot become"
                    f" {run.given[name]!r}; leave it out, or start a new run without --resume"
                )


def _check_inputs(record: Record) -> None:
    if not any(step.status == DONE for step in record.notebooks):
        return
    for name, used in record.inputs.items():
        if digest(used.path) != used.sha256:
            raise InputError(
                f"{used.path} ({name}) is not what the run began with; restore it, or start a run without"
                " --resume"
            )
