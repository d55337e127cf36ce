"""Cells are computed once, kept apart, and computed again when what they hang on has changed."""

from functools import partial

import pytest
from helpers import done

from cyclegan_lib.benchmark import pairs, run
from cyclegan_lib.benchmark.cells import cell_path
from cyclegan_lib.benchmark.judge import Measured
from cyclegan_lib.benchmark.methods import METHODS, Translation
from cyclegan_lib.benchmark.run import benchmark, parse_names
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.distances import nmse

CHEAP = ["identity", "CycleGAN", "real B"]


class QuickJudge:
    """Measures the error alone."""

    def __init__(self, pair, seed, variance):
        self.pair = pair

    def measure(self, translation, expect=False):
        error = nmse(translation.features, self.pair.test_b.features)
        names = sorted(set(self.pair.test_a.recording))
        return Measured({"recording": names, "slices": [4] * len(names), "nmse": [error] * len(names)}, {})


def stub(pair, seed, folder):
    """A shift in place of the training run."""
    assert folder.is_dir() and not list(folder.iterdir())
    (folder / "left behind.npz").write_text("", encoding="utf-8")
    shift = pair.train_b.features.mean() - pair.train_a.features.mean()
    return Translation(pair.test_a.features + shift, extras={"best_epoch": 3})


@pytest.fixture
def computed(monkeypatch):
    """The cells, once for each rotation, and the pairs that were computed, in order."""
    work = {"methods": [], "pairs": [], "calls": 0}

    def counted(name, method, pair, seed, folder):
        if (seed, name) not in work["methods"][-2:]:  # three rotations, one cell
            work["methods"].append((seed, name))
        work["calls"] += 1
        return method(pair, seed, folder)

    for name, method in {**METHODS, "CycleGAN": stub}.items():
        monkeypatch.setitem(METHODS, name, partial(counted, name, method))
    build = pairs.build
    monkeypatch.setattr(pairs, "build", lambda *given: work["pairs"].append(given[:2]) or build(*given))
    monkeypatch.setattr(run, "Judge", QuickJudge)
    return work


def go(output, data, **more):
    given = {"pairs": ["sensors"], "seeds": [0, 1], "methods": CHEAP, "data": data, "progress": False}
    return benchmark(output, **{**given, **more})


def test_a_second_run_computes_only_what_is_missing(tmp_path, data, computed):
    first = go(tmp_path, data)
    assert computed["methods"] == [(seed, name) for seed in (0, 1) for name in CHEAP]
    assert computed["pairs"] == [("sensors", 0), ("sensors", 1)] and computed["calls"] == 3 * 6
    cell = first.cells[1]
    assert len(set(cell.tested["recording"])) == len(cell.tested["recording"]) == 40
    assert cell.extras["rotations"] == [{"best_epoch": 3}] * 3
    assert go(tmp_path, data) == first
    assert len(computed["methods"]) == 6 and len(computed["pairs"]) == 2
    files = ["benchmark.json", "benchmark.md", "benchmark.png", "cells"]
    assert sorted(path.name for path in tmp_path.iterdir()) == files

    cell_path(tmp_path, "sensors", 1, "CycleGAN").write_text("{ damaged", encoding="utf-8")
    cell_path(tmp_path, "sensors", 0, "real B").unlink()
    computed["methods"].clear(), computed["pairs"].clear()
    go(tmp_path, data, methods=[*CHEAP, "CORAL"])
    assert computed["methods"] == [(0, "CORAL"), (0, "real B"), (1, "CORAL"), (1, "CycleGAN")]
    assert computed["pairs"] == [("sensors", 0), ("sensors", 1)]


def test_what_an_earlier_run_measured_with_other_methods_is_reported(tmp_path, data, computed):
    go(tmp_path, data, methods=["real B"], seeds=[0])
    result = go(tmp_path, data, methods=["identity"])
    assert computed["methods"] == [(0, "real B"), (0, "identity"), (1, "identity")]
    assert result.methods == ["identity", "real B"] and result.measured()["real B"] == {0}
    assert "- Fewer seeds: real B 1." in (tmp_path / "benchmark.md").read_text(encoding="utf-8")
    assert go(tmp_path, data, methods=["identity"], seeds=[1]).methods == ["identity"]


def test_an_interrupted_run_goes_on(tmp_path, data, computed, monkeypatch):
    def interrupted(pair, seed, folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as during, pytest.raises(KeyboardInterrupt):
        during.setitem(METHODS, "CycleGAN", interrupted)
        go(tmp_path, data)
    assert computed["methods"] == [(0, "identity")]
    assert not (tmp_path / "benchmark.json").exists()
    go(tmp_path, data)
    assert computed["methods"].count((0, "identity")) == 1


def test_cells_of_another_key_are_computed_again(tmp_path, data, computed, monkeypatch):
    go(tmp_path, data, seeds=[0])
    computed["methods"].clear()
    key = run.cell_key
    monkeypatch.setattr(run, "cell_key", lambda *row: "other" if row[1] == "CycleGAN" else key(*row))
    go(tmp_path, data, seeds=[0])
    assert computed["methods"] == [(0, "CycleGAN")]


def test_numbers_do_not_depend_on_the_other_cells(tmp_path, data):
    together = go(tmp_path / "a", data, seeds=[0], methods=["OT barycentric", "CORAL"])
    alone = go(tmp_path / "b", data, seeds=[0], methods=["CORAL"])
    assert together.cells[0].method == "CORAL" and together.cells[0].values == alone.cells[0].values


def test_missing_data_are_named_and_the_rest_runs(tmp_path, computed):
    result = go(tmp_path / "out", tmp_path / "none", pairs=["simulated", "sensors"], seeds=[0])
    assert result.pairs == ["simulated"] and list(result.left_out) == ["sensors"]
    assert "Left out: sensors, because" in (tmp_path / "out" / "benchmark.md").read_text(encoding="utf-8")


def test_names_are_put_in_order_and_each_once():
    assert parse_names("real B, identity,identity", METHODS, "method") == ["identity", "real B"]
    assert run.parse_seeds("3,1, 1") == [1, 3]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pairs": ["nope"]}, "pair 'nope' is unknown; choose from simulated, "),
        ({"methods": "identity,nope"}, "method 'nope' is unknown; choose from identity, "),
        ({"methods": ""}, "no method is given"),
        ({"seeds": "0,x"}, "seed 'x' is no whole number"),
        ({"seeds": [-1]}, "seed '-1' is no whole number"),
        ({"seeds": []}, "no seed is given"),
        ({"workers": 0}, "0 workers"),
        ({"data": "none"}, "no pair can be built because none does not exist; .*--data"),
    ],
)
def test_refused(given, says, tmp_path, data):
    with pytest.raises(InputError, match=says):
        go(tmp_path / "out", **{"data": data, **given})
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path, data, computed, capsys):
    out = tmp_path / "out"
    given = ["--output", out, "--data", data, "--pairs", "sensors", "--seeds", 0]
    text = done(capsys, "benchmark", *given, "--methods", ",".join(CHEAP))
    assert text.startswith("# Benchmark") and "| real B" in text
    assert (out / "benchmark.md").read_text(encoding="utf-8") in text
