"""`python scripts/setup.py` does what `make` does, and make calls it."""

import importlib.util
import os
import signal
import subprocess
import sys

import pytest
from helpers import PROJECT

SCRIPT = importlib.util.spec_from_file_location("setup", PROJECT / "scripts" / "setup.py")
setup = importlib.util.module_from_spec(SCRIPT)
SCRIPT.loader.exec_module(setup)


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Run a job with an environment in a new folder; what it would run there."""
    commands, codes = [], {}

    def recorded(*command, may_fail=False):
        (tmp_path / "venv").mkdir(exist_ok=True)
        commands.append(
            [str(part).replace(str(setup.python_of(tmp_path / "venv")), "python") for part in command]
        )
        return codes.get(commands[-1][2], 0)

    def run(job: str, **failing: int) -> list[list[str]]:
        commands.clear()
        codes.update(failing)
        monkeypatch.setattr(sys, "argv", ["setup.py", job, "--venv", str(tmp_path / "venv")])
        setup.main()
        return list(commands)

    monkeypatch.setattr(setup, "run", recorded)
    return run


def test_the_environment_is_made_once_torch_first_and_the_job_is_done_in_it(ran, tmp_path):
    pip = ["python", "-m", "pip", "install", "--quiet", "--no-compile"]
    made, first, rest, *job = ran("demo")
    assert made == [sys.executable, "-m", "venv", str(tmp_path / "venv")]
    exact = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert first[:-2] == pip and [version.partition("==")[0] for version in first[-2:]] == ["torch", "uv"]
    assert set(first[-2:]) <= {line.split()[0] for line in exact if line}
    wanted = ["-c", "constraints.txt", "-e", ".[dev]"]
    assert rest == ["python", "-m", "uv", "pip", "install", "--quiet", "--python", "python", *wanted]
    assert ran("demo") == job
    assert [command[1:4] for command in job] == [["-m", "cyclegan_lib", word] for word in ("simulate", "run")]
    (tests,) = ran("test")
    assert tests[:3] == ["python", "-m", "pytest"] and tests[-2:] == ["-m", "not slow"]
    assert ran("env") == []
    os.utime(tmp_path / "venv" / ".installed", (0, 0))  # older than constraints.txt
    assert len(ran("env")) == 3
    os.utime(tmp_path / "venv" / ".installed", (0, 0))
    assert ran("env", uv=2)[-2:] == [rest, [*pip, *wanted]]


def test_make_calls_it():
    for job in setup.JOBS:
        command = ["make", "--no-print-directory", "--dry-run", "PYTHON=python3", "VENV=nowhere", job]
        said = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8").stdout.splitlines()
        assert said[0] == "python3 scripts/setup.py --venv nowhere env"
        assert said[1:] == (
            [f"nowhere/bin/python scripts/setup.py --venv nowhere {job}"] if job != "env" else []
        )


def test_an_old_python_is_told_so(ran, monkeypatch, capsys):
    monkeypatch.setattr(setup, "OLDEST", (99,))
    with pytest.raises(SystemExit) as end:
        ran("env")
    assert end.value.code == 2 and "is older than Python 3.11" in capsys.readouterr().err


def test_it_ends_as_what_it_runs():
    setup.run(sys.executable, "-c", "")
    with pytest.raises(SystemExit) as end:
        setup.run(sys.executable, "-c", "exit(3)")
    assert end.value.code == 3


def test_what_it_runs_is_shown_wherever_that_goes():
    code = "import setup, sys; setup.run(sys.executable, '-c', '', '录音')"
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "scripts"), "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True)
    assert ended.stdout.rstrip().endswith(rb"\u5f55\u97f3")


SAVING = """
import signal, sys, time

def save(*given):
    time.sleep(0.5)
    sys.exit(7)

signal.signal({number}, save)
print("there", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT goes to all processes of a console, this one too")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_it_runs_may_save_before_it_ends(number, tmp_path):
    code = f"import setup, sys; setup.run(sys.executable, '-c', {SAVING.format(number=int(number))!r})"
    command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": str(PROJECT / "scripts")}
    given = {"stdout": subprocess.PIPE, "encoding": "utf-8", "env": environment, "start_new_session": True}
    with subprocess.Popen(command, **given) as process:
        assert any(line == "there\n" for line in process.stdout)
        if number == signal.SIGINT:  # as a terminal does
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.wait(30) == 7
