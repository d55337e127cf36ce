"""README.md's own code, read from its text and run in its order, on tiny recordings with a tiny training."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import soundfile
from helpers import PROJECT, QUICK_OPTIONS, done, make_set, run_script
from sounds import record

from cyclegan_lib.export import distillation

TEXT = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
# `make` tests, or runs for minutes; the others take hours, or what `make test` runs elsewhere: of these it
# is asked here that their options are there
ONLY_ASKED = ("benchmark", "run", "sweep")


def commands(block: str) -> list[list[str]]:
    """The words of each command of a shell block, without comments."""
    lines = block.replace("\\\n", " ").replace(" && ", "\n").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


SHELL = [words for language, block in BLOCKS if language == "bash" for words in commands(block)]


def shown_by(words: list[str], capfd, monkeypatch) -> str:
    """Do what a command of README.md says; return what it prints."""
    program, *rest = words
    if program == "make":
        assert re.search(rf"^{rest[0]}:", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), (
            rest[0]
        )
    elif program == "cd":
        monkeypatch.chdir(*rest)
    elif program == "python":
        run_script(*rest, *(QUICK_OPTIONS if rest[0].endswith("train.py") else ()))
        return capfd.readouterr().out
    else:
        assert program == "cyclegan", f"nobody here knows how to run {program}"
        more = {name: ["--help"] for name in ONLY_ASKED} | {"train": QUICK_OPTIONS}
        return done(capfd, *rest, *(() if "--list-parameters" in rest else more.get(rest[0], ())))
    return ""


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project folder with recordings of both devices, and two sets that both heard at once."""
    names = [f"{device}/{device}-{i}.wav" for device in ("edge", "lab") for i in range(8)]
    record(*(tmp_path / "recordings" / name for name in names))
    rows = [f"lab-{i},{'ball' if i % 2 else 'normal'}" for i in range(8)]
    (tmp_path / "recordings" / "labels.csv").write_text(
        "\n".join(["recording,fault", *rows]), encoding="utf-8"
    )
    write_public_data(tmp_path)
    for name in ("both_a", "both_b"):
        make_set("one", n=4).save(tmp_path / "data" / f"{name}.npz")
    for name in ("notebooks", "scripts"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_public_data(folder: Path) -> None:
    """A recording or two as MAFAULDA, MIMII and CWRU have them, in their folders."""
    rng = np.random.default_rng(0)
    for name in ("normal/12.288.csv", "imbalance/6g/13.1072.csv"):
        path = folder / "mafaulda" / name
        path.parent.mkdir(parents=True)
        pd.DataFrame(rng.standard_normal((60_000, 8))).to_csv(path, header=False, index=False)
    for kind in ("normal", "abnormal"):
        path = folder / "6_dB" / "fan" / "id_00" / kind / "00000000.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, 0.1 * rng.standard_normal((32_000, 8)), 16000)
    sensors = {f"X118_{name}_time": rng.standard_normal((24_000, 1)) for name in ("DE", "FE")}
    (folder / "cwru").mkdir()
    scipy.io.savemat(folder / "cwru" / "118.mat", {**sensors, "X118RPM": [[1796]]})


def test_readme_s_code_runs_as_it_stands_there(project, quick_start, monkeypatch, capfd):
    assert len(SHELL) > 15
    shown = ""
    for language, block in BLOCKS:
        monkeypatch.chdir(project)
        for words in commands(block) if language == "bash" else []:
            shown += shown_by(words, capfd, monkeypatch)
        if language == "python":
            exec(compile(block, "README.md", "exec"), {})
    assert (project / "data" / "pairs.npz").exists() and (project / "result.json").exists()
    assert "(1, 50, 40) -> (1, 50, 40)" in shown  # what inference_example.py says
    assert not list((project / "exported_models").glob("discriminator*"))
    named = [words[i + 1] for words in SHELL for i, word in enumerate(words) if word == "-p"]
    assert named and all(re.search(rf"^\s*{name}\b", shown, re.MULTILINE) for name in named), shown


def test_the_files_that_readme_s_table_names_are_made(trained, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(distillation, "STEPS", 200)
    options = ["--create-inference-script", "--formats", "onnx,safetensors,edge", "--distilled", "--int8"]
    done(capfd, "export", "--checkpoint", trained[0].best, "--output-dir", tmp_path, *options)
    table = TEXT.split("| file | size | what |")[1].split("\n\n")[0]
    names = [name for line in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split("|")[1])]
    assert len(names) > 12 and names.pop(0) == "checkpoints/best.ckpt" and trained[0].best.name == "best.ckpt"
    assert [name for name in names if not list(tmp_path.glob(name))] == []


def test_every_option_in_readme_s_sentences_is_one_of_the_command_s(exported, capfd):
    known = (exported / "inference_example.py").read_text(encoding="utf-8")
    for name in {words[1] for words in SHELL if words[0] == "cyclegan"}:
        known += done(capfd, name, "--help")
    sentences = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    named = set(re.findall(r"--[a-z][\w-]+", " ".join(re.findall(r"`([^`]+)`", sentences))))
    assert len(named) > 10
    assert [name for name in sorted(named) if not re.search(rf"{name}\b", known)] == []
