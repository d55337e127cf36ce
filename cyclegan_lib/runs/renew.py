"""Running the committed notebooks again, to keep their outputs."""

import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from cyclegan_lib.errors import NotebookError
from cyclegan_lib.runs.execute import CELL_TIMEOUT_S, KERNEL, QUIET_KERNEL
from cyclegan_lib.runs.notebooks import notebooks_of
from cyclegan_lib.workspace import project_folder


def renew_notebooks() -> None:
    """Run the committed notebooks with their defaults in a folder of their own; keep only their outputs.

    Data, checkpoints and exports of the project stay as they are.

    Raises
    ------
    InputError
        If there is no project folder.
    NotebookError
        If a cell fails; the notebooks before it are renewed.
    """
    project = project_folder()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary) / "notebooks"
        shutil.copytree(project / "notebooks", workspace, ignore=shutil.ignore_patterns(".*"))
        for notebook in tqdm(notebooks_of(project), desc="notebooks", unit="notebook"):
            content = nbformat.read(workspace / notebook.name, as_version=4)
            # no timing is recorded: it would differ in each run
            client = NotebookClient(
                content,
                timeout=CELL_TIMEOUT_S,
                kernel_name=KERNEL,
                record_timing=False,
                extra_arguments=QUIET_KERNEL,
                resources={"metadata": {"path": str(workspace)}},
            )
            try:
                client.execute()
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
