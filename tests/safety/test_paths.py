"""Every command takes any path: it does what it does under plain names, and nothing lands elsewhere."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import QUICK_OPTIONS, done, refusal, run_script
from safety.paths import MAX_BYTES, NAMES, listed, named, written
from sounds import record

from cyclegan_lib import evaluation
from cyclegan_lib.benchmark import run as benchmark
from cyclegan_lib.benchmark.cells import Cell
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.extraction_report import report_path
from cyclegan_lib.files import remove_leftovers, replacing, temporary_name

PLAIN = "plain"
BYTES = NAMES["not UTF-8"]


@pytest.fixture(autouse=True, scope="module")
def quick(quick_start, domains):
    """Training starts anywhere, and an evaluation is computed once: neither looks at paths."""
    a, b = map(FeatureSet.load, domains)
    evaluated = evaluation.evaluate(a, a.with_features(a.features, b.device), b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "evaluate", lambda *sets, **options: evaluated)
        yield


@pytest.fixture
def inside(tmp_path, monkeypatch) -> Path:
    """The current folder, from which paths are relative: a name's first letter is the path's."""
    folder = tmp_path / "inside"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


def extracting(name: str, here: Path, capfd) -> dict[str, object]:
    """Extract recordings, with labels and a list of them where these can name them."""
    recordings, extracted = here / name, here / written(name, "-x.npz")
    names = [named(f"{i}{name}", ".wav") for i in range(2)]
    record(*(recordings / file for file in names))
    options = ["--device", "x", "--output", extracted]
    done(capfd, "extract", *options, "--", recordings)
    made = {"features": FeatureSet.load(extracted).features}
    if name != BYTES:  # tables of labels are UTF-8
        quoted = [file.replace('"', '""') for file in names]
        labels = "recording,fault\n" + "".join(f'"{file}",{i}\n' for i, file in enumerate(quoted))
        (here / named(name, ".csv")).write_text(labels, encoding="utf-8", newline="")
        options += ["--labels", here / named(name, ".csv")]
        if "\n" not in name:  # a list has a name on each line
            (here / named(name, ".txt")).write_text("\n".join(names), encoding="utf-8")
            options += ["--recordings-list", here / named(name, ".txt")]
        done(capfd, "extract", *options, "--", recordings)
        made["labels"] = FeatureSet.load(extracted).label.tolist()
    return made


def training(name: str, here: Path, trained: Path | None, domains, capfd) -> dict[str, object]:
    """Train, go on from the newest and from a named checkpoint, and look into it."""
    a, b = (here / named(name, end) for end in ("-a.npz", "-b.npz"))
    checkpoints = here / written(name, "-checkpoints")
    for source, target in zip(domains, (a, b), strict=True):
        shutil.copyfile(source, target)
    last = checkpoints / "cyclegan-last.ckpt"
    options = ["--domain-a", a, "--domain-b", b, "--checkpoint-dir", checkpoints, *QUICK_OPTIONS]
    if name == BYTES:
        assert "bytes in its name that are not UTF-8" in refusal(capfd, "train", *options)
        assert not checkpoints.exists()
        shutil.copytree(trained, checkpoints)
    else:
        done(capfd, "train", *options)
        done(capfd, "train", *options, "--max-epochs", 2, "--resume", "auto")
        done(capfd, "train", *options, "--max-epochs", 3, "--resume", last)
        assert list((checkpoints / "logs").glob("events*"))
    checkpoint = here / named(name, ".ckpt")
    shutil.copyfile(last, checkpoint)
    return {
        "weights": torch.load(checkpoint, weights_only=True)["state_dict"],
        # between the line that names the checkpoint and the one that says what to do with it
        "inspected": done(capfd, "inspect", "--", checkpoint).splitlines()[1:-1],
    }


def using(name: str, here: Path, capfd) -> dict[str, object]:
    """Export, twice to the same folder; translate in three ways; evaluate."""
    checkpoint, a, b = (here / named(name, end) for end in (".ckpt", "-a.npz", "-b.npz"))
    ends = ("-model", "-ab.npz", "-script.npz", "-heard.npz", ".json")
    model, ab, script, heard, result = (here / written(name, end) for end in ends)
    for _ in range(2):
        given = ["--checkpoint", checkpoint, "--output-dir", model, "--formats", "safetensors"]
        done(capfd, "export", *given, "--create-inference-script")
    given = ["--model", model, "--direction", "AB"]
    done(capfd, "translate", *given, "--input", a, "--output", ab)
    done(capfd, "translate", *given, "--input", here / name, "--output", heard)
    run_script(model / "inference_example.py", f"--input={a}", f"--output={script}")
    done(capfd, "evaluate", "--source", a, "--translated", ab, "--target", b, "--json", result)
    return {
        "exported": {path.name: path.read_bytes() for path in model.iterdir()},
        "translated": FeatureSet.load(ab).features,
        "heard": FeatureSet.load(heard).features,
        "by the script": np.load(script)["features"],
        "evaluation": result.read_bytes(),
    }


def chain(name: str, trained: Path | None, domains, capfd) -> dict[str, object]:
    """All of these, with every path below and called `name`, and no other path made.

    What commands write has a plain name instead where they refuse it, and a shorter one.
    """
    here = Path(name[:60])
    made = extracting(name, here, capfd)
    made |= training(name, here, trained, domains, capfd)
    made |= using(name, here, capfd)
    given = {named(name, end) for end in (".csv", ".txt", ".ckpt", "-a.npz", "-b.npz")}
    ends = [".json", "-checkpoints", "-model", *(f"-{end}.npz" for end in ("x", "ab", "script", "heard"))]
    reports = {report_path(written(name, f"-{end}.npz")).name for end in ("x", "heard")}
    expected = {name, *given, *reports, *(written(name, end) for end in ends)}
    assert {path.name for path in here.iterdir()} <= expected
    assert not any(".part" in path for path in listed(here))
    assert list(Path().iterdir()) == [here]
    return made


PLAINLY: dict[str, object] = {}  # what the chain makes under a plain name, once


FIRST = "spaces and quotes", "control characters", "not UTF-8", "longest"
KINDS = [kind if kind in FIRST else pytest.param(kind, marks=pytest.mark.slow) for kind in NAMES]


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_does_under_any_name_what_it_does_under_a_plain_one(
    kind, domains, inside, tmp_path, capfd
):
    if not PLAINLY:
        PLAINLY.update(chain(PLAIN, None, domains, capfd))
        PLAINLY["checkpoints"] = tmp_path / "checkpoints"
        shutil.move(Path(PLAIN, f"{PLAIN}-checkpoints"), PLAINLY["checkpoints"])
        shutil.rmtree(PLAIN)
    for key, value in chain(NAMES[kind], PLAINLY["checkpoints"], domains, capfd).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, PLAINLY[key], err_msg=key)
        elif key == "weights":
            assert all(torch.equal(tensor, PLAINLY[key][name]) for name, tensor in value.items())
        else:
            assert value == PLAINLY[key], key
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_onnx_is_written_under_a_name_that_is_not_utf8(trained, inside, capfd):
    folder = Path(BYTES, "model")
    folder.parent.mkdir()
    done(capfd, "export", "--checkpoint", trained[0].best, "--output-dir", folder, "--formats", "onnx")
    assert (folder / "generator_BA.onnx").exists()


@pytest.mark.parametrize("kind", ["patterns", "home", "control characters", "not UTF-8", "longest"])
def test_simulate_and_benchmark_write_below_any_folder(kind, inside, monkeypatch, capfd):
    name = NAMES[kind][:60]
    Path(name).mkdir()
    output = Path(name, "recordings")
    options = ["--train-recordings", 8, "--test-recordings", 8, "--seconds", 1, "--workers", 1]
    done(capfd, "simulate", "--output", output, *options)
    assert (output / "cpc006" / "train" / "cpc006-0001.wav").exists()
    assert "nothing to be done" in done(capfd, "simulate", "--output", output, *options)

    def cells(output, data, missing):
        (pair, seed), keys = missing
        for method, key in keys.items():
            cell = Cell(pair, seed, method, {"nmse": 0.5})
            cell.save(output, key)
            yield cell

    monkeypatch.setattr(benchmark, "_cells", cells)
    results = Path(name, "results")
    given = ["benchmark", "--output", results, "--pairs", "simulated", "--seeds", 0, "--methods", "CORAL"]
    done(capfd, *given)
    monkeypatch.setattr(benchmark, "_cells", pytest.fail)
    done(capfd, *given)  # it is all there
    assert listed(results) >= {"benchmark.json", "benchmark.md", "benchmark.png", "cells"}
    assert [path.name for path in Path().iterdir()] == [name]


@pytest.mark.parametrize("kind", NAMES)
def test_a_sentence_names_what_is_missing_in_one_line_that_can_be_read(kind, inside, domains, capfd):
    missing = Path(named(NAMES[kind], ".npz"))
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(missing))
    given = ["--model", "m", "--direction", "AB", "--output", "o.npz"]
    commands = [
        ("train", "--domain-a", missing, "--domain-b", domains[1]),
        ("export", "--checkpoint", missing),
        ("inspect", "--", missing),
        ("evaluate", "--source", missing, "--translated", missing, "--target", missing),
        ("sweep", "--", missing),
        ("compare", "--", missing),
        ("translate", *given, "--input", missing, "--model", missing),
        ("extract", "--device", "x", "--output", "o.npz", "--", missing),
    ]
    for command in commands:
        assert shown in refusal(capfd, *command)
    assert not list(inside.iterdir())


@pytest.mark.parametrize("suffix", [".npz", ".json", "", "." + "s" * 250])
def test_temporary_names_are_hidden_and_no_longer_than_a_name_can_be(suffix, tmp_path):
    for kind, name in NAMES.items():
        part = temporary_name(tmp_path / named(name, suffix))
        part.write_text(kind, encoding="utf-8")
        assert part.name.startswith(".") and len(os.fsencode(part.name)) <= MAX_BYTES
        assert part.suffix == (suffix if 0 < len(suffix) < 9 else ".part")
    with pytest.raises(InputError, match="its whole path has [0-9]+ characters, and Windows takes"):
        with replacing(tmp_path / ("x" * (MAX_BYTES + 1))):
            pass


def test_a_link_is_replaced_and_the_file_behind_it_is_kept(tmp_path):
    behind, link, nowhere = (tmp_path / name for name in ("behind.txt", "link.txt", "nowhere.txt"))
    behind.write_text("kept", encoding="utf-8")
    link.symlink_to(behind)
    nowhere.symlink_to(tmp_path / "missing.txt")
    for path in (link, nowhere):
        with replacing(path) as part:
            part.write_text("new", encoding="utf-8")
        assert not path.is_symlink() and path.read_text(encoding="utf-8") == "new"
    assert behind.read_text(encoding="utf-8") == "kept" and not (tmp_path / "missing.txt").exists()


def test_only_temporary_files_of_ones_own_are_removed(tmp_path):
    gone = 2**22 - 1  # no system numbers so many processes
    others = {f".film.{gone}.part", f".a.{gone}.part.npz", ".best.part.ckpt"}
    others |= {f".best.{os.getppid()}.part.ckpt"}  # of a process that lives
    for name in (f".best.{gone}.part.ckpt", f".a\nb.{gone}.part.ckpt", *others):
        (tmp_path / name).write_text("x", encoding="utf-8")
    remove_leftovers(tmp_path, "*.ckpt")
    assert listed(tmp_path) == others


def test_names_that_differ_by_spaces_have_their_own_labels_and_lines(inside, capfd):
    record(*(Path("r", f"{name}.wav") for name in ("a", " a", "a ", "b")))
    Path("l.csv").write_text("recording,fault\na,x\n a,y\na ,z\n b , v\n", encoding="utf-8")
    Path("l.txt").write_text(" a\n  b \na.wav\na \n", encoding="utf-8")
    options = ["--labels", "l.csv", "--recordings-list", "l.txt"]
    done(capfd, "extract", "r", "--device", "d", "--output", "o.npz", *options)
    features = FeatureSet.load("o.npz")
    assert features.recording.tolist() == [" a", "b", "a", "a "]
    assert features.label.tolist() == ["y", "v", "x", "z"]


@pytest.mark.parametrize(
    "line", ["sub/../a", "../r/a.wav", "./a", "{here}/r/a", "sub//../a.wav", r".\a.wav", r"sub\..\a"]
)
def test_a_listed_recording_has_one_name_however_the_list_says_it(line, inside, capfd):
    Path("r/sub").mkdir(parents=True)
    record(Path("r/a.wav"))
    given = ["extract", "r", "--device", "d", "--output", "o.npz", "--recordings-list", "l.txt"]
    Path("l.txt").write_text(line.format(here=inside), encoding="utf-8")
    done(capfd, *given)
    assert FeatureSet.load("o.npz", least=1).recording.tolist() == ["a"]
    Path("l.txt").write_text(f"a\n{line.format(here=inside)}", encoding="utf-8")
    assert "r/a.wav is listed twice" in refusal(capfd, *given)
    for outside in ("../l.txt", r"..\l.txt", "{here}/l.txt"):
        Path("l.txt").write_text(outside.format(here=inside), encoding="utf-8")
        assert "lies outside r" in refusal(capfd, *given)
