"""A console of any encoding shows what commands print, or other letters in its place."""

import os
import subprocess
import sys

import pytest
from sounds import record

# one after the other, some of the recordings in another process; what is missing is refused
COMMANDS = """
import sys
from cyclegan_lib.cli import main

model, a, b, checkpoint = sys.argv[1:]
translate = ["translate", "--model", model, "--direction", "AB", "--input", a, "--output"]
for command in (
    ["train", "--help"],
    ["extract", ".", "--device", "录音 ±é", "--output", "机.npz", "--workers", "2"],
    ["check", "机.npz", b],
    ["inspect", checkpoint],
    [*translate, "译 ø.npz"],
    ["evaluate", "--source", a, "--translated", "译 ø.npz", "--target", b],
    [*translate, "译.npz", "--model", "没有 ±"],
):
    code = main(command)
    assert code == (2 if "没有 ±" in command else 0), command
"""


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp936", "cp950", "ascii"])
def test_nothing_fails_at_letters_that_a_console_lacks(encoding, domains, trained, exported, tmp_path):
    folder = tmp_path / "录音 → ☃"
    record(*(folder / f"{letter}.wav" for letter in ("甲", "ö", "½", "😀")))
    script = tmp_path / "commands.py"
    script.write_text(COMMANDS, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, script, exported, *domains, trained[0].best],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
    )
    said, warned = (text.decode(encoding) for text in (ended.stdout, ended.stderr))
    assert ended.returncode == 0 and "Traceback" not in warned, warned
    assert "100%|" in warned  # bars
    lacking = "录音 ±é".encode(encoding, "backslashreplace").decode(encoding)
    assert f"device {lacking} " in " ".join(said.split())
    assert "NMSE" in said or "sliced W" in said
