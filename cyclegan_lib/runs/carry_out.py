"""Carrying out a plan: its notebooks one after the other, recorded, and reported at the end."""

import time
from pathlib import Path

from cyclegan_lib.errors import InputError, NotebookError
from cyclegan_lib.runs.execute import CellError, execute, is_whole
from cyclegan_lib.runs.facts import facts, sha256
from cyclegan_lib.runs.plan import Plan
from cyclegan_lib.runs.record import DONE, FAILED, PENDING, Record, Step, now

# what a training run takes anew when it goes on from a checkpoint
CONTINUABLE = ("max_epochs", "max_minutes", "resume")


def begin(plan: Plan, progress: bool = True) -> Record:
    """Carry out a plan in its folder, which is new; see `go_on` for what it raises."""
    record = Record(
        name=plan.name,
        command=plan.command,
        given=plan.given,
        parameters=plan.values(),
        notebooks=[Step(notebook.name) for notebook in plan.notebooks],
        facts=facts(plan.notebooks[0].parent),
        started=now(),
    )
    _carry_out(plan, record, {}, progress)
    return record


def go_on(plan: Plan, record: Record, progress: bool = True) -> Record:
    """Go on where a run stopped: from the first notebook that is not done, or not whole any more.

    Training goes on from its last checkpoint, if its parameters are the same.

    Raises
    ------
    InputError
        If a feature set has changed since, or a notebook refuses its input.
    NotebookError
        If a cell fails otherwise. What was done until then stays, and is in the report.
    """
    forget_what_is_not_whole(plan, record)
    _check_inputs(record)
    before = record.parameters
    record.command, record.given, record.parameters = plan.command, plan.given, plan.values()
    found = facts(plan.notebooks[0].parent)
    if found != record.facts:
        record.earlier.append({"until": now(), **record.facts})
        record.facts = found
    interrupted = {step.stem: before[step.stem] for step in record.notebooks if step.started}
    _carry_out(plan, record, interrupted, progress)
    return record


def forget_what_is_not_whole(plan: Plan, record: Record) -> None:
    """Mark as pending the first notebook whose executed file is missing or damaged, and all after it."""
    whole = True
    for step in record.notebooks:
        whole = whole and step.status == DONE and is_whole(plan.folder / step.notebook)
        if not whole and step.status == DONE:
            step.status = PENDING


def _carry_out(plan: Plan, record: Record, interrupted: dict[str, dict], progress: bool) -> None:
    record.finished = None
    record.save(plan.folder)
    for step, notebook in zip(record.notebooks, plan.notebooks, strict=True):
        if step.status == DONE:
            continue
        values = plan.injected(notebook)
        values |= _resumed(plan, record.parameters[step.stem], interrupted.get(step.stem))
        step.status, step.started, step.finished = PENDING, now(), None
        step.seconds = step.cell = step.error = step.message = None
        record.save(plan.folder)
        begun = time.monotonic()
        try:
            execute(notebook, plan.folder / notebook.name, values, progress)
        except CellError as error:
            step.status, step.cell, step.error, step.message = FAILED, error.cell, error.name, error.message
            _finish(plan, record, step, begun)
            _report(plan, record)
            kind = InputError if error.name == InputError.__name__ else NotebookError
            raise kind(f"{step.failure}; {plan.go_on} goes on from there") from error
        step.status = DONE
        record.inputs = {
            name: {"path": str(path), "sha256": sha256(path)} for name, path in plan.inputs().items()
        }
        _finish(plan, record, step, begun)
    record.finished = now()
    record.save(plan.folder)
    _report(plan, record)


def _report(plan: Plan, record: Record) -> None:
    # imported here: it takes seconds, which a refused parameter should not
    from cyclegan_lib.runs.report import write_report

    write_report(plan, record)


def _finish(plan: Plan, record: Record, step: Step, begun: float) -> None:
    step.finished, step.seconds = now(), round(time.monotonic() - begun, 2)
    record.save(plan.folder)


def _resumed(plan: Plan, values: dict, before: dict | None) -> dict[str, str]:
    """The checkpoint to go on from, for a notebook that knows `resume` and was interrupted in training."""
    if before is None or "resume" not in values or "resume" in plan.given:
        return {}
    # imported here: it takes seconds, and few runs are resumed
    from cyclegan_lib.checkpoint.reading import LAST

    last = plan.folder / "checkpoints" / LAST
    same = all(before.get(name) == value for name, value in values.items() if name not in CONTINUABLE)
    return {"resume": str(last)} if same and last.exists() else {}


def _check_inputs(record: Record) -> None:
    if not any(step.status == DONE for step in record.notebooks):
        return
    for name, used in record.inputs.items():
        path = Path(used["path"])
        if not path.exists() or sha256(path) != used["sha256"]:
            raise InputError(
                f"{path} ({name}) is not what the run began with; restore it, or start a run without --resume"
            )
