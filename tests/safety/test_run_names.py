"""Runs, sweeps and the exported script: names stay inside runs/, and paths reach notebooks as they are."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import done, make_set, refusal, run_script, write_notebook
from safety.paths import MAX_BYTES, NAMES, contents, listed, named

from cyclegan_lib.features import FeatureSet
from cyclegan_lib.names import folded
from cyclegan_lib.runs.parameters import notebooks_of
from cyclegan_lib.runs.run import MAX_NAME
from cyclegan_lib.runs.sweep import runs_of
from cyclegan_lib.runs.sweep_file import read_sweep

SETS = ("domain_a", "domain_b", "test_a", "test_b")
PARAMETERS = 'run_dir: str = ""\ndata_dir: str = ""\ntrain_recordings: int = 240\n'
PARAMETERS += "".join(f'{name}: str = ""  # file: a feature set\n' for name in SETS)
LOOK = f"""
import json
from cyclegan_lib.workspace import Workspace

work = Workspace.open(globals())
given = [{", ".join(SETS)}, str(work.data), str(work.run)]
(work.run / "given.json").write_text(json.dumps(given))
"""
REFUSED = ["..", ".", "../up", "a/b", "a/", "/srv/x", "~/x", ".hidden", " ", " a", "a ", "a\nb", "a\0b"]
REFUSED += ["a\x1b[31m", "a\u2028b", "caf\udce9"]
REFUSED += ["CON", "aux.txt", "a:b", "a?", "a*", "a\\b", "a.", 'a"b', "a<b"]
REFUSED += ["x" * (MAX_NAME + 1), "é" * (MAX_NAME // 2 + 1)]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with one notebook that writes down what it was given; all in a folder of a difficult name."""
    folder = tmp_path / NAMES["patterns"] / NAMES["shell"]
    write_notebook(folder / "notebooks" / "01_data_normalization.ipynb", PARAMETERS, LOOK)
    monkeypatch.chdir(folder)
    return folder


def given(paths) -> list[str]:
    return [part for name, path in zip(SETS, paths, strict=True) for part in ("-p", name, str(path))]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("ünï 'so' 日本 {0}%s", ("spaces and quotes", "unicode", "patterns", "shell")),
        pytest.param("-dash $HOME [x];&", ("home", "dash", "protocols", "longest"), marks=pytest.mark.slow),
        pytest.param("short", ("longest in bytes", "unicode", "patterns", "longest"), marks=pytest.mark.slow),
    ],
    ids=["quotes", "patterns", "longest"],
)
def test_names_and_paths_reach_a_notebook_as_they_are(name, kinds, project, capfd):
    paths = [Path(named(NAMES[kind], ".npz")) for kind in kinds]
    for path, device in zip(paths, ("cpc006", "BATCH_UPLOAD") * 2, strict=True):
        make_set(device, n=8).save("plain.npz").rename(path)
    data = named(NAMES["unicode"], "-data")
    done(capfd, "run", "--name", name, *given(paths), "-p", "data_dir", data)
    (folder,) = Path("runs").iterdir()
    assert folder.name == name
    wanted = [str(project / path) for path in (*paths, data, Path("runs", name))]
    assert json.loads((folder / "given.json").read_text(encoding="utf-8")) == wanted
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["given"]["domain_a"] == wanted[0]
    assert (folder / "report.html").exists()
    done(capfd, "run", "--name", name, "--resume")
    assert {path.name for path in project.iterdir()} == {"notebooks", "runs", *map(str, paths)}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", ["run", "run --resume", "sweep s.yml"])
def test_names_that_would_leave_runs_are_refused(command, name, project, capfd):
    Path("s.yml").write_text(text := "grid: {train_recordings: [8, 9]}", encoding="utf-8")
    Path("named.yml").write_text(f"{text}\nname: {json.dumps(name)}", encoding="utf-8")
    before = contents(project.parent)
    sentence = refusal(capfd, *command.split(), "--name", name)
    assert "must be a plain folder name" in sentence or "on Windows" in sentence
    refusal(capfd, "sweep", "named.yml")
    assert contents(project.parent) == before and not Path("runs").exists()


def test_a_run_that_has_such_a_name_is_gone_on_with_and_not_set_aside(project, capfd):
    done(capfd, "run", "--name", "ab")
    Path("runs/ab").rename("runs/a:b")
    done(capfd, "run", "--name", "a:b", "--resume")
    before = contents(project)
    assert "none of <" in refusal(capfd, "run", "--name", "a:b")
    assert contents(project) == before
    Path("runs/a:b").rename("runs/ab")
    assert "ab is there, which is the same name" in refusal(capfd, "run", "--name", "AB")


