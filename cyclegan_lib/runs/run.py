"""One run by its name: new, or gone on with."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from cyclegan_lib.errors import InputError, Interrupted, printable
from cyclegan_lib.files import next_free
from cyclegan_lib.locks import set_aside
from cyclegan_lib.names import check_written, refused
from cyclegan_lib.runs.carry_out import Run, carry_out
from cyclegan_lib.runs.parameters import (
    BENCHMARK,
    COMPARE,
    OWN_RECORDINGS,
    check_own_recordings,
    check_own_sets,
    check_parameters,
    declared_by_any,
    notebooks_of,
    simulated_folder,
)
from cyclegan_lib.runs.record import RECORD, Record
from cyclegan_lib.system import command_line
from cyclegan_lib.workspace import NOT_SIMULATED, check_simulated, project_folder

RUNS = "runs"
COMMAND_LINE = "the command line"
MAX_NAME = 100  # bytes: leaves room for -earlier-N
LONGEST = "checkpoints/cyclegan-epoch=1000-val_cycle_A=10.0000.ckpt"  # no path below a run's folder is longer


def run(name: str = "", given: dict[str, Any] | None = None, resume: bool = False) -> Path:
    """Run the notebooks into runs/NAME of the project, or go on with a run that was interrupted.

    A folder of that name (without one, the time) is set aside as NAME-earlier-N. Notebooks get those of the
    parameters in `given`, values or text, that they declare. With `resume` finished notebooks are kept, and
    `given` may hold only what none of them used, or what agrees with it; training continues from its last
    checkpoint. Returns the run's folder.

    Raises InputError if the name or a parameter cannot be used (before anything runs), another process works
    in the same folder, or a notebook refuses its input; NotebookError if a cell fails otherwise; Interrupted
    after Ctrl-C. What was done until then stays in the run's folder.
    """
    project = project_of_runs()
    if resume and not name:
        raise InputError("--resume needs the name of the run to go on with; give --name")
    name = name or datetime.now().strftime("run-%Y%m%d-%H%M%S")
    check_name(name)
    folder = project / RUNS / name
    if not resume and (why := refused(name)):  # also where such a folder is there, to be set aside
        raise InputError(f"the name '{name}' cannot be used, because {why}; choose another")
    check_written(folder / LONGEST)
    before = _recorded(folder).given if resume else {}
    notebooks = notebooks_of(project)
    values = check_parameters({**before, **(given or {})}, notebooks, COMMAND_LINE)
    check_own_recordings(values)
    # feature sets of recordings of one's own stay in the run
    data = (folder if values.get(OWN_RECORDINGS[0]) else project) / "data"
    if any(map(values.get, NOT_SIMULATED)):
        notebooks = notebooks_of(project, (BENCHMARK, COMPARE))
    else:
        data = simulated_folder(data, values, notebooks)
    data = Path(values.get("data_dir") or data)
    planned = Run(
        folder, tuple(notebooks), values, data, command(name, values), command(name, {}, "--resume")
    )
    if not resume:
        _check_apart(planned)
    if planned.simulates:
        check_simulated(data)
    elif not planned.makes_sets:
        check_own_sets(values)
    try:
        if not resume and folder.exists():
            set_aside(folder, next_free(folder.with_name(f"{folder.name}-earlier")))
        carry_out(planned)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; `{planned.resume_command}` goes on from there") from None
    return folder


def check_name(name: str) -> None:
    """Raise InputError if a run or sweep cannot be called `name`."""
    plain = Path(name).name == name == name.strip() and name and printable(name) == name
    if not plain or name.startswith(".") or len(name.encode()) > MAX_NAME:
        raise InputError(
            f"the name '{name[:MAX_NAME]}' must be a plain folder name: one line of at most"
            f" {MAX_NAME} bytes, without /, not beginning with . and without spaces around it"
        )


def project_of_runs() -> Path:
    """The project's folder; raises InputError if records and reports, which are text, cannot name it."""
    project = project_folder()
    if printable(str(project)) != str(project):
        raise InputError(
            f"the project's folder {project} has control characters or bytes that are not UTF-8 in its name;"
            " rename it"
        )
    return project


def command(name: str, given: dict[str, Any], *options: str) -> str:
    """The command line that makes a run."""
    words = ["cyclegan", "run", "--name", name, *options]
    for key, value in given.items():
        words += ["-p", key, str(value)]
    return command_line(words)


def _recorded(folder: Path) -> Record:
    if not folder.exists():
        others = sorted(path.parent.name for path in folder.parent.glob(f"*/{RECORD}"))
        known = f"there are {', '.join(others)}" if others else "there are no runs yet"
        raise InputError(f"there is no run '{folder.name}' in {folder.parent} to go on with; {known}")
    return Record.load(folder)


def _check_apart(run: Run) -> None:
    """Raise InputError if an input lies in a run of the same name, which will be set aside."""
    declared = declared_by_any(list(run.notebooks))
    for name, value in run.given.items():
        if value and (declared[name].is_path or name == "data_dir"):
            if Path(os.path.realpath(value)).is_relative_to(os.path.realpath(run.folder)):
                raise InputError(
                    f"{value} ({name}) lies in the run {run.folder}, which a new one of that name sets"
                    " aside; give another --name, or --resume to go on with it"
                )


def summary(folder: Path) -> str:
    """Where everything of a run lies, and the result, for people."""
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
    return "\n".join([*lines, *(["", result.headline, *result.said] if result else [])])
