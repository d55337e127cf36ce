"""What is written has names that Windows and macOS take."""

import sys

import numpy as np
import pytest
from helpers import make_set, refusal
from safety.paths import ODD, USUAL, listed

from cyclegan_lib.benchmark.cells import cell_path
from cyclegan_lib.benchmark.methods import METHODS
from cyclegan_lib.benchmark.pairs import PAIRS
from cyclegan_lib.errors import InputError
from cyclegan_lib.names import MAX_PATH, check_written, refused

elsewhere = pytest.mark.skipif(sys.platform == "win32", reason="Windows itself has no such names")


def test_names_that_every_system_takes_are_told_from_others():
    assert all(refused(name) for name in ODD)
    assert not any(refused(name) for name in USUAL)


@elsewhere
def test_only_what_is_made_is_checked(tmp_path):
    odd = tmp_path / "a: b?"
    odd.mkdir()
    check_written(odd)
    check_written(odd / "new" / ".." / "a.npz")
    for path in (odd / "c:" / "a.npz", odd / "aux.npz", odd / "a. " / "b"):
        with pytest.raises(InputError, match="on Windows"):
            check_written(path)


def test_names_that_differ_in_case_alone_are_one(tmp_path):
    (tmp_path / "Runs é").mkdir()
    if (tmp_path / "runs é").exists():
        pytest.skip("here the file system itself takes them for one")
    for path in (tmp_path / "runs é", tmp_path / "RUNS e\u0301" / "a.npz"):
        with pytest.raises(InputError, match="Runs é is there, which is the same name"):
            check_written(path)
    check_written(tmp_path / "Runs é")
    check_written(tmp_path / "Runs" / "a.npz")


def test_a_path_is_no_longer_than_windows_opens(tmp_path):
    room = MAX_PATH - len(str(tmp_path)) - 1
    check_written(tmp_path / ("x" * room))
    with pytest.raises(InputError, match=f"has {MAX_PATH + 1} characters"):
        check_written(tmp_path / ("x" * (room - 1) + "😀"))  # two of UTF-16, in which Windows counts


def test_names_that_the_library_gives_are_taken(tmp_path):
    for pair in PAIRS:
        for method in METHODS:
            check_written(cell_path(tmp_path, pair, 0, method))


@elsewhere
@pytest.mark.parametrize("name", ["nul{}", "a:{}", "A{}"])
def test_every_command_refuses_them_before_it_writes(
    name, domains, trained, exported, tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    labelled = make_set("BATCH_UPLOAD").save("b.npz")
    for file in ("a.npz", "a.csv", "a.json", "a"):
        (tmp_path / file).write_text("here", encoding="utf-8")
    np.savetxt("sound.csv", np.zeros(9000))
    npz, csv, json, folder = map(name.format, (".npz", ".csv", ".json", ""))
    before = listed(tmp_path)
    a, b = domains
    asked = ["--model", exported, "--input", a]
    for command in (
        ["extract", "sound.csv", "--device", "x", "--sample-rate-of-files", 8000, "--output", npz],
        ["split", a, "--output-dir", folder],
        ["train", "--domain-a", a, "--domain-b", b, "--checkpoint-dir", folder],
        ["export", "--checkpoint", trained[0].best, "--output-dir", folder],
        ["translate", "--direction", "AB", *asked, "--output", npz],
        ["translate", "--direction", "AB", *asked, "--output", "o.npz", "--report", csv],
        ["classify", *asked, "--train", labelled, "--output", csv],
        ["classify", *asked, "--train", labelled, "--output", "o.csv", "--save", npz],
        ["evaluate", "--source", a, "--translated", a, "--target", b, "--json", json],
        ["simulate", "--output", folder],
        ["benchmark", "--output", folder, "--pairs", "simulated"],
    ):
        sentence = refusal(capfd, *command)
        assert "cannot be written, because" in sentence and "on Windows" in sentence, sentence
        assert listed(tmp_path) == before