@pytest.mark.parametrize("kind", ["control characters", "not UTF-8"])
def test_what_records_cannot_hold_is_refused(kind, project, tmp_path, monkeypatch, capfd):
    name = NAMES[kind]
    Path(name).write_text("a set", encoding="utf-8")
    assert "'domain_a' must be one line of text" in refusal(capfd, "run", "-p", "domain_a", name)
    Path(f"{name}-folder").mkdir()
    monkeypatch.chdir(f"{name}-folder")
    Path("a.npz").write_text("a set", encoding="utf-8")
    assert "'domain_a' must be one line of text" in refusal(capfd, "run", *given(["a.npz"] * 4))
    shutil.copytree(project, tmp_path / name)
    monkeypatch.chdir(tmp_path / name)
    for command in (("run",), ("sweep", "s.yml")):
        assert "rename it" in refusal(capfd, *command)
    assert not Path("runs").exists()


def test_a_run_does_not_set_its_own_inputs_aside(project, capfd):
    old = Path("runs", "one")
    old.mkdir(parents=True)
    (old / "x.npz").write_text("a set", encoding="utf-8")
    Path("link.npz").symlink_to(project / "runs" / "one" / "x.npz")
    before = contents(project)
    for path in ("runs/one/x.npz", "link.npz", "runs/../runs/one/x.npz"):
        sentence = refusal(capfd, "run", "--name", "one", *given([path] * 4))
        assert path.rsplit("/", 1)[-1] in sentence and "sets aside" in sentence
    assert "sets aside" in refusal(capfd, "run", "--name", "one", "-p", "data_dir", "runs/one/data")
    assert contents(project) == before


def test_simulated_recordings_never_replace_ones_own(project, capfd):
    for name, part in (("cpc006", ""), ("BATCH_UPLOAD", ""), ("BATCH_UPLOAD", "_test")):
        # its recordings are called cpc006-000, which simulated ones are not
        make_set(name).save(Path("data", f"{name}{part}.npz"))
        before = contents(project)
        Path("s.yml").write_text(
            "grid: {train_recordings: [8]}\nparameters: {data_dir: data}", encoding="utf-8"
        )
        for command in (("run", "--name", "n"), ("sweep", "s.yml"), ("run", "-p", "data_dir", "./data")):
            assert f"{name}{part}.npz is of recordings of your own" in refusal(capfd, *command)
        Path("s.yml").unlink()
        assert contents(project) == before
        Path("data", f"{name}{part}.npz").unlink()
    numbers = [f"cpc006-{i:04d}" for i in range(1, 13)]
    simulated = make_set("cpc006")
    FeatureSet(simulated.features, np.array(numbers), simulated.start_s, "cpc006").save("data/cpc006.npz")
    done(capfd, "run", "--name", "n")


def test_folders_of_a_sweep_are_no_longer_than_names_can_be(project):
    paths = [named(f"{i}{NAMES['longest in bytes']}", ".npz") for i in range(3)]
    paths += ["0ü.npz", "0,ü.npz", "0-ü.npz", "0Ü.npz", "..npz"]
    for path in paths:
        Path(path).write_text("a set", encoding="utf-8")
    fixed = {name: paths[0] for name in SETS[1:]}
    Path("s.yml").write_text(json.dumps({"parameters": fixed, "grid": {"domain_a": paths}}), encoding="utf-8")
    notebooks = notebooks_of(project)
    runs = runs_of(read_sweep("s.yml", notebooks), project / "runs" / "s", notebooks, "")
    names = {run.folder.name for run in runs}
    assert len(set(map(folded, names))) == len(paths) and all(
        len(os.fsencode(name)) <= MAX_BYTES for name in names
    )
    assert all(run.folder.parent == project / "runs" / "s" for run in runs)


def test_the_exported_script_overwrites_nothing_of_its_folder(exported, tmp_path, capfd):
    model = Path(shutil.copytree(exported, tmp_path / "model"))
    source = make_set("cpc006").save(tmp_path / "in.npz")
    (tmp_path / "link.npz").symlink_to(source)
    (tmp_path / "weights.npz").hardlink_to(model / "generator_AB.pth")
    before = contents(tmp_path)
    long = "x" * (MAX_BYTES + 1) + ".npz"
    outputs = [source, tmp_path / "link.npz", tmp_path / "model/../in.npz", tmp_path / "weights.npz"]
    outputs += [model / "example_A.npy", model / "example_B.npy", tmp_path / long, model / "new\nline/x.npy"]
    for i, output in enumerate(outputs):
        with pytest.raises(SystemExit, match="2"):
            run_script(model / "inference_example.py", f"--input={source}", f"--output={output}")
        (sentence,) = capfd.readouterr().err.splitlines()
        assert ("would be overwritten" if i < 6 else "cannot be written") in sentence
    assert "new\\nline" in sentence
    assert contents(tmp_path) == before and not any(".part" in path for path in listed(tmp_path))
