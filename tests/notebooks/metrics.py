"""Layer 1: what a small run measured, and that its notebooks, figures and metrics.json say the same."""

import ast
import json
import math
import re
from pathlib import Path
from typing import Any

import nbformat
from helpers import ROWS as WITHOUT_MODEL
from notebooks.layers import NAMES, numbered
from notebooks.whole import check_whole, code_cells, printed_by

from cyclegan_lib.evaluation.measures import DISTANCES, MEASURES
from cyclegan_lib.evaluation.report import FEW
from cyclegan_lib.faults.ways import RECOMMENDED

ROWS = [*WITHOUT_MODEL[:-1], "CycleGAN, untrained", WITHOUT_MODEL[-1]]
OWN = ROWS[1]  # has accuracies only
WITH_INTERVAL = ("nmse", "accuracy_forest", "accuracy_logistic")
# those are the benchmark's
NOT_SHOWN = ("gap_closed", "augmented_forest", "augmented_logistic")
COLUMNS = {name: measure for name, measure in MEASURES.items() if name not in NOT_SHOWN}
MEASURED = "04_domain_shift.ipynb"  # the notebook that prints what metrics.json holds


def measured(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def check_metrics(folder: Path) -> None:
    """Assert that the folder of a papermill run is complete, plausible, and consistent with itself."""
    notebooks = numbered(folder)
    assert [path.stem for path in notebooks] == list(NAMES), f"{folder} lacks notebooks"
    for path in notebooks:
        check_whole(path)
    metrics = measured(folder)
    check_rows(metrics["rows"])
    check_summary(metrics)
    check_printed(metrics, printed_by(nbformat.read(folder / MEASURED, as_version=4)))
    check_figures(folder)


def check_rows(rows: list[dict[str, Any]]) -> None:
    """Assert that every measure of every row is there, and that they are in the order they must be in."""
    assert [row["name"] for row in rows] == ROWS, f"the rows are {[row['name'] for row in rows]}"
    for row in rows:
        for name in COLUMNS:
            value = row.get(name)
            if row["name"] == OWN and not name.startswith(("accuracy", "recovery")):
                assert value is None, f"{name} of {OWN} is {value}"
                continue
            fine = isinstance(value, float) and math.isfinite(value)
            fine = fine and ("accuracy" not in name or 0 <= value <= 1)
            assert fine, f"{name} of {row['name']} is {value}"
            low, high = row["interval"].get(name, (value, value))
            assert low <= value <= high, f"the interval of {name} of {row['name']} is {low} to {high}"
        if row["name"] == OWN:
            continue
        assert row["deviation"].keys() == set(DISTANCES), f"deviations of {row['name']}: {row['deviation']}"
        assert all(0 < value < math.inf for value in row["deviation"].values()), row["deviation"]
    null, identity, translated = (rows[ROWS.index(name)] for name in (ROWS[0], "identity", "CycleGAN"))
    for name in ("sliced_wasserstein", "nmse", "mmd2", "frechet", "c2st"):
        assert null[name] < identity[name], f"{name}: the target itself is no nearer than no translation"
        assert translated[name] < identity[name], f"{name}: the CycleGAN is no nearer than no translation"
    for name in ("accuracy_forest", "accuracy_logistic"):
        assert null[name] > identity[name], f"{name}: no better on the target itself"


def check_summary(metrics: dict[str, Any]) -> None:
    """Assert that the gap closed and the headline follow from the rows and the ways of use."""
    rows = {row["name"]: row for row in metrics["rows"]}
    model, nothing = rows["CycleGAN"], rows["identity"]
    null, near, far = (row["sliced_wasserstein"] for row in (metrics["rows"][0], model, nothing))
    closed = 1 - (near - null) / (far - null)
    # with few recordings a side the null itself scatters: a translation may come nearer than it
    assert 0.5 < closed <= 1.5, f"{closed:.0%} of the gap is closed"
    if metrics["recordings_compared"] > FEW:
        numbers = [f"{min(closed, 1):.1%}"]
        found = metrics["gap_closed"]
        assert math.isclose(min(closed, 1), found, abs_tol=1e-9), f"{found}, not {closed}"
    else:
        numbers = [f"{near:.3f}", f"{far:.3f}", f"{null:.3f}"]
        assert metrics["gap_closed"] is None, (
            f"{metrics['gap_closed']} of the gap, not None of few recordings"
        )
    recommended = {row["name"]: row for row in metrics["ways"] if row["way"] == RECOMMENDED}
    for name in WITH_INTERVAL:
        sign, known = (1, rows) if name == "nmse" else (-1, recommended)
        others = [row for row in known.values() if row["baseline"]]
        best = min(others, key=lambda row: sign * row[name])
        low, high = known["CycleGAN"]["interval"][name]
        numbers += [f"{known['CycleGAN'][name]:.3f}", f"{low:.2f}", f"{high:.2f}", f"{best[name]:.3f}"]
        numbers += [f"{nothing[name]:.3f}"] if best["name"] != "identity" else []
    said = re.findall(r"-?\d+\.\d+%?", metrics["headline"])
    assert said == numbers, f"the headline says {said}, the rows {numbers}"


def check_printed(metrics: dict[str, Any], printed: str) -> None:
    """Assert that a notebook printed what metrics.json holds: the headline, the table and what is below."""
    assert metrics["headline"] in printed, "the headline of metrics.json was not printed"
    compared, halvings, seed = (metrics[name] for name in ("recordings_compared", "halvings", "seed"))
    for words in (
        f"Distances: {compared} recordings against {compared} others of {metrics['target_device']}",
        f"mean of {halvings} halvings (seed {seed})",
        *metrics["said"],
    ):
        assert words in printed, f"not printed: {words}"
    corner = f"| {metrics['source_device']} → {metrics['target_device']}"
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    start = next((i for i, line in enumerate(lines) if line.startswith(corner)), None)
    assert start is not None, f"no table '{corner} …' was printed"
    heading, _, *body = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines[start:])
    headings = [measure.heading for measure in COLUMNS.values()]
    assert heading[1:] == headings, f"the table's columns are {heading[1:]}"
    table = {name: cells for name, *cells in body[: len(metrics["rows"])]}
    for row in metrics["rows"]:
        shown = table.get(row["name"])
        assert shown is not None, f"{row['name']} is not in the table"
        for text, (name, measure) in zip(shown, COLUMNS.items(), strict=True):
            expected = "n/a"
            if row[name] is not None:
                expected = f"{round(row[name], measure.decimals) + 0.0:.{measure.decimals}f}"
            if name in row["interval"]:
                expected += " ({:.2f} to {:.2f})".format(*row["interval"][name])
            where = f"{name} of {row['name']}"
            assert text == expected, f"{where}: {text} in the table, {row[name]} in metrics.json"


def check_figures(folder: Path) -> None:
    """Assert that each figure that a notebook keeps is there as PNG and SVG, and no other."""
    kept = [name for path in numbered(folder) for name in _kept(path)]
    assert len(kept) == len(set(kept)), f"figures of the same name: {kept}"
    assert kept, "no notebook keeps a figure"
    begins = {"png": b"\x89PNG", "svg": b"<?xml"}
    other = {path.name for path in (folder / "figures").iterdir()}
    other ^= {f"{name}.{suffix}" for name in kept for suffix in begins}
    assert not other, f"figures that are missing or that nobody keeps: {other}"
    for path in (folder / "figures").iterdir():
        assert path.read_bytes().startswith(begins[path.suffix[1:]]), f"{path.name} is no picture"


def _kept(path: Path) -> list[str]:
    """Return the names of the figures that a notebook keeps: the last argument of each `work.keep(…)`."""
    source = "\n".join(cell.source for cell in code_cells(nbformat.read(path, as_version=4)))
    source = re.sub(r"^%.*", "", source, flags=re.MULTILINE)
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [ast.literal_eval(call.args[-1]) for call in calls if ast.unparse(call.func) == "work.keep"]
