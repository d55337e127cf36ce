"""A grid of runs, several at once, that can be interrupted, and one comparison of them all."""

import shlex
from pathlib import Path

from tqdm import tqdm

from cyclegan_lib.errors import InputError, Interrupted, NotebookError
from cyclegan_lib.files import locked
from cyclegan_lib.parallel import Executor, executor, processors
from cyclegan_lib.runs.carry_out import begin, forget_what_is_not_whole, go_on
from cyclegan_lib.runs.comparison import SWEEP, Comparison, SweepRow
from cyclegan_lib.runs.notebooks import notebooks_of
from cyclegan_lib.runs.plan import Plan
from cyclegan_lib.runs.record import RECORD, Record
from cyclegan_lib.runs.run import RUNS, check_name, check_project
from cyclegan_lib.runs.sweep_file import read_sweep
from cyclegan_lib.runs.sweep_plans import SweepPlans, check_made
from cyclegan_lib.workspace import check_simulated, project_folder

# it shows the committed benchmark, which no parameter of a run changes
LEFT_OUT = "05_benchmark"
# the owner of a lock may have been killed a moment ago
LOCK_PATIENCE_S = 60.0


def sweep(
    path: str | Path, name: str = "", workers: int | None = None, scheduler: str = "", progress: bool = True
) -> Comparison:
    """Run every combination of a grid into runs/NAME of the project, and compare them.

    Runs that are done are skipped, interrupted and failed ones are continued. Runs with equal data
    parameters share one folder of recordings, which is made first.

    Parameters
    ----------
    path : path
        PARAMS.yml: see `cyclegan_lib.runs.sweep_file`.
    name : str
        The sweep's folder; else the file's `name`, or its stem.
    workers : int, optional
        Runs at a time; one for each processor if left out.
    scheduler : str
        Address of a Dask scheduler, whose workers see the same folders and have the same environment.
    progress : bool
        Show a TQDM bar over the runs.

    Raises
    ------
    InputError
        If the file, the name or a parameter cannot be used, or the scheduler cannot be reached: before
        anything runs. What goes wrong inside a run is in the comparison.
    Interrupted
        After Ctrl-C.
    """
    project = project_folder()
    notebooks = [notebook for notebook in notebooks_of(project) if notebook.stem != LEFT_OUT]
    check_project(project)
    file = read_sweep(path, notebooks)
    file_name = f"./{path}" if str(path).startswith("-") else str(path)  # it is no option
    again = shlex.join(["cyclegan", "sweep", file_name, *(["--name", name] if name else [])])
    name = name or file.name
    check_name(name)
    folder = project / RUNS / name
    if not (folder / SWEEP).exists() and any(not path.name.startswith(".") for path in folder.glob("*")):
        raise InputError(f"{folder} holds something else than a sweep; give another --name")
    plans = SweepPlans.of(file, folder, notebooks, f"`{again}`")
    for plan in plans.recordings:
        check_simulated(plan.data)
    for plan in plans.runs:
        check_made(plan)
    rows = [SweepRow(plan.folder, values) for plan, values in zip(plans.runs, plans.values, strict=True)]
    comparison = Comparison(name, folder, again, file.parameters, file.grid, rows)
    if all(row.done for row in rows):
        comparison.save()
        return comparison
    with executor(workers or processors(), scheduler) as run_all, locked(folder):
        comparison.save()
        try:
            _run(run_all, plans, comparison, progress)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; `{again}` goes on from there") from None
        comparison.save()
    return comparison


def work(plan: Plan) -> str:
    """Begin a run, or go on where it stopped, in another process; return why it failed, or nothing."""
    try:
        with locked(plan.folder, LOCK_PATIENCE_S):
            if not (plan.folder / RECORD).exists():
                begin(plan, progress=False)
                return ""
            record = Record.load(plan.folder)
            forget_what_is_not_whole(plan, record)
            if not record.done:
                go_on(plan, record, progress=False)
            return ""
    except (InputError, NotebookError) as error:
        return str(error)
    except Exception as error:  # whatever it is, the other runs go on
        return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _run(run_all: Executor, plans: SweepPlans, comparison: Comparison, progress: bool) -> None:
    rows = {row.folder: row for row in comparison.runs}
    waiting = [plan for plan in plans.runs if not rows[plan.folder].done]
    with tqdm(
        total=len(rows), initial=len(rows) - len(waiting), desc="sweep", unit="run", disable=not progress
    ) as bar:
        needed = {plan.data for plan in waiting}
        recordings = [plan for plan in plans.recordings if plan.data in needed]
        bar.set_postfix_str("recordings")
        ended = {recordings[i].data: _failure(result) for i, result in run_all(work, recordings)}
        for plan in waiting:
            rows[plan.folder].failure = ended.get(plan.data, "")
        ready = [plan for plan in waiting if not rows[plan.folder].failure]
        bar.update(len(waiting) - len(ready))
        for i, result in run_all(work, ready):
            row = rows[ready[i].folder]
            row.failure = _failure(result)
            comparison.save_table()
            bar.set_postfix_str(f"{row.name}: {row.figure}")
            bar.update()


def _failure(result: str | BaseException) -> str:
    """What `work` returned, or how the process ended that did it, in one sentence."""
    if isinstance(result, BaseException):
        return f"its process ended again and again ({type(result).__name__})"
    return result
