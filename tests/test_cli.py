"""The command: what it prints, what it writes, and how it refuses."""

import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import version

import numpy as np
import pytest
import typer
from helpers import PROJECT, QUICK_OPTIONS, done, make_set, refusal, run_script
from typer.exceptions import TyperException

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.cli import app
from cyclegan_lib.cli.options import join_parameters
from cyclegan_lib.config import parse_direction
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet

SUBCOMMANDS = "simulate extract check split train export inspect translate listen classify".split()
SUBCOMMANDS += "evaluate benchmark run sweep compare doctor".split()


def test_help_lists_every_subcommand_and_every_option(capsys):
    text = done(capsys, "--help")
    assert all(name in text for name in SUBCOMMANDS)
    assert done(capsys) == text
    for name in SUBCOMMANDS:
        assert "Options:" in done(capsys, name, "--help")


COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_ends_with_an_example_that_the_command_takes(name, capsys):
    _, _, example = done(capsys, name, "--help").partition("\n  Example:\n")
    program, called, *words = shlex.split(example.replace("\\\n", " "))
    assert (program, called) == ("cyclegan", name)
    assert COMMANDS[name].make_context(name, join_parameters(words)).info_name == name
    with pytest.raises(TyperException):
        COMMANDS[name].make_context(name, [*words, "--no-such-option"])


def test_the_module_is_the_command():
    command = [sys.executable, "-m", "cyclegan_lib", "train", "--qqq"]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=PROJECT)
    assert ended.returncode == 2
    assert ended.stderr == "cyclegan: No such option: --qqq; see `cyclegan --help`\n"


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
    ended = subprocess.run([sys.executable, "-c", IMPORTED, *commands], capture_output=True, encoding="utf-8")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_notebook_opens_without_what_is_slow_to_import():
    slow = ("torch", "sklearn", "ot", "librosa", "pandas", "scipy.stats", "pytorch_lightning")
    code = "import sys, cyclegan_lib.plots, cyclegan_lib.workspace; print(*sys.modules, sep='\\n')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert set(slow) & set(ended.stdout.splitlines()) == set()


def test_options_of_training_are_the_settings_with_their_defaults(capsys):
    text = " ".join(done(capsys, "train", "--help").split())
    assert "[default: 0.002]" in text
    for name in "learning-rate generator-hidden-dim resume lambda-cycle pairs restarts no-use-labels".split():
        assert f"--{name}" in text


OF_FILE = {
    "max-epochs: many": "options.yml: 'max-epochs' cannot be 'many'; give a line for each option",
    "max-epochs: true": "'max-epochs' cannot be 'True'",
    "use-labels: 3": "'use-labels' cannot be '3'",
    "max-epoch: 3": "'max-epoch' is no option of `cyclegan train`",
    "config: x.yml": "'config' is no option",
    "- max-epochs": "options.yml must hold keys with values",
    "max-epochs: [1": "options.yml cannot be read as YAML (line 1",
}


@pytest.mark.parametrize("text", OF_FILE)
def test_files_of_options_that_cannot_be_used_are_refused(text, tmp_path, capsys):
    (tmp_path / "options.yml").write_text(text, encoding="utf-8")
    assert OF_FILE[text] in refusal(capsys, "train", "--config", tmp_path / "options.yml")


def test_the_command_line_comes_before_a_file_of_options(domains, tmp_path, capsys):
    quick = dict(zip(QUICK_OPTIONS[::2], QUICK_OPTIONS[1::2], strict=True))
    lines = [f"{name.removeprefix('--')}: {value}" for name, value in quick.items()]
    lines += [f"domain_a: {domains[0]}", f"domain-b: {domains[1]}", "use-labels: no"]
    (tmp_path / "options.yml").write_text("\n".join(lines), encoding="utf-8")
    given = ("--config", tmp_path / "options.yml", "--max-epochs", "2")
    text = done(capsys, "train", "--checkpoint-dir", tmp_path / "run", *given)
    assert "of 2:" in text
    settings = read_checkpoint(tmp_path / "run" / "best.ckpt")["hyper_parameters"]["settings"]
    assert (settings["max_epochs"], settings["use_labels"]) == (2, False)
    assert settings["generator"]["hidden_dim"] == 8


