"""Cells are computed once, kept apart, and computed again when what they hang on has changed."""

import json

import pytest

from cyclegan_lib.benchmark import cells, methods, pairs, run
from cyclegan_lib.benchmark.cells import cell_path, fingerprint
from cyclegan_lib.benchmark.methods import METHODS, Translation
from cyclegan_lib.benchmark.run import benchmark, known
from cyclegan_lib.cli import main
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.baselines import Coral

CHEAP = ["identity", "CycleGAN", "real B"]


def stub(pair, seed, folder):
    """A linear map in place of the training run."""
    assert folder.is_dir() and not list(folder.iterdir())
    (folder / "left behind.npz").write_text("")
    moved = Coral().fit(pair.train_a.features, pair.train_b.features).transform(pair.test_a.features)
    return Translation(moved, {"best_epoch": 3})


@pytest.fixture
def computed(monkeypatch):
    """The cells and the pairs that were computed, in order."""
    found = {"methods": [], "pairs": []}

    def counting(name, method):
        def counted(pair, seed, folder):
            found["methods"].append((seed, name))
            return method(pair, seed, folder)

        return counted

    for name, method in {**METHODS, "CycleGAN": stub}.items():
        monkeypatch.setitem(METHODS, name, counting(name, method))
    build = pairs.build
    monkeypatch.setattr(pairs, "build", lambda *given: found["pairs"].append(given[:2]) or build(*given))
    return found


def go(output, data, **more):
    given = {"pairs": ["sensors"], "seeds": [0, 1], "methods": CHEAP, "data": data, "progress": False}
    return benchmark(output, **{**given, **more})


def test_a_second_run_computes_nothing(tmp_path, data, computed):
    first = go(tmp_path, data)
    assert computed["methods"] == [(seed, name) for seed in (0, 1) for name in CHEAP]
    assert computed["pairs"] == [("sensors", 0), ("sensors", 1)]
    again = go(tmp_path, data)
    assert len(computed["methods"]) == 6 and len(computed["pairs"]) == 2
    assert again == first
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "benchmark.json",
        "benchmark.md",
        "benchmark.png",
        "cells",
    ]


def test_only_what_is_missing_is_computed(tmp_path, data, computed):
    go(tmp_path, data)
    cell_path(tmp_path, "sensors", 1, "CycleGAN").write_text("{ damaged")
    cell_path(tmp_path, "sensors", 0, "real B").unlink()
    computed["methods"].clear(), computed["pairs"].clear()
    go(tmp_path, data, methods=[*CHEAP, "CORAL"])
    assert computed["methods"] == [(0, "CORAL"), (0, "real B"), (1, "CORAL"), (1, "CycleGAN")]
    assert computed["pairs"] == [("sensors", 0), ("sensors", 1)]


def test_an_interrupted_run_goes_on(tmp_path, data, computed, monkeypatch):
    def interrupted(pair, seed, folder):
        raise KeyboardInterrupt

    before = METHODS["CycleGAN"]
    monkeypatch.setitem(METHODS, "CycleGAN", interrupted)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, data)
    assert computed["methods"] == [(0, "identity")]
    assert not (tmp_path / "benchmark.json").exists()
    monkeypatch.setitem(METHODS, "CycleGAN", before)
    # the method's source is part of the fingerprint, and identity's has not changed
    go(tmp_path, data)
    assert computed["methods"].count((0, "identity")) == 1


