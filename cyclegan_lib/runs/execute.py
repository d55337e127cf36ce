"""One notebook through papermill."""

import logging
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellControlSignal, DeadKernelError

from cyclegan_lib.errors import InputError
from cyclegan_lib.runs.notebooks import read_notebook

# the longest a single cell may take, beyond the minutes that a notebook may train
CELL_TIMEOUT_S = 3600
KERNEL = "python3"
# kernels would say on the terminal that they talk over this machine's loopback without encryption, how they
# were interrupted, and (through tornado) which message came while they ended; what fails in a cell is in the
# notebook
QUIET_KERNEL = [
    "--log-level=50",
    "--IPKernelApp.logging_config={'loggers': {'tornado': {'level': 'CRITICAL'}}}",
]
LONGEST_MESSAGE = 400


class CellError(Exception):
    """A cell did not succeed.

    Attributes
    ----------
    cell : int or None
        Its number as the executed notebook shows it, In [cell].
    name, message : str
        The error's class, and what it says, in one line.
    """

    def __init__(self, cell: int | None, name: str, message: str) -> None:
        line = " ".join(message.split())
        self.cell, self.name, self.message = cell, name, line[:LONGEST_MESSAGE]
        super().__init__(f"cell {cell}: {name}: {self.message}")


def execute(notebook: Path, output: Path, values: dict[str, Any], progress: bool = True) -> None:
    """Run a notebook in a kernel of its own, in its own folder; write it to `output` after each cell.

    Parameters
    ----------
    notebook, output : Path
    values : dict
        Parameters, all declared by the notebook.
    progress : bool
        Show a TQDM bar over the cells.

    Raises
    ------
    CellError
        If a cell fails, takes longer than `CELL_TIMEOUT_S`, or its kernel dies.
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        papermill.execute_notebook(
            _literal(notebook),
            _literal(output),
            parameters=values,
            kernel_name=KERNEL,
            execution_timeout=CELL_TIMEOUT_S + round(60 * values.get("max_minutes", 0)),
            progress_bar={"desc": notebook.stem} if progress else False,
            # not papermill's `cwd`, which would move this whole process
            resources={"metadata": {"path": str(notebook.parent)}},
            extra_arguments=QUIET_KERNEL,
        )
    except papermill.PapermillExecutionError as error:
        raise CellError(error.exec_count, error.ename, error.evalue) from error
    except DeadKernelError as error:
        raise CellError(_last_started(output), "DeadKernelError", "the kernel died") from error
    except CellControlSignal as error:
        raise CellError(_last_started(output), type(error).__name__, str(error)) from error


def is_whole(executed: Path) -> bool:
    """Whether an executed notebook is there, can be read, and ran to its end without an error."""
    try:
        notebook = read_notebook(executed)
    except InputError:
        return False
    facts = notebook.metadata.get("papermill")
    if not isinstance(facts, dict):
        return False
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    ended = bool(facts.get("end_time")) and not facts.get("exception")
    return ended and all(cell.execution_count for cell in cells)


def _literal(path: Path) -> str:
    """A path for papermill, which takes {name} in it for a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _last_started(output: Path) -> int | None:
    """The number of the code cell that ran last, when the kernel could not tell it."""
    try:
        cells = [c for c in nbformat.read(output, as_version=4).cells if c.cell_type == "code"]
    except (OSError, ValueError):
        return None
    started = [i for i, cell in enumerate(cells, 1) if cell.metadata.papermill.get("start_time")]
    return started[-1] if started else None