def test_train_export_inspect_translate_evaluate(domains, tmp_path, capsys):
    a, b = domains
    quick = ["--max-epochs", 1, "--steps-per-epoch", 2, "--batch-size", 4]
    folder, model = tmp_path / "checkpoints", tmp_path / "model"
    text = done(capsys, "train", "--domain-a", a, "--domain-b", b, "--checkpoint-dir", folder, *quick)
    assert "best epoch" in text and ("best epoch 0 of" in text) == ("Best epoch 0: training did not" in text)
    best, out, json = folder / "best.ckpt", tmp_path / "ab.npz", tmp_path / "result.json"
    text = done(capsys, "export", "--checkpoint", best, "--output-dir", model, "--no-discriminators")
    # sizes are as the guide says
    assert int(re.search(r"generators only: (\d+)% smaller", text)[1]) >= 60
    assert best.stat().st_size < 20e6
    assert all(path.stat().st_size < 3e6 for path in model.glob("*.pth"))
    text = done(capsys, "inspect", best)
    assert "generator_AB     114,240 parameters" in text
    counts = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) parameters", text)]
    assert len(counts) == 4 and min(counts) >= 100_000 and max(counts) <= 500_000
    test = make_set("cpc006", n=8, seed=9, shift=10).save(tmp_path / "test.npz")
    done(capsys, "translate", "--model", model, "--direction", "AB", "--input", test, "--output", out)
    assert FeatureSet.load(out).device == "BATCH_UPLOAD"
    given = ["--source", test, "--translated", out, "--target", b, "--labelled", b]
    assert "Gaussian OT" in done(capsys, "evaluate", *given, "--json", json)
    assert json.exists()


def test_scripts_of_the_guide_say_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    said = {"train.py": "data/cpc006.npz does not exist", "export_models.py": "--checkpoint"}
    for script, says in said.items():
        with pytest.raises(SystemExit) as ended:
            run_script(PROJECT / "scripts" / script)
        assert ended.value.code == 2 and says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def features(path, x, **more):
    n = len(x) if x.ndim else 0
    arrays = {"recording": np.array([f"r{i}" for i in range(n)]), "start_s": np.zeros(n), **more}
    np.savez(path, features=x, settings=np.str_("null"), device=np.str_("x"), **arrays)
    return path


BAD_SETS = {
    "nan.npz": lambda p: features(p, np.full((3, 50, 40), np.nan)),
    "39.npz": lambda p: features(p, np.zeros((3, 50, 39))),
    "pickled.npz": lambda p: features(p, np.zeros((3, 50, 40)), label=np.array([{}, {}, {}])),
    "missing.npz": lambda p: p,
    # these are no less whole, and training alone asks for more
    "inf.npz": lambda p: features(p, np.full((3, 50, 40), np.inf)),
    "flat.npz": lambda p: features(p, np.zeros(40)),
    "empty.npz": lambda p: features(p, np.zeros((0, 50, 40))),
    "one.npz": lambda p: features(p, np.zeros((1, 50, 40))),
    "rate.npz": lambda p: make_set("cpc006", sample_rate=12000).save(p),
}


@pytest.mark.parametrize("name", BAD_SETS)
def test_a_feature_set_that_cannot_be_used_is_refused(name, domains, exported, tmp_path, capsys):
    bad, b = BAD_SETS[name](tmp_path / name), domains[1]
    out = tmp_path / "out.npz"
    commands = [("train", "--domain-a", bad, "--domain-b", b, "--checkpoint-dir", out)]
    if name in list(BAD_SETS)[:4]:
        commands += [
            ("translate", "--model", exported, "--direction", "AB", "--input", bad, "--output", out),
            ("evaluate", "--source", bad, "--translated", b, "--target", b, "--json", out),
        ]
    for command in commands:
        assert name in refusal(capsys, *command)
    assert not out.exists()


TRANSLATE = "translate --model MODEL --input A --output OUT --direction"
SETS = "--domain-a A --domain-b B --checkpoint-dir OUT"
REFUSED = {
    f"{TRANSLATE} BC": "'BC' is unknown",
    f"{TRANSLATE} AB --model no_such": "no_such",
    f"{TRANSLATE} AB --output file/t.npz": "file",
    "inspect half.ckpt": "half.ckpt is damaged",
    "export --checkpoint half.ckpt --output-dir OUT": "half.ckpt is damaged",
    "export --checkpoint BEST --output-dir file/e": "file",
    f"train {SETS} --resume half.ckpt": "half.ckpt is damaged",
    f"train {SETS} --pairs file": "file is damaged or not an .npz file; write it with `Pairs.of",
    f"train {SETS} --checkpoint-dir file/c": "file",
    "train --seed -1": "'seed' cannot be -1",
    "train --accelerator tpu": "'tpu'",
    "evaluate --source A --translated A --target B --json file/j.json": "file",
    "simulate --output file/s": "file",
    "simulate --output OUT --train-recordings 1": "'train_recordings'",
    "extract no_such --device x --output OUT": "no_such",
    "extract empty --device x --output OUT": "empty",
    "extract noise --device x --output OUT": "a.wav",
}


