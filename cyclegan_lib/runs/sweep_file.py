"""PARAMS.yml: what a sweep is to try."""

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.runs.parameters import check_own_recordings, check_parameters
from cyclegan_lib.yaml_file import read_yaml

KEYS = ("name", "parameters", "grid")
MAX_RUNS = 10_000


@dataclass(frozen=True)
class SweepFile:
    """A checked sweep."""

    name: str
    parameters: dict[str, Any]  # the same for every run
    grid: dict[str, list[Any]]  # {parameter: its values}

    def combinations(self) -> list[dict[str, Any]]:
        """The grid's values of every run, the last parameter changing fastest."""
        return [dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]


def read_sweep(path: str | Path, notebooks: list[Path]) -> SweepFile:
    """Read a sweep and check all its parameters, which the notebooks of each run declare.

    Raises InputError if the file cannot be read as YAML, has other keys than name, parameters and grid, or a
    grid that is empty, holds no lists, a value twice, or a parameter that is given for all runs too; and as
    `check_parameters` for every value.
    """
    path = Path(path)
    content = read_yaml(
        path, "give the YAML file of a sweep, as docs/sweep.yml", "docs/sweep.yml is an example"
    )
    for key in content:
        if key not in KEYS:
            raise InputError(f"{path} has the key {shown(key)}, which is unknown; it knows {', '.join(KEYS)}")
    name = content.get("name", path.stem)
    if not isinstance(name, str):
        raise InputError(f"{path}: 'name' must be text, not {shown(name)}")
    fixed = content.get("parameters") or {}
    if not isinstance(fixed, dict):
        raise InputError(f"{path}: 'parameters' must hold one value for each parameter, not {shown(fixed)}")
    where = str(path)
    try:
        grid = _grid(content.get("grid"), fixed)
        for key in (*fixed, *grid):
            if not isinstance(key, str):
                raise InputError(f"{shown(key)} is no name of a parameter; give names as text")
        fixed = check_parameters(fixed, notebooks, where)
        for key, values in grid.items():
            values = grid[key] = [check_parameters({key: value}, notebooks, where)[key] for value in values]
            twice = [value for i, value in enumerate(values) if value in values[:i]]
            if twice:
                raise InputError(f"the grid of '{key}' holds {shown(twice[0])} twice; give each value once")
        file = SweepFile(name, fixed, grid)
        for values in file.combinations():
            check_own_recordings({**fixed, **values})
    except InputError as error:
        if str(error).startswith(where):
            raise
        raise InputError(f"{where}: {error}") from error
    return file


def _grid(grid: Any, fixed: dict[str, Any]) -> dict[str, list[Any]]:
    if not isinstance(grid, dict) or not grid:
        raise InputError("'grid' must hold a list of values for at least one parameter")
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise InputError(
                f"the grid of '{key}' must be a list of values, as in [0, 1], not {shown(values)}"
            )
        if key in fixed:
            raise InputError(f"'{key}' is under both parameters and grid; leave one of them out")
    runs = math.prod(len(values) for values in grid.values())
    if runs > MAX_RUNS:
        raise InputError(f"the grid makes {runs} runs; at most {MAX_RUNS} are accepted")
    return grid
