"""The table and the JSON: the same numbers, readable, and never a NaN."""

import json
import re
from dataclasses import replace

import pytest
from helpers import ROWS

from cyclegan_lib.evaluation.measures import MEASURES
from cyclegan_lib.evaluation.report import Evaluation, Row

HEADINGS = [measure.heading for name, measure in MEASURES.items() if hasattr(Row, name)]


def test_markdown_is_aligned(full):
    lines = full.table().split("\n\n")[0].splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert len({len(line) for line in lines}) == 1
    assert len({line.count("|") for line in lines}) == 1
    assert all(heading in lines[0] for heading in HEADINGS)
    assert "cpc006 → BATCH_UPLOAD" in lines[0]


def test_numbers_of_the_table_are_those_of_the_rows(full):
    line = next(line for line in full.table().splitlines() if line.startswith("| Gaussian OT"))
    row = full.row("Gaussian OT")
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    low, high = row.interval["nmse"]
    assert cells[1] == f"{row.nmse:.3f} ({low:.2f} to {high:.2f})" and low < row.nmse < high
    assert cells[1 + list(MEASURES).index("frechet")] == f"{row.frechet:.2f}"
    low, high = row.interval["accuracy_forest"]
    place = 1 + list(MEASURES).index("accuracy_forest")
    assert cells[place] == f"{row.accuracy_forest:.3f} ({low:.2f} to {high:.2f})"


def test_json_holds_the_same(full, tmp_path):
    written = json.loads(full.save(tmp_path / "deep" / "report.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in written["rows"]] == ROWS
    row = written["rows"][ROWS.index("Gaussian OT")]
    assert row["nmse"] == full.row("Gaussian OT").nmse
    assert row["interval"]["nmse"] == list(full.row("Gaussian OT").interval["nmse"])
    assert written["gap_closed"] == full.gap_closed
    assert written["seed"] == 0 and written["recordings_compared"] == 8
    tested, fitted_on = ("source", "translated", "target", "paired"), ("labelled", "fit_source", "fit_target")
    assert written["sequences"] == dict.fromkeys(tested, 32) | dict.fromkeys(fitted_on, 80)


def made(*distances):
    names = ("real B", "identity", "CycleGAN")
    rows = [
        Row(name, mmd2=-1e-6, frechet=float("nan"), sliced_wasserstein=value, c2st=0.5)
        for name, value in zip(names, distances, strict=True)
    ]
    rows.insert(2, replace(rows[1], name="Gaussian OT"))
    return Evaluation(rows, "A", "B", {}, 20, 4, "them", 0)


def test_nan_becomes_null_in_json_and_the_table_has_no_minus_zero(tmp_path):
    result = made(0.1, 1.0, 0.4)
    text, table = result.save(tmp_path / "report.json").read_text(encoding="utf-8"), result.table()
    assert "NaN" not in text and json.loads(text)["rows"][0]["frechet"] is None
    assert "nan" not in table and "n/a" in table and "-0.0" not in table


@pytest.mark.parametrize(
    ("distances", "closed"),
    [
        ((0.1, 1.1, 0.1), pytest.approx(1)),
        ((0.1, 1.1, 1.1), pytest.approx(0)),
        ((0.1, 1.1, 0.4), pytest.approx(0.7)),
        ((0.1, 1.1, 1.6), pytest.approx(-0.5)),
        ((0.3, 1.1, 0.1), 1),
        ((0.3, 0.2, 0.2), None),
    ],
)
def test_gap_closed(distances, closed):
    assert made(*distances).gap_closed == closed
    assert replace(made(*distances), recordings_compared=10).gap_closed is None


def test_of_few_recordings_distances_are_said_and_no_percentage():
    few = replace(made(0.3, 1.1, 0.1), recordings_compared=10)
    assert few.headline == (
        "The distance from A to B is 0.100, untranslated 1.100, of B to itself 0.300"
        " (sliced Wasserstein, 10 recordings a side)."
    )
    assert "%" not in few.table() and "closes 100% of the gap" in made(0.3, 1.1, 0.1).table()
    assert "There was no gap" in made(0.3, 0.2, 0.2).headline


def test_unknown_row(full):
    with pytest.raises(KeyError, match="no row 'GAN'; there are real BATCH_UPLOAD, own labels"):
        full.row("GAN")


def test_the_headline_names_the_best_baseline_of_each_measure(full):
    others = [row for row in full.rows if row.baseline]
    assert [row.name for row in others] == ROWS[2:-1]
    line, ours = full.headline, full.row("CycleGAN")
    best = min(others, key=lambda row: row.nmse)
    low, high = ours.interval["nmse"]
    said = f"NMSE {ours.nmse:.3f} ({low:.2f} to {high:.2f}), {best.name} {best.nmse:.3f}, untranslated"
    assert said in line and "\n" not in line
    # no translation may be the best of them; it is named once
    rows = [replace(row, accuracy_forest=0.9 if row.name == "identity" else 0.5) for row in full.rows]
    known = {"accuracy_forest": (0.31, 0.69)}
    rows[-1] = replace(rows[-1], interval=known)
    line = replace(full, rows=rows).headline
    assert "fault accuracy, forest 0.500 (0.31 to 0.69), untranslated 0.900;" in line
    without = {"nmse": None, "accuracy_forest": None, "accuracy_logistic": None}
    line = replace(full, rows=[replace(row, **without) for row in full.rows]).headline
    assert "NMSE" not in line and "accurac" not in line


def test_no_number_of_the_headline_is_without_its_interval_or_how_many_recordings_it_is_of(full):
    line = replace(full, recordings_compared=40, cautions=[]).headline
    assert re.search(r"closes [\d.-]+% of the gap .*\(sliced Wasserstein, 40 recordings a side\);", line)
    assert line.endswith("; errors and accuracies of 16 test recordings.")
    shares = replace(full, shares={"worn": {"source": 0.4, "target": 0.5}}).said[-1]
    assert "from 16 test recordings, in brackets those of 40 labelled recordings" in shares
