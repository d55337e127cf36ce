"""Any runs side by side: what differs, what is best and how surely, and the same recording through each."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from helpers import done, make_set, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.runs.compare import compare
from cyclegan_lib.runs.one_recording import OneRecording
from cyclegan_lib.runs.rows import RunRow, history, means
from cyclegan_lib.training.checkpoints import write_metrics


def another(run: Path, name: str, nmse: float, half: float = 0.01, **parameters) -> Path:
    """A copy of a run that was made with other parameters, and measured something else."""
    folder = shutil.copytree(run, run.parent / name)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    for used in record["parameters"].values():
        used |= {name: value for name, value in parameters.items() if name in used}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics["rows"][-1] |= {"nmse": nmse, "interval": {"nmse": [nmse - half, nmse + half]}}
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return folder


def cells_of(printed: str) -> list[list[str]]:
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_runs_of_any_origin_stand_in_one_table_and_one_page(done_run, capsys):
    project = done_run.parents[1]
    elsewhere = another(done_run, "two", 0.4, lambda_cycle=10.0).rename(project / "two")
    write_metrics(
        done_run / "checkpoints",
        [{"epoch": 0, "val_distance": 1.0, "train_cycle": 1, "train_discriminator": 2}],
    )
    heading, one, two, baseline = cells_of(printed := done(capsys, "compare", "one", elsewhere))
    assert heading[:5] == ["run", "lambda_cycle", "status", "epoch", "NMSE ↓"]
    assert one[:5] == ["one", "3.0", "done", "0", "**0.200 (0.20 to 0.20)**"]
    assert two[:5] == ["two", "10.0", "done", "0", "0.400 (0.39 to 0.41)"]
    assert baseline[:5] == ["best baseline", "", "", "", "Gaussian OT 0.500"]
    assert "NMSE against the pairs: 0.20 in one, the best, its interval apart from all others'" in printed

    folder = project / "runs" / "comparison"
    assert {path.suffix for path in folder.iterdir()} == {".json", ".csv", ".md", ".html", ".png", ".svg"}
    with (folder / "comparison.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["nmse_high"]) for line in lines] == pytest.approx([0.204, 0.41])
    assert lines[1]["lambda_cycle"] == "10.0" and lines[1]["nmse_baseline"] == "Gaussian OT"
    page = BeautifulSoup((folder / "index.html").read_text(encoding="utf-8"), "html.parser")
    links = [link["href"] for link in page.select("td a")]
    assert links == ["../one/report.html", "../../two/report.html"]
    assert all((folder / link).exists() for link in links)
    assert [title.get_text() for title in page.select("h2")] == [
        "All runs",
        "Measures",
        "Curves of training",
        "Settings",
    ]
    assert all(image["src"].startswith("data:") for image in page.select("img"))
    # the parameter that was given, and is the same in both
    assert "3 in every run" in page.get_text()
    assert cells_of(done(capsys, "compare", "one", elsewhere)) == [heading, one, two, baseline]


def test_a_run_is_not_surely_best_while_its_own_interval_reaches_anothers(done_run, capsys):
    another(done_run, "two", 0.15, half=0.06)
    _, one, two, _ = cells_of(printed := done(capsys, "compare", "one", "two"))
    assert {"0.200 (0.20 to 0.20)", "0.150 (0.09 to 0.21)"} <= {*one, *two}
    assert "NMSE against the pairs: 0.15 in two, the best, its interval not apart from all others'" in printed


def test_runs_that_only_a_seed_sets_apart_have_a_mean_with_its_interval(done_run):
    for seed, nmse in ((1, 0.4), (2, 0.6)):
        another(done_run, f"seed-{seed}", nmse, seed=seed)
    other = another(done_run, "other", 0.8, max_epochs=4)
    rows = compare([done_run, "seed-1", "seed-2", other]).cells()
    assert rows[0][:4] == ["run", "max_epochs", "seed", "status"]
    mean = next(row for row in rows if row[0].startswith("mean"))
    # Student's t of two degrees of freedom is 4.303, the deviation of the three 0.2; no error is below 0
    assert mean[:6] == ["mean of 3: max_epochs=3", "3", "", "", "", "0.400 (0.00 to 0.90)"]
    assert len(rows) == 7  # one alone has no mean, and all have one baseline


def test_notebooks_by_hand_and_all_runs_are_compared_without_being_named(done_run):
    project = done_run.parents[1]
    shutil.copy(done_run / "metrics.json", project)
    found = compare()
    assert [row.run for row in found.runs] == ["by hand", "one"]
    assert found.cells()[0][:3] == ["run", "status", "epoch"]  # nobody knows by which parameters they differ
    assert not (project / "runs" / "comparison").exists()
    # as a folder of runs, and none twice
    assert [row.run for row in compare(["runs", "one"]).runs] == ["one"]
    # and those of a sweep, whose names may be others' too
    another(done_run, "sweep/one", 0.3)
    for found in (compare(["one", "sweep"]), compare(["one", "runs/sweep/one"])):
        assert [row.run for row in found.runs] == ["one", "sweep/one"]
    another(done_run, "sweep/two", 0.3, lambda_cycle=10.0)
    found = compare(["one", "sweep/two", project])
    assert [row.values for row in found.runs] == [{"lambda_cycle": x} for x in (3.0, 10.0, "")]
    ticks = found.figures()["comparison"].axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["one", "two", "by hand"]


def test_what_cannot_be_compared_is_a_sentence(project, capsys):
    with pytest.raises(InputError, match="there is no run in .* to compare; make some with `cyclegan run`"):
        compare()
    for name in ("mine", "none"):
        (project / "runs" / name).mkdir(parents=True)
    (project / "runs" / "mine" / "run.json").write_text("{", encoding="utf-8")
    sentence = refusal(capsys, "compare", "nine")
    assert sentence.endswith("nine is neither a run nor a folder of runs; there are mine")
    assert "cannot be read as the record of a run" in refusal(capsys, "compare", "mine")


def test_a_page_is_not_written_over_something_else(done_run, capsys):
    sentence = refusal(capsys, "compare", "one", "--output", done_run)
    assert "holds something else than a comparison; give another --output" in sentence
    assert not (done_run / "index.html").exists()


@pytest.fixture
def models(exported, domains, tmp_path) -> dict[str, Path]:
    """Two folders with an exported model, and the test sets of both devices, who heard the same."""
    a = FeatureSet.load(domains[0])
    b = replace(make_set("BATCH_UPLOAD", seed=5), recording=a.recording)
    for name in ("one", "two"):
        shutil.copytree(exported, tmp_path / name / "exported_models")
        a.save(tmp_path / name / "data" / "cpc006_test.npz")
        b.save(tmp_path / name / "data" / "BATCH_UPLOAD_test.npz")
    return {name: tmp_path / name for name in ("one", "two")}


def test_the_same_recording_goes_through_each_model(models, exported):
    found = OneRecording.of(models, "cpc006-003")
    a, b = (FeatureSet.load(models["one"] / "data" / f"{x}_test.npz") for x in ("cpc006", "BATCH_UPLOAD"))
    np.testing.assert_array_equal(found.recorded, a.features[3])
    np.testing.assert_array_equal(found.truth, b.features[3])
    expected = Translator.load(exported, "AB").translate(a.features[3:4])[0]
    assert list(found.translated) == ["one", "two"]
    np.testing.assert_array_equal(found.translated["two"], expected)
    assert "cpc006-003: cpc006" in found.draw().axes[0].get_title(loc="left")
    with pytest.raises(
        InputError, match="no test recording of cpc006 is called 'nine'; there are cpc006-000"
    ):
        OneRecording.of(models, "nine")


def test_a_model_that_cannot_translate_it_is_left_out(models):
    (models["two"] / "exported_models" / "generator_AB.pth").write_bytes(b"damaged")
    (models["one"] / "data" / "BATCH_UPLOAD_test.npz").unlink()
    found = OneRecording.of(models)
    assert list(found.translated) == ["one"] and found.truth is None
    a = FeatureSet.load(models["one"] / "data" / "cpc006_test.npz")
    replace(a, settings=replace_rate(a)).save(models["one"] / "data" / "cpc006_test.npz")
    assert OneRecording.of(models) is None
    assert OneRecording.of({}) is None


def replace_rate(a: FeatureSet):
    return a.settings.model_copy(update={"sample_rate": 8000})


def test_curves_are_read_where_they_are_whole(tmp_path):
    logged = [{"epoch": 0, "val_distance": 1.5}, {"epoch": 1, "val_distance": 1.0, "train_cycle": 2.0}]
    write_metrics(tmp_path / "checkpoints", [{**line, "train_discriminator": 1.0} for line in logged])
    assert history(tmp_path) == [{**line, "train_discriminator": 1.0} for line in logged]
    path = tmp_path / "checkpoints" / "metrics.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("1.5", "much"), encoding="utf-8")
    assert history(tmp_path) == []


def test_the_mean_over_seeds_of_an_accuracy_has_an_interval_of_accuracies():
    rows = [
        RunRow(f"seed={i}", {"seed": i}, measures={"accuracy_forest": x, "nmse": x / 10})
        for i, x in enumerate((0.5, 0.9))
    ]
    (mean,) = means(rows)
    assert mean.interval == {
        "accuracy_forest": (0, 1),
        "nmse": (0, pytest.approx(0.07 + 12.706 * 0.02, 1e-3)),
    }
