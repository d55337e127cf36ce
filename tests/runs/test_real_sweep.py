"""The real notebooks, in a small sweep under Dask."""

import json
import shutil

import nbformat
from helpers import PROJECT

from cyclegan_lib.cli import main

SWEEP = """\
parameters:
  train_recordings: 24
  test_recordings: 16
  max_epochs: 2
  restarts: 2
grid:
  lambda_cycle: [1.0, 10.0]
"""


def test_two_real_runs_share_recordings_and_are_compared(tmp_path, monkeypatch, capsys):
    shutil.copytree(PROJECT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    (tmp_path / "cycle.yml").write_text(SWEEP)
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "cycle.yml", "--workers", "2"]) == 0
    printed = capsys.readouterr().out
    assert "forest ↑" in printed and "logistic ↑" in printed
    folder = tmp_path / "runs" / "cycle"
    content = json.loads((folder / "sweep.json").read_text())
    for run in content["runs"]:
        assert run["status"] == "done"
        assert {"nmse", "sliced_wasserstein", "accuracy_forest", "c2st", "gap_closed"} <= run[
            "measures"
        ].keys()
        assert run["baseline"]["nmse"] == content["runs"][0]["baseline"]["nmse"]
        report = (folder / run["run"] / "report.html").read_text()
        assert report.count("data:image/png;base64") >= 8
        assert (folder / run["run"] / "checkpoints" / "best.ckpt").exists()
        assert not (folder / run["run"] / "05_benchmark.ipynb").exists()
    (data,) = folder.glob("data-*")
    assert (data / "recordings" / "simulation.json").exists()
    executed = nbformat.read(folder / "lambda_cycle=10.0" / "02_training.ipynb", as_version=4)
    injected = next(cell for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", []))
    assert "lambda_cycle = 10.0" in injected.source
    assert len({run["measures"]["nmse"] for run in content["runs"]}) == 2
