"""What can be wrong with a notebook, done to one on disk, so that tests can see it noticed."""

import re
from pathlib import Path

import nbformat
from notebooks.whole import code_cells, is_ignored

TABLE = "text/markdown"


def change_a_number(path: Path, within: str = "") -> None:
    """Change the last digit of the last decimal number."""
    notebook = nbformat.read(path, as_version=4)
    output = _printing_cell(notebook, within).outputs[0]
    text = _printed(output)
    digit = list(re.finditer(r"\d\.\d*(\d)", text))[-1].start(1)
    changed = text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :]
    if "text" in output:
        output.text = changed
    else:
        output.data[TABLE] = changed
    nbformat.write(notebook, path)


def strip_an_output(path: Path, within: str = "") -> None:
    """Leave a cell that prints without its outputs."""
    notebook = nbformat.read(path, as_version=4)
    _printing_cell(notebook, within).outputs = []
    nbformat.write(notebook, path)


def add_an_error(path: Path, within: str = "") -> None:
    """Put what a failing cell leaves behind what it printed."""
    notebook = nbformat.read(path, as_version=4)
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="3", traceback=["ValueError: 3"])
    _printing_cell(notebook, within).outputs.append(error)
    nbformat.write(notebook, path)


def remove_a_count(path: Path, within: str = "") -> None:
    """Leave a cell's outputs, but no count; with no outputs either, nbval would pass it unseen."""
    notebook = nbformat.read(path, as_version=4)
    _printing_cell(notebook, within).execution_count = None
    nbformat.write(notebook, path)


# each takes a notebook and a text that the cell to alter prints; "" is the last cell that nbval compares
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


def _printing_cell(notebook: nbformat.NotebookNode, within: str) -> nbformat.NotebookNode:
    """Return the last cell whose first output is print's or a table, holds `within` and a decimal number."""
    found = [
        cell
        for cell in code_cells(notebook)
        if (within or not is_ignored(cell)) and cell.outputs and within in _printed(cell.outputs[0])
        if re.search(r"\d\.\d", _printed(cell.outputs[0]))
    ]
    assert found, f"no cell prints a decimal number and {within!r}"
    return found[-1]


def _printed(output: nbformat.NotebookNode) -> str:
    return output.get("text", "") or output.get("data", {}).get(TABLE, "")
