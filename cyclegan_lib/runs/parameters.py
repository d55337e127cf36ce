"""Checking parameters before anything runs."""

import difflib
import math
from pathlib import Path
from typing import Any

from cyclegan_lib.config import SimulationSettings, TrainingSettings
from cyclegan_lib.declarations import Parameter
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.files import existing_file
from cyclegan_lib.runs.notebooks import parameters_of

# given together, they take the place of the simulated devices
OWN_RECORDINGS = ("domain_a", "domain_b", "test_a", "test_b")
# notebooks hand these on to settings of the same name, which know their ranges
SETTINGS = (TrainingSettings, SimulationSettings)
# a run has its own folder
RESERVED = "run_dir"
LONGEST = 4096  # characters of a value; paths are no longer


def check_parameters(given: dict[str, Any], notebooks: list[Path], where: str) -> dict[str, Any]:
    """Return given parameters with the types that the notebooks declare, and paths made absolute.

    Parameters
    ----------
    given : dict
        Values, or text from a command line. Relative paths are meant from the current folder.
    notebooks : list of Path
    where : str
        What gave them, for the sentence: "the command line", or a file.

    Raises
    ------
    InputError
        If no notebook declares a name, a value is of another type or out of range, or a file does not exist.
    """
    declared = declared_by_any(notebooks)
    for name, value in given.items():
        if isinstance(value, str) and (printable(value) != value or len(value) > LONGEST):
            raise InputError(f"{where}: '{name}' must be one line of text, not {shown(value)}")
    return {name: _checked(name, value, declared, where) for name, value in given.items()}


def check_own_recordings(values: dict[str, Any]) -> None:
    """Raise InputError if only some of the feature sets of a pair of devices are given."""
    missing = [name for name in OWN_RECORDINGS if not values.get(name)]
    if 0 < len(missing) < len(OWN_RECORDINGS):
        raise InputError(
            f"recordings of your own need all of {', '.join(OWN_RECORDINGS)}, and {', '.join(missing)} is"
            " missing; simulated ones need none of them"
        )


def declared_by_any(notebooks: list[Path]) -> dict[str, Parameter]:
    """All parameters that a run can be given, by name."""
    found = {p.name: p for notebook in notebooks for p in parameters_of(notebook).values()}
    found.pop(RESERVED, None)
    return found


def _checked(name: str, value: Any, declared: dict[str, Parameter], where: str) -> Any:
    if name not in declared:
        near = difflib.get_close_matches(name[:100], declared, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"the notebooks know {', '.join(declared)}"
        raise InputError(f"unknown notebook parameter {shown(name)}; {hint}")
    parameter = declared[name]
    value = parameter.parsed(value) if isinstance(value, str) else parameter.checked(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"the parameter '{name}' must be a finite number, not {value}")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise InputError(f"the parameter '{name}' cannot be {shown(value)}; give a number below 2^63")
    for settings in SETTINGS:
        if name in settings.model_fields:
            settings.checked(where, **{name: value})
    if parameter.is_file and value:
        existing_file(value, f"give the parameter '{name}' the path of an existing file")
    if value and (parameter.is_file or name == "data_dir"):
        value = str(Path(value).absolute())
        if printable(value) != value:
            raise InputError(f"{where}: '{name}' must be one line of text, not {value}; rename the folder")
    return value
