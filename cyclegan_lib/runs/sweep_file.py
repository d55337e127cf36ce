"""PARAMS.yml: what a sweep is to try."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file
from cyclegan_lib.runs.parameters import check_own_recordings, check_parameters

KEYS = ("name", "parameters", "grid")


@dataclass(frozen=True)
class SweepFile:
    """A checked sweep.

    Attributes
    ----------
    name : str
    parameters : dict
        The same for every run.
    grid : dict of list
        {parameter: its values}.
    """

    name: str
    parameters: dict[str, Any]
    grid: dict[str, list[Any]]

    def combinations(self) -> list[dict[str, Any]]:
        """The grid's values of every run, the last parameter changing fastest."""
        return [
            dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())
        ]


class _UniqueKeys(yaml.SafeLoader):
    """YAML without keys that are given twice, of which the last would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [str(key) for i, key in enumerate(keys) if key in keys[:i]]
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"'{twice[0]}' is given twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_sweep(path: str | Path, notebooks: list[Path]) -> SweepFile:
    """Read a sweep and check all its parameters.

    Parameters
    ----------
    path : path
    notebooks : list of Path
        Those of each run, which declare the parameters.

    Raises
    ------
    InputError
        If the file cannot be read as YAML, has other keys than name, parameters and grid, or a grid that is
        empty, holds no lists, a value twice, or a parameter that is given for all runs too; and as
        `check_parameters` for every value.
    """
    path = existing_file(path, "give the YAML file of a sweep, as docs/sweep.yml")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}: {error.problem})" if mark else ""
        raise InputError(f"{path} cannot be read as YAML{where}; docs/sweep.yml is an example") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold the keys name, parameters and grid, as docs/sweep.yml does")
    for key in content:
        if key not in KEYS:
            raise InputError(f"{path} has the key '{key}', which is unknown; it knows {', '.join(KEYS)}")
    name = content.get("name", path.stem)
    if not isinstance(name, str):
        raise InputError(f"{path}: 'name' must be text, not {name!r}")
    fixed = content.get("parameters") or {}
    if not isinstance(fixed, dict):
        raise InputError(f"{path}: 'parameters' must hold one value for each parameter, not {fixed!r}")
    grid = _grid(path, content.get("grid"), fixed)
    where = str(path)
    fixed = check_parameters(fixed, notebooks, where)
    checked = {
        key: [check_parameters({key: value}, notebooks, where)[key] for value in values]
        for key, values in grid.items()
    }
    for key, values in checked.items():
        twice = [value for i, value in enumerate(values) if value in values[:i]]
        if twice:
            raise InputError(f"{path}: the grid of '{key}' holds {twice[0]!r} twice; give each value once")
    found = SweepFile(name, fixed, checked)
    for values in found.combinations():
        check_own_recordings({**fixed, **values})
    return found


def _grid(path: Path, grid: Any, fixed: dict[str, Any]) -> dict[str, list[Any]]:
    if not isinstance(grid, dict) or not grid:
        raise InputError(f"{path}: 'grid' must hold a list of values for at least one parameter")
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise InputError(
                f"{path}: the grid of '{key}' must be a list of values, as in [0, 1], not {values!r}"
            )
        if key in fixed:
            raise InputError(f"{path}: '{key}' is under both parameters and grid; leave one of them out")
    return grid
