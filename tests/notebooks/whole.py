"""What can be seen of a notebook without running it: is it whole, and can its outputs be compared?

nbval passes some things without looking at them: a cell without an execution count, cells marked to be
ignored, skipped or allowed to fail, pictures, widgets. `check_whole` refuses what it would pass wrongly.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from IPython.core.displayhook import DisplayHook
from IPython.core.inputtransformer2 import TransformerManager
from nbval.plugin import comment_markers, metadata_tags

IGNORED = "NBVAL_IGNORE_OUTPUT"  # the one marker in use; the others hide more than a number
MAX_LINES = 20
SOUND = re.compile(r"data:audio/mpeg;base64,[\w+/=]*")  # any letters may follow each other in it
# what no output may hold, because it would differ on another machine or another day
UNSTABLE = {
    "an absolute path": r"(?:^|[\s'\"(=:,\[])(?:~|file:/)?(?:/[\w.~-]+){2,}|\b[A-Z]:\\|site-packages",
    "a date": r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}/\d{1,2}/\d{4}\b",
    "a time": r"\b\d{1,2}:\d\d(?::\d\d)?\b",
    "a speed": r"\b(?:\w+/s|s/\w+)\b",
    "a version": r"\bv?\d+\.\d+\.\d+",
    "a memory address": r"\b0x[0-9a-fA-F]{6,}\b",
    "a warning": r"\b\w*Warning\b",
    "an unrounded number": r"\d\.\d{5,}|\d[eE][-+]\d",
}


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_ignored(cell: nbformat.NotebookNode) -> bool:
    """Whether nbval is told not to compare the cell's outputs."""
    return IGNORED in _comments(cell)


def texts(output: nbformat.NotebookNode) -> Iterator[str]:
    """Yield everything in an output that is text."""
    if "text" in output:
        yield output.text
    yield from (value for kind, value in output.get("data", {}).items() if kind.startswith("text/"))


def printed_by(notebook: nbformat.NotebookNode) -> str:
    """Return all the text in a notebook's outputs."""
    return "\n".join(
        text for cell in code_cells(notebook) for output in cell.outputs for text in texts(output)
    )


def check_whole(path: Path) -> None:
    """Assert that a notebook was run from top to bottom and kept every output, each fit to be compared.

    What is wrong is said in a sentence that names the notebook and the cell.
    """
    notebook = nbformat.read(path, as_version=4)
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise AssertionError(f"{path.name} is not a valid notebook: {error}") from error
    cells = code_cells(notebook)
    assert cells, f"{path.name} holds no code"
    for number, cell in enumerate(cells, 1):
        where = f"{path.name}, code cell {number}"
        count = cell.execution_count
        assert count == number, f"{where}: its execution count is {count}, so it was not run, or out of order"
        _check_code(cell, where)
        for output in cell.outputs:
            _check_output(output, where)
        _check_nothing_is_missing(cell, where)


def _check_code(cell: nbformat.NotebookNode, where: str) -> None:
    lines = len(cell.source.splitlines())
    declares = "parameters" in cell.metadata.get("tags", [])  # one a line, and nothing else
    assert declares or lines <= MAX_LINES, f"{where}: {lines} lines are more than {MAX_LINES}"
    tags = set(cell.metadata.get("tags", [])) & metadata_tags.keys()
    hidden = tags | (_comments(cell) & comment_markers.keys()) - {IGNORED}
    assert not hidden, f"{where}: {', '.join(hidden)} would make nbval pass it"


def _check_output(output: nbformat.NotebookNode, where: str) -> None:
    assert output.output_type != "error", f"{where}: it failed with {output.get('ename')}"
    assert output.get("name") != "stderr", f"{where}: it wrote to stderr: {output.get('text', '')[:200]}"
    kinds = output.get("data", {}).keys()
    other = {kind for kind in kinds if not kind.startswith("text/") and kind != "image/png"}
    assert not other, f"{where}: nbval cannot compare an output of kind {', '.join(other)}"
    for text in (SOUND.sub("", text) for text in texts(output)):
        for what, pattern in UNSTABLE.items():
            found = re.search(pattern, text)
            assert not found, f"{where}: its output holds {what}: {found.group()!r}"
        drawn = not text.startswith("<Figure ") or len(output.get("data", {}).get("image/png", "")) > 1000
        assert drawn, f"{where}: the picture of {text} is gone"


def _check_nothing_is_missing(cell: nbformat.NotebookNode, where: str) -> None:
    """Assert that there is an output of each kind that the code asks for."""
    there = {output.get("name", output.output_type) for output in cell.outputs if any(texts(output))}
    # a call that updates a display earlier in the cell shows nothing itself, but the display is there
    kinds = {"prints": {"stdout"}, "displays": {"display_data"}}
    kinds["ends with a value"] = {"display_data", "execute_result"}
    for what in _shows(cell.source):
        gone = not kinds[what] & there
        assert not gone, f"{where}: it {what}, but that output is gone (end it with ; if there is none)"


def _shows(source: str) -> set[str]:
    """Return in which ways a cell's code shows something; what is only defined in it shows nothing."""
    body = ast.parse(TransformerManager().transform_cell(source)).body
    calls = {ast.unparse(node.func) for node in _run(body) if isinstance(node, ast.Call)}
    ways = {"print": "prints", "display": "displays"}
    shown = {ways[name] for name in ways.keys() & calls}
    if body and isinstance(body[-1], ast.Expr) and not DisplayHook.semicolon_at_end_of_expression(source):
        # magics become calls of get_ipython(), and print has no value
        called = ast.unparse(body[-1].value).split("(")[0]
        if called not in (*ways, "get_ipython"):
            shown.add("ends with a value")
    return shown


def _run(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield every node below, without the bodies of functions and classes, which may never run."""
    for node in nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield node
            yield from _run(list(ast.iter_child_nodes(node)))


def _comments(cell: nbformat.NotebookNode) -> set[str]:
    """Return the cell's lines that are nothing but a comment, as nbval reads them."""
    lines = (line.strip() for line in cell.source.splitlines())
    return {line.lstrip("#").strip() for line in lines if line.startswith("#")}
