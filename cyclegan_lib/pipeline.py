"""The notebooks in order, through papermill: one run, one folder, one report."""

import json
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from tqdm import tqdm

from cyclegan_lib.errors import InputError, NotebookError
from cyclegan_lib.files import existing_file, writable_folder
from cyclegan_lib.workspace import FIRST_NOTEBOOK, TYPES, project_folder

# the longest a single cell may take; a training run has its own limit, --max-minutes
CELL_TIMEOUT_S = 3600
# kernels warn on the terminal that they talk over this machine's loopback without encryption
QUIET_KERNEL = ["--log-level=40"]
METRICS = "metrics.json"
# given together, they take the place of the simulated devices
OWN_RECORDINGS = ("domain_a", "domain_b", "test_a", "test_b")


@dataclass(frozen=True)
class Parameter:
    """A parameter that a notebook's `parameters` cell declares."""

    notebook: str
    name: str
    type: str
    default: str
    help: str


def run(name: str = "", given: dict[str, str] | None = None) -> str:
    """Run the notebooks into runs/NAME.

    Parameters
    ----------
    name : str
        The run's folder; without one, the time. A folder of that name is set aside as NAME-earlier-N.
    given : dict
        Parameters as text; each notebook gets those that it declares.

    Returns
    -------
    str
        Where everything lies, and the result, for people.

    Raises
    ------
    InputError
        If a parameter is unknown or of the wrong type (before anything runs), a path among the parameters
        does not exist, or a notebook refuses its input.
    NotebookError
        If a cell fails otherwise. What was done until then stays in the run's folder.
    """
    name = name or datetime.now().strftime("run-%Y%m%d-%H%M%S")
    if Path(name).name != name or name.startswith("."):
        raise InputError(
            f"the run's name '{name}' must be a plain folder name, without / and not beginning with ."
        )
    notebooks = _notebooks()
    values = check_parameters(given or {}, notebooks)
    root = project_folder()
    folder = _fresh_folder(root / "runs", name)
    # notebooks run in their own folder: what was meant from here must be meant from there
    values["data_dir"] = str(Path(values.get("data_dir") or root / "data").resolve())
    values["run_dir"] = str(folder)
    executed = []
    for notebook in notebooks:
        output = folder / notebook.name
        declared = {p.name for p in parameters(notebook)}
        executed.append(output)
        _execute(notebook, output, {key: value for key, value in values.items() if key in declared})
    report = write_report(executed, folder / "report.html", f"cyclegan_lib: {name}")
    return _summary(folder, report)


def renew_notebooks() -> None:
    """Run the committed notebooks with their defaults in a folder of their own; keep only their outputs.

    Data, checkpoints and exports of the project stay as they are.
    """
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary) / "notebooks"
        shutil.copytree(_notebooks()[0].parent, workspace, ignore=shutil.ignore_patterns(".*"))
        for notebook in tqdm(_notebooks(), desc="notebooks", unit="notebook"):
            content = nbformat.read(workspace / notebook.name, as_version=4)
            # no timing is recorded: it would differ in each run
            client = NotebookClient(
                content,
                timeout=CELL_TIMEOUT_S,
                kernel_name="python3",
                record_timing=False,
                extra_arguments=QUIET_KERNEL,
                resources={"metadata": {"path": str(workspace)}},
            )
            client.execute()
            content.metadata = {
                "kernelspec": content.metadata["kernelspec"],
                "language_info": {"name": "python"},
            }
            nbformat.write(content, notebook)


def parameters(notebook: Path) -> list[Parameter]:
    """The parameters that a notebook declares, read by papermill from its `parameters` cell."""
    found = papermill.inspect_notebook(str(notebook)).values()
    return [
        Parameter(notebook.stem, p["name"], p["inferred_type_name"], p["default"], p["help"]) for p in found
    ]


def describe_parameters() -> str:
    """All parameters with their types, defaults and meaning, by notebook."""
    lines = []
    for notebook in _notebooks():
        lines.append(notebook.stem)
        for p in parameters(notebook):
            lines.append(f"  {p.name:20s}{p.type:7s}{p.default:8s}{p.help}")
    return "\n".join(lines)


