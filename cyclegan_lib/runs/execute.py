"""Notebooks in kernels: one of a run through papermill, and the committed ones, to renew their outputs."""

import logging
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError
from tqdm import tqdm

from cyclegan_lib.errors import InputError, NotebookError
from cyclegan_lib.runs.parameters import notebooks_of, read_notebook, with_settings
from cyclegan_lib.workspace import project_folder

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
# what a run's data are from; what a notebook says of one of them is tagged with its name
SOURCES = ("simulated", "recordings", "sets")
MAX_MESSAGE = 400  # characters
# a kernel's ports are chosen before it binds them: another process may take one in between, and then the
# kernel never answers
KERNEL_STARTS = 3


class OwnKernel(AsyncKernelManager):
    """Starts kernels of this interpreter, whatever a shared machine has under the name python3."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """This Python, with ipykernel."""
        return KernelSpec(**get_kernel_dict())


class CellError(Exception):
    """A cell did not succeed: its number in the executed notebook, the error's class, and one line of it."""

    def __init__(self, cell: int | None, name: str, message: str) -> None:
        line = " ".join(message.split())
        self.cell, self.name, self.message = cell, name, line[:MAX_MESSAGE]
        super().__init__(f"cell {cell}: {name}: {self.message}")


def execute(
    notebook: Path, output: Path, values: dict[str, Any], progress: bool = True, source: str = ""
) -> None:
    """Run a notebook in a kernel of its own, in its own folder; write it to `output` after each cell.

    `values` are parameters that it declares; `progress` shows a TQDM bar over the cells. Cells tagged with
    one of `SOURCES` run, and are kept, where `source` is among their tags, or there is none. Raises
    CellError if a cell fails, takes longer than `CELL_TIMEOUT_S`, or its kernel dies.
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    content = read_notebook(notebook)
    content.cells = [cell for cell in content.cells if _is_of(cell, source)]
    try:
        _in_a_kernel(
            lambda: papermill.execute_notebook(
                content,
                _literal(output),
                parameters=values,
                kernel_name=KERNEL,
                kernel_manager_class=OwnKernel,
                execution_timeout=CELL_TIMEOUT_S + round(60 * values.get("max_minutes", 0)),
                progress_bar={"desc": notebook.stem} if progress else False,
                # bars of what takes long, below that of the cells
                stderr_file=sys.stderr if progress else None,
                # not papermill's `cwd`, which would move this whole process
                resources={"metadata": {"path": str(notebook.parent)}},
                extra_arguments=QUIET_KERNEL,
            )
        )
    except papermill.PapermillExecutionError as error:
        raise CellError(error.exec_count, error.ename, error.evalue) from error
    except (DeadKernelError, CellControlSignal) as error:
        message = "the kernel died" if isinstance(error, DeadKernelError) else str(error)
        raise CellError(_last_started(output), type(error).__name__, message) from error


def _is_of(cell: nbformat.NotebookNode, source: str) -> bool:
    named = set(cell.metadata.get("tags", ())) & set(SOURCES)
    return not (source and named) or source in named


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


def renew_notebooks() -> None:
    """Run the committed notebooks with their defaults in a folder of their own; keep only their outputs.

    Settings that one declares are written anew before, as the settings' class has them.
    Data, checkpoints and exports of the project stay as they are. Raises NotebookError if a cell fails; the
    notebooks before it are renewed.
    """
    project = project_folder()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary) / "notebooks"
        shutil.copytree(project / "notebooks", workspace, ignore=shutil.ignore_patterns(".*"))
        for notebook in tqdm(notebooks_of(project, ()), desc="notebooks", unit="notebook"):
            content = nbformat.read(workspace / notebook.name, as_version=4)
            for cell in content.cells:
                if "parameters" in cell.metadata.get("tags", []):
                    cell.source = with_settings(cell.source)
            # no timing is recorded: it would differ in each run
            client = NotebookClient(
                content,
                timeout=CELL_TIMEOUT_S,
                kernel_name=KERNEL,
                kernel_manager_class=OwnKernel,
                record_timing=False,
                coalesce_streams=True,  # chance decides in how many parts a cell's text comes
                extra_arguments=QUIET_KERNEL,
                resources={"metadata": {"path": str(workspace)}},
            )
            try:
                _in_a_kernel(client.execute)
            except CellExecutionError as error:
                why = f"{error.ename}: {' '.join(error.evalue.split())}"
                raise NotebookError(
                    f"{notebook.name} failed with {why}; its outputs are as before"
                ) from error
            content.metadata = {
                "kernelspec": content.metadata["kernelspec"],
                "language_info": {"name": "python"},
            }
            nbformat.write(content, notebook)


def _in_a_kernel(run: Callable[[], Any]) -> None:
    """Run a notebook; where its kernel did not start, and so no cell ran, start another."""
    for start in range(1, KERNEL_STARTS + 1):
        try:
            run()
            return
        except RuntimeError as error:
            # this class itself, of which papermill's and nbclient's other errors are children
            if type(error) is not RuntimeError or start == KERNEL_STARTS:
                raise


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
