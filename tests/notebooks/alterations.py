"""What can be wrong with a notebook, done to one on disk, so that tests can see it noticed."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from notebooks.whole import code_cells, is_ignored

TABLE = "text/markdown"


def alter(path: Path, change: Callable, within: str = "", at: int | None = None) -> None:
    """Change a code cell: the one `at` this index, or the last that prints a decimal number and `within`.

    If `within` is empty it is a cell that nbval compares.
    """
    notebook = nbformat.read(path, as_version=4)
    cells = code_cells(notebook)
    change(_printing_cell(cells, within) if at is None else cells[at])
    nbformat.write(notebook, path)


def change_a_number(cell: NotebookNode) -> None:
    """Change the last digit of the last decimal number."""
    output = cell.outputs[0]
    text = _printed(output)
    digit = list(re.finditer(r"\d\.\d*(\d)", text))[-1].start(1)
    changed = text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :]
    if "text" in output:
        output.text = changed
    else:
        output.data[TABLE] = changed


def strip_an_output(cell: NotebookNode) -> None:
    """Leave a cell that prints without its outputs."""
    cell.outputs = []


def add_an_error(cell: NotebookNode) -> None:
    """Put what a failing cell leaves behind what it printed."""
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="3", traceback=["ValueError: 3"])
    cell.outputs.append(error)


def remove_a_count(cell: NotebookNode) -> None:
    """Leave a cell's outputs, but no count; with no outputs either, nbval would pass it unseen."""
    cell.execution_count = None


ALTERATIONS = {
    "a changed number": change_a_number,
    "a stripped output": strip_an_output,
    "an error output": add_an_error,
    "a missing execution count": remove_a_count,
}


def replace_in_source(path: Path, old: str, new: str) -> None:
    """Change the code of a notebook, not its outputs."""
    notebook = nbformat.read(path, as_version=4)
    changed = [cell for cell in code_cells(notebook) if old in cell.source]
    assert changed, f"no cell of {path.name} holds {old!r}"
    for cell in changed:
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, path)


def _printing_cell(cells: list[NotebookNode], within: str) -> NotebookNode:
    found = [
        cell
        for cell in cells
        if (within or not is_ignored(cell)) and cell.outputs and within in _printed(cell.outputs[0])
        if re.search(r"\d\.\d", _printed(cell.outputs[0]))
    ]
    assert found, f"no cell prints a decimal number and {within!r}"
    return found[-1]


def _printed(output: NotebookNode) -> str:
    return output.get("text", "") or output.get("data", {}).get(TABLE, "")
