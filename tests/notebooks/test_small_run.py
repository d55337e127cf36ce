"""Layers 1 and 2: one small run through papermill, what it measured, and the same once more."""

import base64
import io
import json
import re

import nbformat
import pytest
from notebooks.layers import NAMES, check_same_again
from notebooks.metrics import check_metrics, check_summary, measured
from PIL import Image

pytestmark = pytest.mark.slow


def test_a_small_run_measures_what_it_should(small_run):
    folder, printed = small_run
    check_metrics(folder)
    metrics = measured(folder)
    for part in (metrics["headline"], "report.html", "checkpoints", "exported_models", "NMSE", "Expected"):
        assert part in printed
    # the parameters have reached the notebooks
    assert metrics["sequences"]["source"] == metrics["sequences"]["target"] == 16
    assert metrics["sequences"]["fit_source"] == metrics["sequences"]["fit_target"] == 24
    assert metrics["seed"] == 3
    assert "max_epochs = 2" in json.dumps(nbformat.read(folder / "02_training.ipynb", as_version=4))
    assert (folder.parents[1] / "data" / "small" / "cpc006.npz").exists()


def test_the_report_stands_alone(small_run):
    folder, _ = small_run
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in report
    figures = re.findall(r'<img [^>]*src="data:image/png;base64,([^"]+)"[^>]*>', report)
    assert len(figures) >= 10
    for figure in figures:
        with Image.open(io.BytesIO(base64.b64decode(figure))) as picture:
            assert picture.width > 1000, "150 dots for each of its inches"
    # three recordings as they were recorded, translated, and as the target recorded them
    assert report.count('src="data:audio/mpeg;base64') == 9
    assert all(f'href="#{name}"' in report for name in NAMES)
    assert (folder / "exported_models" / "inference_example.py").exists()


def test_layer_1_fails_on_a_part_of_the_gap_of_few_recordings(small_run):
    metrics = measured(small_run[0])
    check_summary(metrics)
    with pytest.raises(AssertionError, match="0.5 of the gap, not None"):
        check_summary({**metrics, "gap_closed": 0.5})


def test_the_same_parameters_give_the_same_outputs(small_run):
    check_same_again(small_run[0])