@pytest.mark.parametrize("command", REFUSED)
def test_what_cannot_be_used_is_refused(command, domains, exported, trained, tmp_path, capsys, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise").mkdir()
    for name in ("file", "noise/a.wav"):
        (tmp_path / name).write_text("in the way", encoding="utf-8")
    (tmp_path / "half.ckpt").write_bytes(trained[0].best.read_bytes()[:9999])
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    paths = {"A": domains[0], "B": domains[1], "MODEL": exported, "BEST": trained[0].best, "OUT": "out.npz"}
    assert REFUSED[command] in refusal(capsys, *(paths.get(word, word) for word in command.split()))
    left = set(tmp_path.rglob("*")) - {tmp_path / "out.npz.report.csv"}  # of recordings that were refused
    assert left == before and (tmp_path / "file").read_text(encoding="utf-8") == "in the way"


def test_unknown_notebook_parameters_are_refused_before_anything_runs(domains, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT)
    before = set((PROJECT / "runs").glob("*"))
    a, b = domains
    for words, says in (
        (["-p", "max_epoch", "3"], "unknown notebook parameter 'max_epoch'"),
        (["-p", "max_epochs", "many"], "'max_epochs' must be int"),
        (["-p", "domain_a", tmp_path / "no.npz"], "no.npz does not exist"),
        (["-p", "domain_a", a, "-p", "domain_b", b], "need all of domain_a, domain_b, test_a, test_b"),
        (["-p", "max_epochs"], "a name and a value"),
        (["--parameter=max_epochs"], "a name and a value"),
        (["-pmax_epochs"], "a name and a value"),
    ):
        assert says in refusal(capsys, "run", *words)
    assert set((PROJECT / "runs").glob("*")) == before


def test_help_is_in_the_order_of_the_work_and_cuts_nothing_off(capsys):
    text = done(capsys, "--help").partition("\nOptions:")[2]
    assert "..." not in text and "…" not in text
    places = [text.index(f"\n  {name} ") for name in ("run", "extract", "train", "translate", "evaluate")]
    assert places == sorted(places) and "\nRecordings:\n" in text
    assert sorted(re.findall(r"^  ([a-z]+)  +[A-Z]", text, re.MULTILINE)) == sorted(SUBCOMMANDS)


def test_the_version_is_the_same_everywhere(capsys):
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    number = settings["project"]["version"]
    assert done(capsys, "--version") == f"cyclegan {number}\n"
    for name, line in {"CHANGELOG.md": f"## {number}", "CITATION.cff": f"version: {number}"}.items():
        assert line in (PROJECT / name).read_text(encoding="utf-8").splitlines()


def test_doctor_says_what_a_bug_report_needs(capsys, tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_data_normalization.ipynb").touch()
    monkeypatch.chdir(tmp_path)
    text = done(capsys, "doctor")
    assert f"torch {version('torch')}" in text and "cores" in text and "GB free" in text
    assert "data can be used by runs" in text
    make_set("cpc006").save(tmp_path / "data" / "cpc006.npz")
    assert "cpc006.npz is of recordings of your own" in done(capsys, "doctor")
    monkeypatch.setattr("cyclegan_lib.cli.diagnosis.OPTIONAL", {"x": ("no-such-package",)})
    assert "extra x: no-such-package missing" in done(capsys, "doctor")


def test_inspect_takes_sets_and_exported_folders_too(domains, exported, capsys):
    assert "features of cpc006: recordings 12; sequences 12" in done(capsys, "inspect", domains[0])
    assert "exported models: cpc006 (A) <-> BATCH_UPLOAD (B): epoch" in done(capsys, "inspect", exported)


@pytest.mark.parametrize(("given", "means"), [("ab", "AB"), ("BA", "BA"), ("x:y:x", "ABA"), ("y:x", "BA")])
def test_directions_are_letters_or_names(given, means):
    assert parse_direction(given, "x", "y") == means
    with pytest.raises(InputError, match="give AB .x to y., .* as in y:x"):
        parse_direction(f"{given}:", "x", "y")


def test_commands_end_with_the_next_one(domains, trained, exported, tmp_path, capsys):
    out = tmp_path / "ab.npz"
    given = [
        "--model",
        exported,
        "--direction",
        "cpc006:BATCH_UPLOAD",
        "--input",
        domains[0],
        "--output",
        out,
    ]
    last = done(capsys, "translate", *given).splitlines()[-1]
    assert last.startswith("next: cyclegan evaluate --source ") and str(out) in last
    folder = tmp_path / "model"
    last = done(capsys, "export", "--checkpoint", trained[0].best, "--output-dir", folder).splitlines()[-1]
    assert last.startswith(f"next: cyclegan translate --model {folder} --direction AB")
