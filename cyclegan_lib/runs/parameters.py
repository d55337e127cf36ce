"""The project's notebooks and the parameters that they declare, checked before anything runs."""

import difflib
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat

from cyclegan_lib.config import SimulationSettings, TrainingSettings
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.lake import is_url
from cyclegan_lib.files import existing_file
from cyclegan_lib.workspace import TYPES, Parameter, declared_parameters, project_folder

# the ones or the others, given together, take the place of the simulated devices
OWN_SETS = ("domain_a", "domain_b", "test_a", "test_b")
OWN_RECORDINGS = ("recordings_a", "recordings_b")
# these say how the latter are read
OF_RECORDINGS = ("device", "labels", "label_folder", "channel", "rate_of_files")
OF_RECORDINGS = (*(f"{name}_{device}" for name in OF_RECORDINGS for device in "ab"), "sample_rate")
# notebooks hand these on to settings of the same name, which know their ranges
RANGED_SETTINGS = (TrainingSettings, SimulationSettings)
# what decides the simulated recordings; `seed` is of all else
SIMULATION = ("data_seed", "train_recordings", "test_recordings")
SETTING = {"data_seed": "seed"}  # of those, what is called otherwise in the settings
# what a notebook declares behind this line are all settings of a class that it does not declare above
SETTINGS_LINE = "# all other settings of `cyclegan train`"
# it shows the committed benchmark of other devices, which no parameter of a run changes
BENCHMARK = "05_benchmark"
# and this one compares runs
COMPARE = "06_compare"
# a run has its own folder
RESERVED = "run_dir"
MAX_LENGTH = 4096  # characters of a value; paths are no longer


