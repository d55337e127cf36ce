"""One run: the notebooks in order, in one folder, with one record and one report."""

import os
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

from cyclegan_lib.errors import InputError, Interrupted, printable
from cyclegan_lib.files import locked
from cyclegan_lib.runs.carry_out import begin, forget_what_is_not_whole, go_on
from cyclegan_lib.runs.notebooks import notebooks_of, parameters_of
from cyclegan_lib.runs.parameters import (
    OWN_RECORDINGS,
    check_own_recordings,
    check_parameters,
    declared_by_any,
)
from cyclegan_lib.runs.plan import Plan
from cyclegan_lib.runs.record import DONE, RECORD, Record
from cyclegan_lib.workspace import check_simulated, project_folder

RUNS = "runs"
COMMAND_LINE = "the command line"
LONGEST_NAME = 100  # bytes: leaves room for -earlier-N


def run(name: str = "", given: dict[str, Any] | None = None, resume: bool = False) -> str:
    """Run the notebooks into runs/NAME of the project, or go on with a run that was interrupted.

    Parameters
    ----------
    name : str
        The run's folder; without one, the time. A folder of that name is set aside as NAME-earlier-N.
    given : dict
        Parameters, values or text; each notebook gets those that it declares. With `resume` only such that
        no finished notebook used, or that agree with what it used.
    resume : bool
        Go on with the run of that name: finished notebooks are kept, training continues from its last
        checkpoint.

    Returns
    -------
    str
        Where everything lies, and the result, for people.

    Raises
    ------
    InputError
        If the name or a parameter cannot be used (before anything runs), another process works in the same
        folder, or a notebook refuses its input.
    NotebookError
        If a cell fails otherwise. What was done until then stays in the run's folder.
    Interrupted
        After Ctrl-C.
    """
    project = project_folder()
    runs = project / RUNS
    if resume and not name:
        raise InputError("--resume needs the name of the run to go on with; give --name")
    name = name or datetime.now().strftime("run-%Y%m%d-%H%M%S")
    check_name(name)
    check_project(project)
    folder = runs / name
    if resume:
        record = _recorded(folder)
        plan = _plan(project, folder, {**record.given, **(given or {})})
    else:
        plan = _plan(project, folder, given or {})
    try:
        if resume:
            _resume(plan)
        else:
            _check_not_moved(plan)
            _set_aside(folder)
            with locked(folder):
                begin(plan)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {plan.go_on} goes on from there") from None
    return _summary(folder)


def check_name(name: str) -> None:
    """Raise InputError if a run or sweep cannot be called `name`."""
    plain = Path(name).name == name == name.strip() and name and printable(name) == name
    if not plain or name.startswith(".") or len(name.encode()) > LONGEST_NAME:
        raise InputError(
            f"the name '{name[:LONGEST_NAME]}' must be a plain folder name: one line of at most"
            f" {LONGEST_NAME} bytes, without /, not beginning with . and without spaces around it"
        )


def check_project(project: Path) -> None:
    """Raise InputError if records and reports, which are text, cannot name the project's folder."""
    if printable(str(project)) != str(project):
        raise InputError(
            f"the project's folder {project} has control characters or bytes that are not UTF-8 in its name;"
            " rename it"
        )


def command(name: str, given: dict[str, Any], *options: str) -> str:
    """The command line that makes a run."""
    words = ["cyclegan", "run", "--name", name, *options]
    for key, value in given.items():
        words += ["-p", key, str(value)]
    return shlex.join(words)


def _plan(project: Path, folder: Path, given: dict[str, Any]) -> Plan:
    notebooks = notebooks_of(project)
    values = check_parameters(given, notebooks, COMMAND_LINE)
    check_own_recordings(values)
    data = Path(values.get("data_dir") or project / "data")
    if not values.get(OWN_RECORDINGS[0]):
        check_simulated(data)
    return Plan(
        folder=folder,
        notebooks=tuple(notebooks),
        given=values,
        data=data,
        command=command(folder.name, values),
        go_on=f"`{command(folder.name, {}, '--resume')}`",
    )


def _recorded(folder: Path) -> Record:
    if not folder.exists():
        others = sorted(path.parent.name for path in folder.parent.glob(f"*/{RECORD}"))
        known = f"there are {', '.join(others)}" if others else "there are no runs yet"
        raise InputError(f"there is no run '{folder.name}' in {folder.parent} to go on with; {known}")
    return Record.load(folder)


def _resume(plan: Plan) -> None:
    with locked(plan.folder):
        record = Record.load(plan.folder)
        names = [step.notebook for step in record.notebooks]
        if names != [notebook.name for notebook in plan.notebooks]:
            raise InputError(
                f"the run in {plan.folder} is one of {', '.join(names)}, and the project's notebooks are"
                " others; start a new run without --resume"
            )
        forget_what_is_not_whole(plan, record)
        _check_kept(plan, record)
        if not record.done:
            go_on(plan, record)


def _check_kept(plan: Plan, record: Record) -> None:
    """Refuse other parameters for a notebook that is done."""
    for step, notebook in zip(record.notebooks, plan.notebooks, strict=True):
        if step.status != DONE:
            continue
        for name in parameters_of(notebook).keys() & plan.given.keys():
            used = record.parameters[step.stem].get(name)
            if plan.given[name] != used:
                raise InputError(
                    f"{step.notebook} is done with {name} = {used!r}, which cannot become"
                    f" {plan.given[name]!r}; leave it out, or start a new run without --resume"
                )


def _check_not_moved(plan: Plan) -> None:
    """Refuse inputs that lie in the run of the same name, which is set aside."""
    declared = declared_by_any(list(plan.notebooks))
    for name, value in plan.given.items():
        if value and (declared[name].is_file or name == "data_dir"):
            if Path(os.path.realpath(value)).is_relative_to(os.path.realpath(plan.folder)):
                raise InputError(
                    f"{value} ({name}) lies in the run {plan.folder}, which a new one of that name sets"
                    " aside; give another --name, or --resume to go on with it"
                )


def _set_aside(folder: Path) -> None:
    if not folder.exists():
        return
    with locked(folder):
        number = 1
        while (aside := folder.with_name(f"{folder.name}-earlier-{number}")).exists():
            number += 1
        folder.rename(aside)


def _summary(folder: Path) -> str:
    # imported here: it takes seconds, which a refused parameter should not
    from cyclegan_lib.evaluation.measures import measured
    from cyclegan_lib.runs.report import REPORT

    places = {
        "executed notebooks": folder,
        "figures": folder / "figures",
        "report": folder / REPORT,
        "record": folder / RECORD,
        "checkpoint": folder / "checkpoints" / "best.ckpt",
        "exported models": folder / "exported_models",
    }
    lines = [f"{what:20s}{path}" for what, path in places.items() if path.exists()]
    result = measured(folder)
    return "\n".join([*lines, *(["", result.headline] if result else [])])
