"""The project's notebooks and the parameters that they declare."""

from functools import lru_cache
from pathlib import Path

import nbformat

from cyclegan_lib.declarations import Parameter, declared_parameters
from cyclegan_lib.errors import InputError
from cyclegan_lib.files import existing_file
from cyclegan_lib.workspace import project_folder


def notebooks_of(project: Path) -> list[Path]:
    """The notebooks of a project folder, in the order in which they run."""
    return sorted((project / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook and check it against the schema of its format.

    Raises
    ------
    InputError
        If the file is missing, or no notebook.
    """
    path = existing_file(path, "restore it")
    wrong: dict[str, Exception] = {}
    try:
        notebook = nbformat.read(path, as_version=4, capture_validation_error=wrong)
    except Exception as error:  # nbformat believes the types in it, and what they lack may raise anything
        raise InputError(f"{path} is no notebook, or is damaged; restore it") from error
    if wrong:
        raise InputError(f"{path} is no notebook, or is damaged; restore it") from wrong["ValidationError"]
    return notebook


def parameters_of(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a notebook's `parameters` cell declares, by name.

    Raises
    ------
    InputError
        If the file is no notebook, or a declaration cannot be used.
    """
    return dict(_parameters_of(notebook, existing_file(notebook, "restore it").stat().st_mtime_ns))


def describe_parameters() -> str:
    """All parameters with their types, defaults and meaning, by notebook.

    Raises
    ------
    InputError
        If there is no project folder.
    """
    lines = []
    for notebook in notebooks_of(project_folder()):
        lines.append(notebook.stem)
        for p in parameters_of(notebook).values():
            lines.append(f"  {p.name:20s}{p.type:7s}{p.default!r:8s}{p.help}")
    return "\n".join(lines)


@lru_cache
def _parameters_of(notebook: Path, _changed: int) -> dict[str, Parameter]:
    cells = read_notebook(notebook).cells
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    try:
        return declared_parameters(tagged[0]) if tagged else {}
    except InputError as error:
        raise InputError(f"{notebook}: {error}") from error
