"""Any runs side by side, whichever sweeps or commands made them."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.measures import METRICS_JSON
from cyclegan_lib.names import check_written
from cyclegan_lib.plots.runs import SEEDS
from cyclegan_lib.runs.comparison import COMPARISON, INDEX, Comparison
from cyclegan_lib.runs.record import RECORD, Record
from cyclegan_lib.runs.rows import RunRow
from cyclegan_lib.runs.run import RUNS
from cyclegan_lib.system import command_line
from cyclegan_lib.workspace import project_folder

BY_HAND = "by hand"  # what the project's notebooks left when somebody ran them
DATA = "data_dir"  # a folder that differs between runs whose recordings are the same


def compare(runs: Sequence[str | Path] = (), output: str | Path = "") -> Comparison:
    """Put runs side by side; nothing is written before `Comparison.save`.

    `runs` are their folders, or their names under runs/; a folder of runs, such as a sweep's, stands for all
    of them. Without any, all that runs/ holds are meant, and what the notebooks left that were run by hand.
    `output` is the folder of the page, runs/comparison if left out.

    Raises InputError if there is no run, one of `runs` is none or its record cannot be read, or `output`
    holds something else.
    """
    folders = list(dict.fromkeys(folder for run in runs for folder in _found(Path(run))))
    folders = folders or _all_of(project_folder())
    output = Path(output or project_folder() / RUNS / COMPARISON)
    check_written(output / INDEX)
    if output.is_dir() and any(output.iterdir()) and not (output / f"{COMPARISON}.json").exists():
        raise InputError(f"{output} holds something else than a comparison; give another --output")
    records = [Record.load(folder) if (folder / RECORD).exists() else None for folder in folders]
    used = [_parameters(record) for record in records]
    names = sorted(dict.fromkeys(name for values in used for name in values), key=lambda name: name in SEEDS)
    grid = {name: _distinct(values.get(name, "") for values in used if values) for name in names}
    grid = {name: values for name, values in grid.items() if len(values) > 1}
    rows = [
        RunRow.read(folder, {name: values.get(name, "") for name in grid}, name=label)
        for folder, values, label in zip(folders, used, _labels(folders), strict=True)
    ]
    given = {name: value for record in records if record for name, value in record.given.items()}
    shared = {name: value for name, value in given.items() if name not in grid and name != DATA}
    again = command_line(["cyclegan", "compare", *map(str, runs)])
    return Comparison(COMPARISON, output, again, shared, grid, rows, folders)


def _found(path: Path) -> list[Path]:
    """The runs that a path or a name under runs/ stands for, absolute."""
    here = path if path.is_dir() else project_folder() / RUNS / path
    found = _within(here.absolute())
    if not found:
        known = sorted(child.name for child in (project_folder() / RUNS).glob("*") if _within(child))
        raise InputError(
            f"{path} is neither a run nor a folder of runs; there are {', '.join(known) or 'none'}"
        )
    return found


def _all_of(project: Path) -> list[Path]:
    by_hand = [project] if (project / METRICS_JSON).exists() else []
    found = [*by_hand, *(run for child in sorted((project / RUNS).glob("*")) for run in _within(child))]
    if not found:
        raise InputError(
            f"there is no run in {project} to compare; make some with `cyclegan run` or `make demo`"
        )
    return found


def _within(folder: Path) -> list[Path]:
    """A run itself, or the runs in a folder of runs."""
    return [folder] if _is_run(folder) else sorted(child for child in folder.glob("*") if _is_run(child))


def _is_run(folder: Path) -> bool:
    return (folder / RECORD).exists() or (folder / METRICS_JSON).exists()


def _parameters(record: Record | None) -> dict[str, Any]:
    """All parameters that a run used, those of all its notebooks; none are known of notebooks by hand."""
    every = record.parameters.values() if record else ()
    return {name: value for values in every for name, value in values.items() if name != DATA}


def _distinct(values: Any) -> list[Any]:
    """Values in their order, each once; 1 and True are two."""
    return list({repr(value): value for value in values}.values())


def _labels(folders: Sequence[Path]) -> list[str]:
    """A name for each run: its folder's, or as much of the path as tells it from the others."""
    alike = Counter(folder.name for folder in folders)
    above = Path(os.path.commonpath([folder.parent for folder in folders]))
    return [
        BY_HAND
        if not (folder / RECORD).exists() and folder == project_folder()
        else folder.name
        if alike[folder.name] == 1
        else folder.relative_to(above).as_posix()
        for folder in folders
    ]
