"""Ruff checks and formats notebooks, library and tests; documents name what there is."""

import re
import subprocess
import sys

import pytest
from helpers import PROJECT, write_notebook

RUFF = [sys.executable, "-m", "ruff"]
CHECK, FORMAT = ["check", "--no-cache"], ["format", "--check", "--no-cache"]


def ruff(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([*RUFF, *arguments], capture_output=True, encoding="utf-8", cwd=PROJECT)


@pytest.mark.parametrize("command", [CHECK, FORMAT], ids=["check", "format"])
def test_everything_is_checked_and_formatted(command):
    done = ruff(*command, ".")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_ruff_looks_at_notebooks_library_and_tests():
    seen = set(ruff("check", "--show-files", ".").stdout.splitlines())
    notebooks = [*(PROJECT / "notebooks").glob("*.ipynb")]
    assert len(notebooks) == 6
    folders = (PROJECT / name for name in ("cyclegan_lib", "tests", "scripts"))
    sources = [path for folder in folders for path in folder.rglob("*.py")]
    assert not set(map(str, notebooks + sources)) - seen


BAD = [
    (CHECK, "import os", "unused-import"),
    (CHECK, "x = " + "'a'" * 60, "line-too-long"),
    (FORMAT, "x = [ 1 ]", "reformat"),
]


@pytest.mark.parametrize(("command", "source", "said"), BAD, ids=["unused import", "long line", "format"])
def test_ruff_fails_on_a_cell(command, source, said, tmp_path):
    # the project's own settings, on a notebook that is not the project's
    notebook = write_notebook(tmp_path / "bad.ipynb", source)
    done = ruff(*command, "--config", str(PROJECT / "pyproject.toml"), str(notebook))
    assert done.returncode == 1
    assert all(words in done.stdout + done.stderr for words in (said, "bad.ipynb"))


def test_documents_name_files_that_there_are():
    """Tests, benchmarks and sources in README.md and docs/: what is said there can be looked up."""
    documents = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    text = "".join(document.read_text(encoding="utf-8") for document in documents)
    named = set(re.findall(r"`((?:tests|benchmarks|cyclegan_lib|docs)/[\w/]+\.\w+)`", text))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (PROJECT / name).exists()] == []