@pytest.mark.parametrize("changed", ["simulation", "offsets", "measures", "method", "version"])
def test_other_settings_are_computed_again(changed, tmp_path, data, computed, monkeypatch):
    given = {"pairs": ["simulated"], "seeds": [0], "methods": ["identity", "CycleGAN"]}
    go(tmp_path, data, **given)
    computed["methods"].clear()
    if changed == "simulation":
        monkeypatch.setattr(pairs, "SIMULATED", pairs.SIMULATED.model_copy(update={"train_recordings": 10}))
    elif changed == "offsets":
        monkeypatch.setattr(pairs, "OFFSETS", 1)
    elif changed == "measures":
        monkeypatch.setattr(cells.measure, "HALVINGS", 7)
    elif changed == "method":
        quicker = methods.TrainingSettings(max_epochs=1)
        monkeypatch.setattr(methods, "TrainingSettings", lambda **given: quicker)
    else:
        monkeypatch.setattr(cells, "version", lambda name: "0.0")
    go(tmp_path, data, **given)
    expected = [(0, "identity"), (0, "CycleGAN")]
    assert computed["methods"] == (expected[1:] if changed == "method" else expected)


def test_other_recordings_are_another_benchmark(tmp_path, data):
    import shutil

    folder = shutil.copytree(data, tmp_path / "data")
    before = {pair: fingerprint(pair, "identity", folder) for pair in ("sensors", "microphones", "simulated")}
    assert before["sensors"] == fingerprint("sensors", "identity", data)
    sound = folder / "cwru" / "fan_end" / "100.flac"
    sound.write_bytes((folder / "cwru" / "fan_end" / "101.flac").read_bytes())
    changed = {pair for pair in before if fingerprint(pair, "identity", folder) != before[pair]}
    assert changed == {"sensors"}


def test_comments_and_docstrings_are_not_code(tmp_path):
    path = tmp_path / "x.py"
    path.write_text('"""About."""\n\n\ndef f():\n    """Does."""\n    return 1  # one\n')
    before = cells._code(path)
    path.write_text('"""Other."""\n\n\ndef f():\n    """Other."""\n    return 1\n')
    assert cells._code(path) == before
    path.write_text('"""About."""\n\n\ndef f():\n    """Does."""\n    return 2  # one\n')
    assert cells._code(path) != before


def test_numbers_do_not_depend_on_the_other_cells(tmp_path, data, computed):
    together = go(tmp_path / "a", data)
    alone = go(tmp_path / "b", data, methods=["CycleGAN"], seeds=[1])
    assert together.values("sensors", "CycleGAN", "nmse")[1] == alone.values("sensors", "CycleGAN", "nmse")[1]


def test_missing_data_are_named_and_the_rest_runs(tmp_path, computed):
    result = go(tmp_path / "out", tmp_path / "none", pairs=["simulated", "sensors"], seeds=[0])
    assert result.pairs == ["simulated"] and list(result.left_out) == ["sensors"]
    assert "Left out: sensors, because" in (tmp_path / "out" / "benchmark.md").read_text()
    assert list(json.loads((tmp_path / "out" / "benchmark.json").read_text())["left_out"]) == ["sensors"]


def test_names_are_put_in_order_and_each_once():
    assert known("real B, identity,identity", METHODS, "method") == ["identity", "real B"]
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
    ],
)
def test_refused(given, says, tmp_path, data):
    with pytest.raises(InputError, match=says):
        go(tmp_path / "out", data, **given)
    assert not (tmp_path / "out").exists()


def test_no_pair_at_all(tmp_path):
    with pytest.raises(InputError, match="no pair can be built because .*none does not exist; .*--data"):
        go(tmp_path / "out", tmp_path / "none")


def test_the_command(tmp_path, data, computed, capsys):
    out = tmp_path / "out"
    given = ["--output", str(out), "--data", str(data), "--pairs", "sensors", "--seeds", "0"]
    assert main(["benchmark", *given, "--methods", ",".join(CHEAP)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Benchmark") and "| real B" in text
    assert (out / "benchmark.md").read_text() in text


@pytest.mark.parametrize(
    ("option", "value"), [("--pairs", "nope"), ("--methods", "nope"), ("--seeds", "one")]
)
def test_the_command_refuses_in_a_sentence(option, value, tmp_path, capsys):
    assert main(["benchmark", "--output", str(tmp_path / "out"), option, value]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("cyclegan: ") and value in lines[0]
    assert not (tmp_path / "out").exists()
