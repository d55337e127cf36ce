"""Where a notebook reads and writes, and whether its parameters are what it declared.

A notebook's first code cell is tagged `parameters` and declares each one with its type, default and meaning:

    max_epochs: int = 100  # epochs to train

papermill puts a cell with the given values behind it. The next cell opens the workspace, which checks them.
"""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from cyclegan_lib.errors import InputError

TYPES = {"int": int, "float": float, "str": str, "bool": bool}
INJECTED = "# Parameters"  # how the cell begins that papermill puts behind the declarations
FIRST_NOTEBOOK = "01_data_normalization.ipynb"


@dataclass(frozen=True)
class Workspace:
    """The folders of a run.

    Attributes
    ----------
    data : Path
        Simulated recordings and feature sets.
    run : Path
        Checkpoints, exported models, figures and metrics are written below it: the project's own folders
        when a notebook is opened in JupyterLab, runs/NAME under `cyclegan run`.
    """

    data: Path
    run: Path

    @classmethod
    def open(cls, namespace: dict[str, Any]) -> "Workspace":
        """Check the parameters in a notebook's `globals()` and return its folders.

        Numbers are computed by one thread from here on, because threads change the last digits.

        Raises
        ------
        InputError
            If a parameter was given that the notebook does not declare, or one of another type.
        """
        _check_parameters(namespace)
        threadpool_limits(limits=1)
        root = project_folder()
        run = Path(namespace.get("run_dir") or root)
        return cls(data=Path(namespace.get("data_dir") or root / "data"), run=run)

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
        """The feature set of a device: its training recordings, or with `part="test"` its test ones."""
        return self.data / (f"{device}_{part}.npz" if part else f"{device}.npz")

    def keep(self, figure: Any, name: str) -> Any:
        """Save a figure as PNG and SVG under figures/, and return it to be shown."""
        folder = self.run / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("png", "svg"):
            figure.savefig(folder / f"{name}.{suffix}", bbox_inches="tight")
        return figure


def project_folder() -> Path:
    """The folder that holds notebooks/, found upwards from the current one; else the current folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "notebooks" / FIRST_NOTEBOOK).exists():
            return folder
    return here


def declared_parameters(source: str) -> dict[str, str]:
    """The names and types that a `parameters` cell declares: {"max_epochs": "int", …}."""
    return _declared(ast.parse(source))


def _check_parameters(namespace: dict[str, Any]) -> None:
    # IPython keeps the source of the cells that ran in `In`
    cells = [_parsed(cell) for cell in namespace["In"]]
    declared = next((found for tree in cells if (found := _declared(tree))), {})
    given = {
        target.id
        for source, tree in zip(namespace["In"], cells, strict=True)
        if source.startswith(INJECTED)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    for name in sorted(given - declared.keys()):
        raise InputError(f"unknown parameter '{name}'; this notebook knows {', '.join(declared)}")
    for name, type_name in declared.items():
        value, kind = namespace[name], TYPES[type_name]
        whole = kind is float and isinstance(value, int) and not isinstance(value, bool)
        if type(value) is not kind and not whole:
            raise InputError(f"the parameter '{name}' must be {type_name}, not {value!r}")


def _declared(tree: ast.Module) -> dict[str, str]:
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _parsed(cell: str) -> ast.Module:
    try:
        return ast.parse(cell)
    except SyntaxError:  # a cell with a % magic declares no parameters
        return ast.Module(body=[], type_ignores=[])
