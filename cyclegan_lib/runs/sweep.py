"""A grid of runs, several at once, that can be interrupted, and one comparison of them all."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cyclegan_lib.errors import InputError, Interrupted
from cyclegan_lib.locks import locked
from cyclegan_lib.names import check_written, folded
from cyclegan_lib.parallel import Executor, executor
from cyclegan_lib.runs.carry_out import Run, failure_of
from cyclegan_lib.runs.comparison import SWEEP, Comparison
from cyclegan_lib.runs.parameters import (
    BENCHMARK,
    COMPARE,
    OWN_SETS,
    RESERVED,
    check_own_sets,
    notebooks_of,
    parameters_of,
)
from cyclegan_lib.runs.record import DONE
from cyclegan_lib.runs.rows import RunRow
from cyclegan_lib.runs.run import LONGEST, RUNS, check_name, command, project_of_runs
from cyclegan_lib.runs.sweep_file import SweepFile, read_sweep
from cyclegan_lib.system import command_line, processors
from cyclegan_lib.workspace import check_simulated

MAX_SLUG = 80  # bytes: paths on Windows are short


def sweep(
    path: str | Path, name: str = "", workers: int | None = None, scheduler: str = "", progress: bool = True
) -> Comparison:
    """Run every combination of a grid into runs/NAME of the project, and compare them.

    Runs that are done are skipped, interrupted and failed ones are continued. Runs with equal data parameters
    share one folder of recordings, which the first of them makes.

    `path` is a PARAMS.yml (see `cyclegan_lib.runs.sweep_file`); `name` the sweep's folder, else the file's
    `name`, or its stem. `workers` runs are carried out at a time, one for each processor if left out;
    `scheduler` is the address of a Dask scheduler, whose workers see the same folders and have the same
    environment.

    Raises InputError, before anything runs, if the file, the name or a parameter cannot be used, or the
    scheduler cannot be reached; what goes wrong inside a run is in the comparison. Interrupted after Ctrl-C.
    """
    project = project_of_runs()
    notebooks = notebooks_of(project, (BENCHMARK, COMPARE))
    file = read_sweep(path, notebooks)
    file_name = f"./{path}" if str(path).startswith("-") else str(path)  # it is no option
    again = command_line(["cyclegan", "sweep", file_name, *(["--name", name] if name else [])])
    name = name or file.name
    check_name(name)
    folder = project / RUNS / name
    if not (folder / f"{SWEEP}.json").exists() and any(
        not path.name.startswith(".") for path in folder.glob("*")
    ):
        raise InputError(f"{folder} holds something else than a sweep; give another --name")
    runs = runs_of(file, folder, notebooks, again)
    for data in {run.data for run in runs if run.simulates}:
        check_simulated(data)
    own = {tuple(run.given[name] for name in OWN_SETS): run.given for run in runs if not run.makes_sets}
    for given in own.values():
        check_own_sets(given)
    for run in runs:
        check_written(run.folder / LONGEST)
        check_same_parameters(run)
    rows = [RunRow.read(run.folder, values) for run, values in zip(runs, file.combinations(), strict=True)]
    folders = [run.folder for run in runs]
    comparison = Comparison(name, folder, again, file.parameters, file.grid, rows, folders, SWEEP)
    if all(row.status == DONE for row in rows):
        comparison.save()
        return comparison
    with executor(workers or processors(), scheduler) as run_all, locked(folder):
        comparison.save()
        try:
            _carry_out(run_all, runs, comparison, progress)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; `{again}` goes on from there") from None
        comparison.save()
    return comparison


def runs_of(file: SweepFile, folder: Path, notebooks: list[Path], again: str) -> list[Run]:
    """The runs of a sweep in `folder`, in the grid's order; `again` is the command line that goes on with it.

    Raises InputError if one `data_dir` is given to runs that need different recordings.
    """
    values = file.combinations()
    runs, needed = [], {}
    for slug, own in zip(_slugs(values), values, strict=True):
        given = {**file.parameters, **own}
        run = Run(folder / slug, tuple(notebooks), given, folder / "data", command(slug, given), again)
        if run.makes_sets:
            recordings = _recordings(run)
            run = replace(run, data=Path(given.get("data_dir") or folder / f"data-{_hash(recordings)}"))
            if needed.setdefault(run.data, recordings) != recordings:
                raise InputError(
                    f"data_dir ({run.data}) cannot hold the recordings of several"
                    f" {' or '.join(recordings)}; leave it out"
                )
        runs.append(run)
    return runs


def check_same_parameters(run: Run) -> None:
    """Raise InputError if its folder holds a run that was made otherwise."""
    record = run.record()
    for notebook, asked in run.values().items():
        for name, value in asked.items():
            used = record.parameters[notebook].get(name, value)
            if used != value and (name != "data_dir" or name in run.given):
                raise InputError(
                    f"{run.folder} was made with {name} = {used!r}, and now {value!r} is asked for; remove"
                    " the folder, or give another --name"
                )


def _carry_out(run_all: Executor, runs: list[Run], comparison: Comparison, progress: bool) -> None:
    rows = comparison.runs
    waiting = [i for i, row in enumerate(rows) if row.status != DONE]
    done = len(runs) - len(waiting)
    with tqdm(total=len(runs), initial=done, desc="sweep", unit="run", disable=not progress) as bar:
        for task, failure in run_all(failure_of, [runs[i] for i in waiting]):
            if isinstance(failure, BaseException):
                failure = f"its process ended again and again ({type(failure).__name__})"
            i = waiting[task]
            rows[i] = RunRow.read(runs[i].folder, rows[i].values, failure)
            comparison.save_table()
            bar.set_postfix_str(f"{rows[i].run}: {rows[i].figure}")
            bar.update()


def _recordings(run: Run) -> dict[str, Any]:
    """The parameters that decide which recordings a run takes or makes."""
    others = [*OWN_SETS, RESERVED, "data_dir"]
    declared = parameters_of(run.notebooks[0])
    if run.simulates and "data_seed" in declared:
        others.append("seed")
    return {name: run.given.get(name, p.default) for name, p in declared.items() if name not in others}


def _slugs(combinations: list[dict[str, Any]]) -> list[str]:
    """A folder name for each combination: lambda_cycle=3.0,seed=1."""
    slugs = [",".join(f"{name}={_word(value)}" for name, value in c.items()) for c in combinations]
    alike = Counter(map(folded, slugs))
    return [
        slug if alike[folded(slug)] == 1 and _cut(slug) == slug else f"{_cut(slug)}-{_hash(values)}"
        for slug, values in zip(slugs, combinations, strict=True)
    ]


def _cut(slug: str) -> str:
    return slug.encode()[:MAX_SLUG].decode(errors="ignore")


def _word(value: Any) -> str:
    if isinstance(value, str):
        return re.sub(r"[^\w.+-]+", "-", Path(value).name).strip("-.") or "empty"
    return str(value)


def _hash(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
