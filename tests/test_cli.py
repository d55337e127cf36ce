"""The command: what it prints, what it writes, and how it refuses."""

import re
import subprocess
import sys

import numpy as np
import pytest
from helpers import PROJECT, make_set

from cyclegan_lib.cli import main
from cyclegan_lib.features import FeatureSet

SUBCOMMANDS = (
    "simulate",
    "extract",
    "train",
    "export",
    "inspect",
    "translate",
    "evaluate",
    "benchmark",
    "run",
    "sweep",
)


def refused(capsys, *arguments) -> str:
    """Run the command, see it refuse with one sentence and exit code 2, and return the sentence."""
    assert main([str(a) for a in arguments]) == 2
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if line.startswith("cyclegan: ")]
    assert len(lines) == 1, error
    assert "Traceback" not in error
    return lines[0]


def test_help_lists_every_subcommand_and_every_option(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in SUBCOMMANDS)
    assert main([]) == 0
    for name in SUBCOMMANDS:
        assert main([name, "--help"]) == 0
        assert "Options:" in capsys.readouterr().out


def test_the_module_is_the_command():
    command = [sys.executable, "-m", "cyclegan_lib", "train", "--qqq"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 2
    assert done.stderr == "cyclegan: No such option: --qqq; see `cyclegan --help`\n"


IMPORTED = """
import sys
from cyclegan_lib.cli import main

inspect, translate = sys.argv[1:3], sys.argv[3:]
assert main(inspect) == main(translate) == 0
slow = ("sklearn", "ot", "librosa", "matplotlib", "pandas", "scipy", "pytorch_lightning")
print([name for name in slow if name in sys.modules])
"""


def test_inspecting_and_translating_start_without_what_they_do_not_need(domains, trained, exported, tmp_path):
    translate = ["--model", exported, "--direction", "AB", "--input", domains[0]]
    commands = ["inspect", trained[0].best, "translate", *translate, "--output", tmp_path / "out.npz"]
    done = subprocess.run([sys.executable, "-c", IMPORTED, *commands], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_options_of_training_are_the_settings_with_their_defaults(capsys):
    main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for part in (
        "--learning-rate",
        "[default: 0.002]",
        "--generator-hidden-dim",
        "--resume",
        "--lambda-cycle",
    ):
        assert part in text


def test_train_export_inspect_translate_evaluate(domains, tmp_path, capsys):
    a, b = domains
    quick = ["--max-epochs", "1", "--steps-per-epoch", "2", "--batch-size", "4"]
    folder = tmp_path / "checkpoints"
    assert (
        main(["train", "--domain-a", str(a), "--domain-b", str(b), "--checkpoint-dir", str(folder), *quick])
        == 0
    )
    assert "best epoch" in capsys.readouterr().out
    best, model, out = folder / "best.ckpt", tmp_path / "model", tmp_path / "ab.npz"
    assert main(["export", "--checkpoint", str(best), "--output-dir", str(model), "--no-discriminators"]) == 0
    # sizes are as the guide says
    assert int(re.search(r"generators only: (\d+)% smaller", capsys.readouterr().out)[1]) >= 60
    assert best.stat().st_size < 20e6
    assert all(path.stat().st_size < 3e6 for path in model.glob("*.pth"))
    assert main(["inspect", str(best)]) == 0
    text = capsys.readouterr().out
    assert "generator_AB     114,240 parameters" in text
    counts = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) parameters", text)]
    assert len(counts) == 4 and min(counts) >= 100_000 and max(counts) <= 500_000
    test = make_set("cpc006", n=8, seed=9, shift=10).save(tmp_path / "test.npz")
    arguments = ["--model", str(model), "--direction", "AB", "--input", str(test), "--output", str(out)]
    assert main(["translate", *arguments]) == 0
    assert FeatureSet.load(out).device == "BATCH_UPLOAD"
    json = tmp_path / "result.json"
    arguments = ["--source", str(test), "--translated", str(out), "--target", str(b), "--json", str(json)]
    assert main(["evaluate", *arguments, "--labelled", str(b)]) == 0
    assert "Gaussian OT" in capsys.readouterr().out
    assert json.exists()


def test_scripts_of_the_guide_say_what_is_missing(tmp_path):
    for script, says in (
        ("train.py", "data/cpc006.npz does not exist"),
        ("export_models.py", "--checkpoint"),
    ):
        command = [sys.executable, str(PROJECT / "scripts" / script)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 2
        assert says in done.stderr
    assert not list(tmp_path.iterdir())


def features(path, x, **more):
    n = len(x) if x.ndim else 0
    arrays = {
        "recording": np.array([f"r{i}" for i in range(n)]),
        "start_s": np.zeros(n),
        "device": np.str_("x"),
    }
    np.savez(path, features=x, settings=np.str_("null"), **{**arrays, **more})
    return path


BAD_SETS = {
    "nan.npz": lambda p: features(p, np.full((3, 50, 40), np.nan)),
    "inf.npz": lambda p: features(p, np.full((3, 50, 40), np.inf)),
    "39.npz": lambda p: features(p, np.zeros((3, 50, 39))),
    "flat.npz": lambda p: features(p, np.zeros(40)),
    "empty.npz": lambda p: features(p, np.zeros((0, 50, 40))),
    "one.npz": lambda p: features(p, np.zeros((1, 50, 40))),
    "pickled.npz": lambda p: features(p, np.zeros((3, 50, 40)), label=np.array([{}, {}, {}])),
    "missing.npz": lambda p: p,
    "rate.npz": lambda p: make_set("cpc006", sample_rate=12000).save(p),
}


@pytest.mark.parametrize("name", BAD_SETS)
def test_a_feature_set_that_cannot_be_used_is_refused(name, domains, tmp_path, capsys):
    bad = BAD_SETS[name](tmp_path / name)
    out = tmp_path / "out"
    assert name in refused(
        capsys, "train", "--domain-a", bad, "--domain-b", domains[1], "--checkpoint-dir", out
    )
    assert not out.exists()


@pytest.mark.parametrize("name", ["nan.npz", "39.npz", "pickled.npz", "missing.npz"])
def test_translate_and_evaluate_refuse_it_too(name, domains, exported, tmp_path, capsys):
    bad = BAD_SETS[name](tmp_path / name)
    out = tmp_path / "out.npz"
    assert name in refused(
        capsys, "translate", "--model", exported, "--direction", "AB", "--input", bad, "--output", out
    )
    arguments = ("--source", bad, "--translated", domains[1], "--target", domains[1], "--json", out)
    assert name in refused(capsys, "evaluate", *arguments)
    assert not out.exists()


def test_directions_models_and_checkpoints(domains, exported, trained, tmp_path, capsys):
    out = tmp_path / "out.npz"
    given = ("--input", domains[0], "--output", out)
    assert "'BC' is unknown" in refused(capsys, "translate", "--model", exported, "--direction", "BC", *given)
    assert "no_such" in refused(
        capsys, "translate", "--model", tmp_path / "no_such", "--direction", "AB", *given
    )
    half = tmp_path / "half.ckpt"
    half.write_bytes(trained[0].best.read_bytes()[:9999])
    for command in (("inspect", half), ("export", "--checkpoint", half, "--output-dir", tmp_path / "models")):
        assert "half.ckpt is damaged" in refused(capsys, *command)
    resume = (
        "--domain-a",
        domains[0],
        "--domain-b",
        domains[1],
        "--checkpoint-dir",
        tmp_path / "c",
        "--resume",
        half,
    )
    assert "half.ckpt" in refused(capsys, "train", *resume)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half.ckpt"]


def test_folders_that_cannot_be_written(domains, exported, trained, tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    a, b = domains
    commands = [
        ("train", "--domain-a", a, "--domain-b", b, "--checkpoint-dir", blocked / "c"),
        ("export", "--checkpoint", trained[0].best, "--output-dir", blocked / "e"),
        ("translate", "--model", exported, "--direction", "AB", "--input", a, "--output", blocked / "t.npz"),
        ("evaluate", "--source", a, "--translated", a, "--target", b, "--json", blocked / "j.json"),
        ("simulate", "--output", blocked / "s"),
    ]
    for command in commands:
        assert "file" in refused(capsys, *command)
    assert blocked.read_text() == "in the way"


def test_recordings_that_cannot_be_used(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "a.wav").write_text("this is no sound")
    out = tmp_path / "out.npz"
    for folder, says in (("no_such", "no_such"), ("empty", "empty"), ("noise", "a.wav")):
        assert says in refused(capsys, "extract", tmp_path / folder, "--device", "x", "--output", out)
    assert not out.exists()


def test_values_out_of_range_are_refused(capsys):
    assert "'seed' cannot be -1" in refused(capsys, "train", "--seed", "-1")
    assert "'tpu'" in refused(capsys, "train", "--accelerator", "tpu")
    assert "'train_recordings'" in refused(capsys, "simulate", "--train-recordings", "1")


def test_unknown_notebook_parameters_are_refused_before_anything_runs(domains, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT)
    before = set((PROJECT / "runs").glob("*"))
    assert "unknown notebook parameter 'max_epoch'" in refused(capsys, "run", "-p", "max_epoch", "3")
    assert "'max_epochs' must be int" in refused(capsys, "run", "-p", "max_epochs", "many")
    assert "no.npz does not exist" in refused(capsys, "run", "-p", "domain_a", tmp_path / "no.npz")
    given = ("-p", "domain_a", domains[0], "-p", "domain_b", domains[1])
    assert "need all of domain_a, domain_b, test_a, test_b" in refused(capsys, "run", *given)
    assert "a name and a value" in refused(capsys, "run", "-p", "max_epochs")
    assert set((PROJECT / "runs").glob("*")) == before


def test_train_takes_pairs_and_can_leave_labels_aside(tmp_path, capsys):
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("--pairs", "--use-labels", "--no-use-labels", "--restarts"))
    sets = {f"--domain-{name}": tmp_path / f"{name}.npz" for name in "ab"}
    for path in sets.values():
        make_set(path.stem).save(path)
    pairs = tmp_path / "pairs.npz"
    pairs.write_bytes(b"no pairs")
    given = [part for item in sets.items() for part in item]
    folder = tmp_path / "checkpoints"
    sentence = refused(capsys, "train", *given, "--checkpoint-dir", folder, "--pairs", pairs)
    assert "pairs.npz is damaged or not an .npz file; write it with `Pairs.of" in sentence
    assert not folder.exists()