def notebooks_of(project: Path, without: Sequence[str] = (COMPARE,)) -> list[Path]:
    """The notebooks of a project folder, in the order in which they run, but for some."""
    found = sorted((project / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [notebook for notebook in found if notebook.stem not in without]


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook and check it against the schema of its format; raises InputError if it is none."""
    path = existing_file(path, "restore it")
    wrong: dict[str, Exception] = {}
    try:
        notebook = nbformat.read(path, as_version=4, capture_validation_error=wrong)
        if wrong:
            raise wrong["ValidationError"]
    except Exception as error:  # nbformat believes the types in it, and what they lack may raise anything
        raise InputError(f"{path} is no notebook, or is damaged; restore it") from error
    return notebook


def parameters_of(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a notebook's `parameters` cell declares, by name.

    Raises InputError if the file is no notebook, or a declaration cannot be used.
    """
    return dict(_parameters_of(notebook, existing_file(notebook, "restore it").stat().st_mtime_ns))


@lru_cache
def _parameters_of(notebook: Path, _changed: int) -> dict[str, Parameter]:
    cells = read_notebook(notebook).cells
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    try:
        return declared_parameters(tagged[0]) if tagged else {}
    except InputError as error:
        raise InputError(f"{notebook}: {error}") from error


def with_settings(cell: str) -> str:
    """A cell of parameters whose lines behind `SETTINGS_LINE` say what `TrainingSettings` says now."""
    own, line, _ = cell.partition(SETTINGS_LINE)
    if not line:
        return cell
    lines = [own + line]
    for name, field in TrainingSettings.flat_fields().items():
        if name not in declared_parameters(own):
            kind = field.annotation.__name__ if field.annotation in TYPES.values() else "str"
            default = f'"{field.default}"' if kind == "str" else field.default
            lines.append(f"{name}: {kind} = {default}  # {field.description}")
    return "\n".join(lines)


def declared_by_any(notebooks: list[Path]) -> dict[str, Parameter]:
    """All parameters that a run can be given, by name."""
    declared = {p.name: p for notebook in notebooks for p in parameters_of(notebook).values()}
    declared.pop(RESERVED, None)
    return declared


def simulated_folder(data: Path, values: dict[str, Any], notebooks: list[Path]) -> Path:
    """Where simulated recordings lie: in `data` those of the defaults, below it those of other settings."""
    declared = declared_by_any(notebooks)
    given = [name for name in SIMULATION if name in values and values[name] != declared[name].default]
    return data / ",".join(f"{name}={values[name]}" for name in given)


def describe_parameters() -> str:
    """All parameters of the project's notebooks with their types, defaults and meaning, by notebook."""
    lines = []
    for notebook in notebooks_of(project_folder()):
        lines.append(notebook.stem)
        for p in parameters_of(notebook).values():
            lines.append(f"  {p.name:20s}{p.type:7s}{p.default!r:8s}{p.help}")
    return "\n".join(lines)


def check_parameters(given: dict[str, Any], notebooks: list[Path], where: str) -> dict[str, Any]:
    """Return given parameters with the types that the notebooks declare, and paths made absolute.

    Values may be text from a command line; relative paths are meant from the current folder. `where` is what
    gave them, for the sentence: "the command line", or a file. Raises InputError if no notebook declares a
    name, a value is of another type or out of range, or a file does not exist.
    """
    declared = declared_by_any(notebooks)
    checked = {}
    for name, value in given.items():
        if isinstance(value, str) and (printable(value) != value or len(value) > MAX_LENGTH):
            raise InputError(f"{where}: '{name}' must be one line of text, not {shown(value)}")
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
        for settings in RANGED_SETTINGS:
            settings.from_flat(where, {SETTING.get(name, name): value})
        if parameter.is_path and value:
            parameter.check_exists(value)
        if value and (parameter.is_path or name == "data_dir") and not is_url(value):
            value = str(Path(value).absolute())
            if printable(value) != value:
                raise InputError(
                    f"{where}: '{name}' must be one line of text, not {value}; rename the folder"
                )
        checked[name] = value
    return checked


def check_own_recordings(values: dict[str, Any]) -> None:
    """Raise InputError if not all is given of what stands for recordings of somebody's own, or too much."""
    for group in (OWN_SETS, OWN_RECORDINGS):
        missing = [name for name in group if not values.get(name)]
        if 0 < len(missing) < len(group):
            raise InputError(
                f"recordings of your own need all of {', '.join(group)}, and {', '.join(missing)} is"
                " missing; simulated ones need none of them"
            )
    if values.get(OWN_RECORDINGS[0]) and values.get(OWN_SETS[0]):
        raise InputError(
            f"give recordings ({', '.join(OWN_RECORDINGS)}) or feature sets ({', '.join(OWN_SETS)}), not both"
        )
    unused = [name for name in OF_RECORDINGS if values.get(name) and not values.get(OWN_RECORDINGS[0])]
    if unused:
        raise InputError(
            f"{unused[0]} says how recordings of your own are read; give {' and '.join(OWN_RECORDINGS)} too"
        )


def check_own_sets(values: dict[str, Any]) -> None:
    """Raise InputError if the given feature sets of a pair of devices would stop a notebook.

    A test set of a wrong device would do so in the last one, after the training.
    """
    # imported here: it takes seconds, which simulated devices do not need
    from cyclegan_lib.evaluation.checks import check_sets, match_by_name
    from cyclegan_lib.faults.models import check_classes
    from cyclegan_lib.training.domains import load_domains

    domain_a, domain_b, test_a, test_b = (f"{values[name]} ({name})" for name in OWN_SETS)
    settings = TrainingSettings.from_flat("the notebooks' parameters", values)
    domains = load_domains(values["domain_a"], values["domain_b"], settings, values.get("pairs") or None)
    source, target = (FeatureSet.load(values[name]) for name in ("test_a", "test_b"))
    check_sets(
        {"source": domains.a, "target": domains.b, "fit_source": source, "fit_target": target},
        {"source": domain_a, "target": domain_b, "fit_source": test_a, "fit_target": test_b},
    )
    if domains.b.classes and source.classes:
        check_classes(domains.b, {test_a: source, test_b: target}, domain_b)
    if set(source.recording) == set(target.recording):
        try:
            match_by_name(source, target, "paired")
        except InputError as error:
            raise InputError(f"{test_a} is the source, and {test_b} the paired set: {error}") from error
