"""No command overwrites one of its inputs, or what is not its own: it refuses, and every byte stays."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import QUICK_OPTIONS, done, make_set, refusal
from safety.paths import MAX_BYTES, contents
from sounds import record

from cyclegan_lib.benchmark import run as benchmark
from cyclegan_lib.features import FeatureSet, Pairs

LAST = "cyclegan-last.ckpt"
WRITTEN = ("normalization_params.json", "metrics.csv", "best.ckpt", LAST, "logs/x.npz")
SAME = ("itself", "symbolic link", "hard link", "by way of ..")
SETS = ["--domain-a", "a.npz", "--domain-b", "b.npz"]
RUN = ["train", *SETS, *QUICK_OPTIONS, "--checkpoint-dir", "run"]
EVALUATE = ["evaluate", "--source", "a.npz", "--translated", "a.npz", "--target", "b.npz", "--json"]
pytestmark = pytest.mark.usefixtures("quick_start")
same = pytest.mark.parametrize("kind", SAME)


@pytest.fixture
def here(domains, tmp_path, monkeypatch) -> Path:
    """The current folder, with feature sets of both devices and a folder of recordings."""
    folder = tmp_path / "here"
    record(*(folder / "recordings" / f"{name}.wav" for name in ("one", "two")))
    for name, source in zip("ab", domains, strict=True):
        shutil.copyfile(source, folder / f"{name}.npz")
    monkeypatch.chdir(folder)
    return folder


def also(path: str | Path, kind: str, suffix: str = "") -> Path:
    """Another path to a file (with this suffix, where it may have a name of its own)."""
    path = Path(path)
    other = Path(f"other{suffix or path.suffix}")
    if kind == "symbolic link":
        other.symlink_to(path.absolute())
    elif kind == "hard link":
        other.hardlink_to(path)
    else:
        return path if kind == "itself" else path.parent / ".." / path.absolute().parent.name / path.name
    return other


def keeps_all(capfd, folder: Path, output: str | Path, *command, says: str = "would be overwritten") -> None:
    """See a command refuse in a sentence that names `output`, and leave every file as it is."""
    before = contents(folder)
    sentence = refusal(capfd, *command)
    assert str(output) in sentence and says in sentence, sentence
    assert contents(folder) == before


@same
@pytest.mark.parametrize("which", ["a recording", "the only recording", "labels", "list"])
def test_extract(which, kind, here, capfd):
    Path("labels.npz").write_text("recording,fault\none,x\ntwo,y\n", encoding="utf-8")
    Path("list.npz").write_text("one\n", encoding="utf-8")
    source, read = Path("recordings"), Path(f"{which}.npz")
    if which.endswith("recording"):
        read = source / "one.wav"
        if kind in ("itself", "by way of .."):  # only a file that is called .npz can be meant
            read = read.rename(source / "one.npz")
        source = source if which == "a recording" and read.suffix == ".wav" else read
    output = also(read, kind, ".npz")
    options = ["--labels", "labels.npz", "--recordings-list", "list.npz"] if source.is_dir() else []
    keeps_all(capfd, here, output, "extract", source, "--device", "x", "--output", output, *options)


@same
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".json"])
def test_translate(suffix, kind, exported, here, capfd):
    source = Path(f"in{suffix}")
    shutil.copyfile("a.npz", source)
    if suffix != ".npz":
        features = FeatureSet.load("a.npz").features[:2]
        np.save("in.npy", features)
        Path("in.json").write_text(json.dumps(features.tolist()), encoding="utf-8")
    command = ["translate", "--model", exported, "--direction", "AB", "--input"]
    output = also(source, kind, ".npz")
    says = "would be overwritten" if output.suffix in (".npz", ".json") else "must end in .npz"
    keeps_all(capfd, here, output, *command, source, "--output", output, says=says)
    link = also("recordings/two.wav", "symbolic link", "-two.npz")
    keeps_all(capfd, here, link, *command, "recordings", "--output", link)


@same
@pytest.mark.parametrize("option", ["source", "target", "paired", "labelled", "fit-source", "fit-target"])
def test_evaluate(option, kind, here, capfd):
    Path("in.json").write_text(json.dumps(FeatureSet.load("a.npz").features[:2].tolist()), encoding="utf-8")
    output = also("in.json", kind)
    keeps_all(capfd, here, output, *EVALUATE, output, f"--{option}", "in.json")


def test_evaluate_finds_out_at_once_that_its_output_cannot_be(here, exported, capfd):
    keeps_all(capfd, here, "recordings", *EVALUATE, "recordings", says="is a folder")
    long = "x" * (MAX_BYTES + 1)
    keeps_all(capfd, here, long, *EVALUATE, long, says="its whole path has")
    model = shutil.copytree(exported, "model")
    for name in ("model_config.json", "README.md"):
        keeps_all(capfd, here, name, *EVALUATE, Path(model, name), "--model", model)


@same
@pytest.mark.parametrize("name", WRITTEN)
def test_train_overwrites_and_moves_none_of_its_inputs(name, kind, here, trained, capfd):
    path = Path("run", name)
    path.parent.mkdir(parents=True)
    option = "--domain-a"
    if path.suffix == ".json":
        path.write_text(json.dumps(FeatureSet.load("a.npz").features.tolist()), encoding="utf-8")
    elif path.suffix == ".npz":
        shutil.copyfile("a.npz", path)
    else:
        Pairs.of(make_set("a", n=2), make_set("a", n=2)).save("pairs.npz").rename(path)
        option = "--pairs"
    keeps_all(capfd, here, path, *RUN, option, also(path, kind))
    if name in ("normalization_params.json", "metrics.csv"):
        shutil.copyfile(trained[0].last, path)
        keeps_all(capfd, here, path, *RUN, "--resume", path)


def test_train_sets_aside_what_it_did_not_write(here, capfd):
    Path("run").mkdir()
    mine = {"metrics.csv": "mine", "normalization_params.json": "{}", "note.txt": "mine"}
    for name, text in mine.items():
        Path("run", name).write_text(text, encoding="utf-8")
    done(capfd, *RUN)
    assert Path("run", "note.txt").read_text(encoding="utf-8") == mine.pop("note.txt")
    for name, text in mine.items():
        assert (
            Path("run", "earlier-1", name).read_text(encoding="utf-8")
            == text
            != Path("run", name).read_text(encoding="utf-8")
        )


def test_train_goes_on_from_a_link_to_a_checkpoint_in_its_folder(here, capfd):
    done(capfd, *RUN)
    Path("elsewhere").mkdir()
    Path("elsewhere", "link.ckpt").symlink_to(here / "run" / LAST)
    done(capfd, *RUN, "--max-epochs", 2, "--resume", "elsewhere/link.ckpt")
    assert not Path("run", "earlier-1").exists() and Path("elsewhere", "link.ckpt").is_symlink()


def test_train_does_not_write_into_exported_models(here, exported, capfd):
    shutil.copytree(exported, "model")
    keeps_all(capfd, here, "model", *RUN[:-1], "model", says="holds exported models")


@pytest.mark.parametrize("where", ["folder", "link", "symbolic link", "hard link"])
def test_export_overwrites_no_checkpoint(where, here, trained, exported, capfd):
    output = Path(shutil.copytree(trained[1], "checkpoints"))
    checkpoint, says = output / "best.ckpt", "is the folder of the checkpoint"
    if where == "link":
        output = also(output, "symbolic link")
    elif where != "folder":
        output, says = Path(shutil.copytree(exported, "model")), "would be overwritten"
        shutil.move(also(checkpoint, where), output / "generator_AB.pth")
    keeps_all(capfd, here, output, "export", "--checkpoint", checkpoint, "--output-dir", output, says=says)


@pytest.mark.parametrize("name", ["README.md", "models.py", "normalization_params.json", "model_config.json"])
def test_export_replaces_only_what_an_export_wrote(name, here, trained, capfd):
    Path("mine").mkdir()
    Path("mine", name).write_text("{}", encoding="utf-8")
    Path("mine", "note.txt").write_text("mine", encoding="utf-8")
    command = ["export", "--checkpoint", trained[0].best, "--output-dir", "mine"]
    keeps_all(capfd, here, f"mine/{name}", *command, says="is not of an earlier export")
    Path("mine", name).unlink()
    for _ in range(2):
        done(capfd, *command)
    assert Path("mine", "note.txt").read_text(encoding="utf-8") == "mine"


def test_export_does_not_take_the_current_folder_away(here, trained, exported, monkeypatch, capfd):
    shutil.copytree(exported, "model")
    monkeypatch.chdir("model")
    for output in (".", "../model"):
        command = ["export", "--checkpoint", trained[0].best, "--output-dir", output]
        keeps_all(capfd, here, here / "model", *command, says="holds the current folder")
        assert Path("generator_AB.pth").exists()


def test_simulate_leaves_recordings_of_others_alone(here, capfd):
    Path("recordings", "cpc006", "train").mkdir(parents=True)
    shutil.copyfile("recordings/one.wav", "recordings/cpc006/train/cpc006-0001.wav")
    options = ["--train-recordings", 8, "--test-recordings", 8, "--seconds", 1, "--workers", 1]
    command = ["simulate", "--output", "recordings", *options]
    keeps_all(capfd, here, "recordings", *command, says="never overwritten")
    for text in ("", "{}[", "download", '{"seconds": "x"}'):
        Path("recordings", ".incomplete").write_text(text, encoding="utf-8")
        keeps_all(capfd, here, ".incomplete", *command, says="is left as it is")
    Path("recordings", ".incomplete").unlink()
    Path("recordings", "simulation.json").write_text('{"mine": 1}', encoding="utf-8")
    keeps_all(capfd, here, "recordings", *command, says="other settings")
    keeps_all(capfd, here, "one.wav", "simulate", "--output", "recordings/one.wav", *options, says="one.wav")


def test_benchmark_writes_into_no_data_and_over_nobodys_files(here, monkeypatch, capfd):
    monkeypatch.setattr(benchmark.registry, "lacking", lambda names, data: {})
    command = ["benchmark", "--pairs", "sensors", "--data", ".", "--output"]
    Path("cwru", "fan_end").mkdir(parents=True)
    Path("link").symlink_to("cwru")
    for output in ("cwru/fan_end", "link/fan_end/results", "cwru/fan_end/../fan_end/x"):
        keeps_all(capfd, here, output, *command, output, says="which the benchmark reads")
    for name in ("benchmark.json", "benchmark.md", "benchmark.png"):
        Path(f"mine {name}").mkdir()
        Path(f"mine {name}", name).write_text("mine", encoding="utf-8")
        keeps_all(capfd, here, name, *command, f"mine {name}", says="would be replaced")


@same
def test_listen(kind, here, exported, capfd):
    output = also("recordings/one.wav", kind)
    command = ["listen", "--model", exported, "--input", "recordings/one.wav", "--output", output]
    keeps_all(capfd, here, output, *command, says="exists, and may be a recording")
    Path("dangling.wav").symlink_to("nowhere.wav")
    command[-1] = "dangling.wav"
    keeps_all(capfd, here, "dangling.wav", *command, says="exists, and may be a recording")


def test_links_that_lead_in_a_circle_are_refused_in_a_sentence(here, trained, exported, capfd):
    Path("x").symlink_to("y")
    Path("y").symlink_to("x")
    for command in (
        ["inspect", "x"],
        ["train", *SETS, "--resume", "x"],
        [*RUN[:-1], "x"],
        ["export", "--checkpoint", trained[0].best, "--output-dir", "x"],
        ["translate", "--model", exported, "--direction", "AB", "--input", "x", "--output", "z.npz"],
        ["listen", "--model", exported, "--input", "x", "--output", "z.wav"],
        ["evaluate", "--source", "a.npz", "--translated", "a.npz", "--target", "x"],
        ["extract", "x", "--device", "d", "--output", "z.npz"],
        ["simulate", "--output", "x"],
        ["sweep", "x"],
        ["compare", "x"],
    ):
        keeps_all(capfd, here, "x", *command, says="x ")
