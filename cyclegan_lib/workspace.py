"""What a notebook may be given, and where it reads and writes.

Its first code cell is tagged `parameters` and declares them, one a line:

    max_epochs: int = 100  # epochs to train

A comment that begins with "file:" says that the value is the path of an existing file, or empty; "path:",
that of a file or a folder. papermill puts a cell with the given values behind it. The next cell opens the
workspace, which checks them.
"""

import ast
import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import cyclegan_lib
from cyclegan_lib import documents
from cyclegan_lib.archive import Archive
from cyclegan_lib.config import DEVICE_A, DEVICE_B, RECORD
from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.features.lake import is_lake
from cyclegan_lib.files import existing_file
from cyclegan_lib.names import refused

TYPES = {"int": int, "float": float, "str": str, "bool": bool}
INJECTED = "# Parameters"  # how the cell begins that papermill puts behind the declarations
SIMULATED_NAME = re.compile(rf"({DEVICE_A}|{DEVICE_B}|test)-\d{{4,}}")  # of a recording
FIRST_NOTEBOOK = "01_data_normalization.ipynb"
SIMULATING = "train_recordings"  # who declares this parameter simulates, unless one of those below is given
NOT_SIMULATED = ("domain_a", "recordings_a")


@dataclass(frozen=True)
class Parameter:
    """A declared parameter."""

    name: str
    type: str  # one of `TYPES`
    default: Any  # of that type
    help: str  # the comment behind it

    @property
    def is_path(self) -> bool:
        """Whether its value names a file or a folder."""
        return self.help.startswith(("file:", "path:"))

    def check_exists(self, value: str) -> None:
        """Raise InputError if there is nothing at the path given, or no file where one is asked for."""
        if self.help.startswith("file:") and not is_lake(value):
            existing_file(value, f"give the parameter '{self.name}' the path of an existing file")
        elif not (is_lake(value) or Path(value).exists()):
            raise InputError(f"{value} does not exist; give the parameter '{self.name}' an existing folder")

    def checked(self, value: Any) -> Any:
        """Return a value of the declared type; a whole number is a float too; else raise InputError."""
        kind = TYPES[self.type]
        if kind is float and type(value) is int and abs(value) < 2**53:
            return float(value)
        if type(value) is not kind:
            raise InputError(f"the parameter '{self.name}' must be {self.type}, not {shown(value)}")
        return value

    def parsed(self, text: str) -> Any:
        """Return text from a command line as the declared type; raise InputError if it cannot be read so."""
        if self.type == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if self.type != "bool":
            try:
                return TYPES[self.type](text)
            except ValueError:
                pass
        raise InputError(f"the parameter '{self.name}' must be {self.type}, not {shown(text)}")


@dataclass(frozen=True)
class Workspace:
    """The folders of a run."""

    data: Path  # simulated recordings, and feature sets
    # checkpoints, exported models, figures and metrics are written below it: the project's own folders when
    # a notebook is opened in JupyterLab, runs/NAME under `cyclegan run`
    run: Path
    # where notebooks write instead, and what vanishes with it: in a finished run that is opened to look at
    instead: TemporaryDirectory | None = None

    @classmethod
    def open(cls, namespace: dict[str, Any]) -> "Workspace":
        """Check the parameters in a notebook's `globals()` and return its folders.

        Numbers are computed by one thread from here on, because threads change the last digits. Raises
        InputError if a parameter was given that the notebook does not declare, or one of another type, a file
        among them does not exist, there is no project folder, or simulated recordings would replace feature
        sets of others.
        """
        _check_parameters(namespace)
        threadpool_limits(limits=1)
        _sharp_figures()
        run, data = namespace.get("run_dir"), namespace.get("data_dir")
        work = cls(
            data=Path(data).absolute() if data else project_folder() / "data",
            run=Path(run).absolute() if run else project_folder(),
        )
        finished = (documents.read_if_whole(work.run / RECORD, dict[str, Any]) or {}).get("finished")
        if finished and not namespace.get("measure_anew"):
            work = replace(work, instead=TemporaryDirectory(prefix="cyclegan-"))
        if SIMULATING in namespace and not any(map(namespace.get, NOT_SIMULATED)):
            check_simulated(work.data)
        return work

    def written(self, name: str) -> Path:
        """Where a notebook writes a file of the run; in a finished one a file that vanishes."""
        return (Path(self.instead.name) if self.instead else self.run) / name

    def existing(self, path: Path) -> Path:
        """`path`, which an earlier notebook made; InputError that says which one, if it is not there."""
        makers = {self.checkpoints: "02_training", self.exported_models: "03_export"}
        if not path.exists():
            maker = next((name for folder, name in makers.items() if path.is_relative_to(folder)), None)
            raise InputError(
                f"{path} does not exist; run notebook {maker or Path(FIRST_NOTEBOOK).stem} first, or all of"
                " them with `cyclegan run`"
            )
        return path

    @property
    def checkpoints(self) -> Path:
        """Where training writes."""
        return self.run / "checkpoints"

    @property
    def exported_models(self) -> Path:
        """Where the export is."""
        return self.run / "exported_models"

    @property
    def recordings(self) -> Path:
        """Simulated recordings."""
        return self.data / "recordings"

    def features(self, device: str, part: str = "") -> Path:
        """The feature set of a device: its training recordings, or with `part="test"` its test ones.

        Raises InputError if the device's name cannot name a file.
        """
        if not device or refused(device):
            raise InputError(f"the device's name {shown(device)} cannot name a file; give a plain name")
        return self.data / (f"{device}_{part}.npz" if part else f"{device}.npz")

    def keep(self, figure: Any, name: str) -> Any:
        """Save a figure as PNG and SVG under figures/, the same bytes each time; return it to be shown.

        What is no figure, such as an explorer, is only returned.
        """
        # imported here: most notebooks of a run are opened to do something else first, or never draw
        import matplotlib
        from matplotlib.figure import Figure

        if not isinstance(figure, Figure):
            return figure
        folder = self.written("figures")
        folder.mkdir(parents=True, exist_ok=True)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # each drawing would move the panels by a little
        for axis in figure.axes:  # the solver of the layout does not repeat to the last digit
            axis.set_position([round(part, 9) for part in axis.get_position().bounds])
            axis.set_in_layout(True)  # which `set_position` ends: it would be cut off
        # without these an SVG holds the date and random names of its parts, a PNG the version of matplotlib
        stable = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
        with matplotlib.rc_context({"svg.hashsalt": name}):
            for suffix, metadata in stable.items():
                figure.savefig(folder / f"{name}.{suffix}", bbox_inches="tight", metadata=metadata)
        return figure


