"""The table and the JSON: the same numbers, readable, and never a NaN."""

import json
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
    assert cells[1] == f"{row.nmse:.3f}"
    assert cells[1 + list(MEASURES).index("frechet")] == f"{row.frechet:.2f}"


def test_json_holds_the_same(full, tmp_path):
    written = json.loads(full.save(tmp_path / "deep" / "report.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in written["rows"]] == ROWS
    assert written["rows"][5]["nmse"] == full.row("Gaussian OT").nmse
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
    return Evaluation(rows, "A", "B", {}, 4, 4, "them", 0)


def test_nan_becomes_null_in_json_and_the_table_has_no_minus_zero(tmp_path):
    result = made(0.1, 1.0, 0.4)
    text, table = result.save(tmp_path / "report.json").read_text(), result.table()
    assert "NaN" not in text and json.loads(text)["rows"][0]["frechet"] is None
    assert "nan" not in table and "n/a" in table and "-0.0" not in table


@pytest.mark.parametrize(
    ("distances", "closed"),
    [
        ((0.1, 1.1, 0.1), pytest.approx(1)),
        ((0.1, 1.1, 1.1), pytest.approx(0)),
        ((0.1, 1.1, 0.4), pytest.approx(0.7)),
        ((0.1, 1.1, 1.6), pytest.approx(-0.5)),
        ((0.3, 0.2, 0.2), None),
    ],
)
def test_gap_closed(distances, closed):
    assert made(*distances).gap_closed == closed


def test_unknown_row(full):
    with pytest.raises(KeyError, match="no row 'GAN'; there are real BATCH_UPLOAD, identity"):
        full.row("GAN")


def test_the_headline_names_the_gap_and_both_errors(full):
    line = full.headline
    assert "\n" not in line
    assert f"closes {full.gap_closed:.1%} of the gap from cpc006 to BATCH_UPLOAD" in line
    assert f"NMSE {full.row('CycleGAN').nmse:.3f}" in line
    assert f"Gaussian optimal transport {full.row('Gaussian OT').nmse:.3f}" in line
    without = replace(full, rows=[replace(row, nmse=None, accuracy_forest=None) for row in full.rows])
    assert "NMSE" not in without.headline
    assert "accuracy" not in without.headline