def check_parameters(given: dict[str, str], notebooks: list[Path]) -> dict[str, Any]:
    """Turn parameters given as text into the types that the notebooks declare.

    Raises
    ------
    InputError
        If no notebook declares a name, a value is not of its type, a file does not exist, or only some of
        the feature sets of a pair of devices are given.
    """
    declared = {p.name: p for notebook in notebooks for p in parameters(notebook)}
    values = {}
    for name, text in given.items():
        if name not in declared or name == "run_dir":
            known = ", ".join(key for key in declared if key != "run_dir")
            raise InputError(f"unknown notebook parameter '{name}'; the notebooks know {known}")
        values[name] = _typed(text, declared[name])
        if declared[name].help.startswith("file:"):
            values[name] = str(existing_file(text).resolve())
    own = [name for name in OWN_RECORDINGS if name in declared]
    if values.keys() & set(own) and not values.keys() >= set(own):
        raise InputError(
            f"recordings of your own need all of {', '.join(own)}; simulated ones need none of them"
        )
    return values


def write_report(executed: list[Path], path: Path, title: str) -> Path:
    """Join executed notebooks into one HTML file: a table of contents, then each with its figures inside."""
    joined = nbformat.v4.new_notebook(metadata={"title": title})
    contents = [f"# {title}", ""]
    for notebook in executed:
        content = nbformat.read(notebook, as_version=4)
        heading = content.cells[0].source.splitlines()[0].lstrip("# ")
        contents.append(f'- <a href="#{notebook.stem}">{heading}</a>')
        joined.cells.append(nbformat.v4.new_markdown_cell(f'<a id="{notebook.stem}"></a>'))
        joined.cells += content.cells
    joined.cells.insert(0, nbformat.v4.new_markdown_cell("\n".join(contents)))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # cells of several notebooks may share an id, which HTML does not mind
        html, _ = HTMLExporter(embed_images=True, mathjax_url="", require_js_url="").from_notebook_node(
            joined
        )
    path.write_text(html, encoding="utf-8")
    return path


def _notebooks() -> list[Path]:
    folder = project_folder() / "notebooks"
    if not (folder / FIRST_NOTEBOOK).exists():
        raise InputError(f"no notebooks/{FIRST_NOTEBOOK} here or above; run this inside the project's folder")
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def _typed(text: str, parameter: Parameter) -> Any:
    if parameter.type == "bool":
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
    else:
        try:
            return TYPES[parameter.type](text)
        except ValueError:
            pass
    raise InputError(f"the parameter '{parameter.name}' must be {parameter.type}, not '{text}'")


def _fresh_folder(runs: Path, name: str) -> Path:
    folder = runs / name
    if folder.exists():
        number = 1
        while (aside := runs / f"{name}-earlier-{number}").exists():
            number += 1
        folder.rename(aside)
    return writable_folder(folder)


def _execute(notebook: Path, output: Path, values: dict[str, Any]) -> None:
    print(f"{notebook.stem}", flush=True)
    try:
        papermill.execute_notebook(
            str(notebook),
            str(output),
            parameters=values,
            kernel_name="python3",
            execution_timeout=CELL_TIMEOUT_S,
            cwd=str(notebook.parent),
            extra_arguments=QUIET_KERNEL,
        )
    except papermill.PapermillExecutionError as error:
        if error.ename == InputError.__name__:
            raise InputError(error.evalue) from error
        raise NotebookError(
            f"cell {error.exec_count} of {notebook.name} failed with {error.ename}: {error.evalue};"
            f" {output} shows it"
        ) from error


def _summary(folder: Path, report: Path) -> str:
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    places = {
        "executed notebooks": folder,
        "figures": folder / "figures",
        "report": report,
        "checkpoint": folder / "checkpoints" / "best.ckpt",
        "exported models": folder / "exported_models",
    }
    lines = [f"{what:20s}{path}" for what, path in places.items()]
    return "\n".join([*lines, "", metrics["headline"]])
