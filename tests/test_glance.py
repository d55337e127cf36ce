"""What things show of themselves: facts and a small picture, escaped and short; no dump of arrays."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers import PROJECT, make_set

from cyclegan_lib.benchmark.numbers import Benchmark
from cyclegan_lib.evaluation.report import Evaluation, Row
from cyclegan_lib.export import inspect_checkpoint
from cyclegan_lib.export.manifest import Manifest
from cyclegan_lib.features.normalization import Normalizer
from cyclegan_lib.glance import Shown


def test_what_shows_itself_says_how():
    with pytest.raises(TypeError, match="glance"):
        type("Dumb", (Shown,), {})()


def test_a_feature_set_shows_its_facts_and_its_mean_spectrum():
    x = replace(make_set("<b>phone"), slices=np.array([28] + [50] * 11))
    html = x._repr_html_()
    assert "&lt;b&gt;phone" in html and ">28 to 50</td>" in html and ">16000 Hz</td>" in html
    assert "mean spectrum (dB), " in html
    (points,) = re.findall(r'points="([^"]+)"', html)
    y = np.array([float(point.split(",")[1]) for point in points.split()])
    assert len(y) == 40 and y.argmin() == x.mean_spectra().mean(axis=0).argmax()
    assert repr(x).startswith("features of <b>phone: recordings 12; sequences 12; ") and len(repr(x)) < 200


def test_a_normalizer_says_whether_it_is_shared():
    a, b = make_set("a").features, make_set("b", shift=10).features
    shared, own = (Normalizer.fit(a, b, mode) for mode in ("shared", "per-domain"))
    assert "mode shared" in repr(shared) and "mode per-domain" in repr(own)
    assert own._repr_html_().count("<polyline") == 2
    assert "solid: mean of A (dB), dashed: mean of B (dB), " in own._repr_html_()


def test_training_checkpoint_and_exported_folder_show_themselves(trained, exported):
    run, _ = trained
    assert f">{run.best_epoch} of 2</td>" in run._repr_html_() and "<polyline" in run._repr_html_()
    text = inspect_checkpoint(run.best)
    assert text._repr_html_().startswith("<pre>") and "&lt;-&gt;" in text._repr_html_()
    shown = Manifest.load(exported)._repr_html_()
    assert "cpc006 (A) &lt;-&gt; BATCH_UPLOAD (B)" in shown and "generator_AB.pth" in shown


@pytest.mark.parametrize("show", [repr, Evaluation._repr_markdown_])
def test_an_evaluation_shows_its_headline_and_its_table(show):
    rows = [Row(name, sliced_wasserstein=w) for name, w in (("real b", 0.1), ("identity", 1.0))]
    rows.append(Row("CycleGAN", sliced_wasserstein=0.4))
    result = Evaluation(rows, "a", "b", {}, 20, 5, "training sets", 0)
    assert show(result) == f"{result.headline}\n\n{result.table()}"
    assert "| CycleGAN |" in show(result)


def test_a_benchmark_shows_its_pairs_against_the_best_baseline():
    result = Benchmark.load(PROJECT / "notebooks" / "benchmark" / "benchmark.json")
    shown = result._repr_markdown_()
    assert shown == repr(result) and all(f"\n| {pair} " in shown for pair in result.pairs)
    assert len(shown) < 5000