def _sharp_figures() -> None:
    """Show figures of this notebook as `page_png` has them."""
    # imported here: who only asks for parameters needs none of them, nor plots before the first figure
    from IPython.core.getipython import get_ipython
    from matplotlib.figure import Figure

    def png(figure: Figure) -> tuple[bytes, dict[str, int]]:
        from cyclegan_lib.plots.style import page_png

        return page_png(figure)

    if shell := get_ipython():
        shell.display_formatter.formatters["image/png"].for_type(Figure, png)


def declared_parameters(source: str) -> dict[str, Parameter]:
    """The parameters that the source of a cell declares, by name; none if it cannot be parsed.

    Raises InputError if a declaration has another type, or its default is no plain value.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # as a cell with a % magic
        return {}
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    declared = {}
    for node in tree.body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        name, kind = node.target.id, ast.unparse(node.annotation)
        try:
            default = ast.literal_eval(node.value)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise InputError(f"the notebook declares '{name}' without a plain value as default") from error
        if kind not in TYPES:
            raise InputError(f"the notebook declares '{name}' as {kind}; it must be {', '.join(TYPES)}")
        # columns count bytes, and a default may hold other letters than ASCII's
        rest = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
        declared[name] = Parameter(name, kind, default, rest.partition("#")[2].strip())
    return declared


def check_simulated(data: Path) -> None:
    """Raise InputError if a feature set that simulating would replace is of recordings of somebody's own."""
    work = Workspace(data, data)
    for path in (work.features(device, part) for device in (DEVICE_A, DEVICE_B) for part in ("", "test")):
        try:
            (names,) = Archive(path, ("recording",), "").arrays("recording") if path.exists() else [[]]
        except InputError:  # it is damaged: there is nothing to lose
            continue
        if not all(SIMULATED_NAME.fullmatch(str(name)) for name in np.unique(names)):
            raise InputError(
                f"{path} is of recordings of your own, and simulated ones would replace it; give it as a"
                " parameter (domain_a, domain_b, test_a, test_b), or give another data_dir"
            )


def project_folder() -> Path:
    """The folder that holds notebooks/: found upwards from the current one, else the library's checkout.

    Raises InputError if there is none, and the library was not installed from a checkout.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(cyclegan_lib.__file__).resolve().parents[1]):
        if (folder / "notebooks" / FIRST_NOTEBOOK).exists():
            return folder
    raise InputError(
        f"there is no notebooks/{FIRST_NOTEBOOK} in {here} or above, and the library was not installed"
        " from a checkout that has it; call this inside the project's folder"
    )


def _check_parameters(namespace: dict[str, Any]) -> None:
    # IPython keeps the source of the cells that ran in `In`
    declared = next(filter(None, map(declared_parameters, namespace["In"])), {})
    given = {
        target.id
        for source in namespace["In"]
        if source.startswith(INJECTED)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    for name in sorted(given - declared.keys()):
        raise InputError(f"unknown parameter '{name}'; this notebook knows {', '.join(declared)}")
    for name, parameter in declared.items():
        parameter.checked(namespace[name])
        if parameter.is_path and namespace[name]:
            parameter.check_exists(namespace[name])
