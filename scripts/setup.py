"""Set up everything on a fresh machine, with nothing but Python: the environment, then a job in it.

    python scripts/setup.py env     # .venv with the exact versions of constraints.txt
    python scripts/setup.py demo    # then simulate both devices, run the notebooks, print the result
    python scripts/setup.py test    # then the tests, notebooks included; all but the slow ones

`make env`, `make demo` and `make test` call it. When the versions have changed, they are installed again.
"""

import argparse
import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
VERSIONS = ("pyproject.toml", "constraints.txt")
JOBS = {
    "env": [],
    "demo": [
        ["-m", "cyclegan_lib", "simulate", "--output", "data/recordings"],
        ["-m", "cyclegan_lib", "run", "--name", "demo"],
    ],
    # nbval, which tests start by themselves, takes a second to load, in each process
    "test": [["-m", "pytest", "-n", "2", "-p", "no:nbval", "--durations", "10", "-m", "not slow"]],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--venv", type=Path, default=PROJECT / ".venv", help="the environment's folder")
    given = parser.parse_args()
    venv = given.venv.absolute()
    stamp = venv / ".installed"
    if not stamp.exists() or any(changed(PROJECT / name, stamp) for name in VERSIONS):
        install(venv)
        stamp.touch()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it each process would compile all that it imports
    if given.job == "test":  # text that is opened without saying its encoding fails a test
        os.environ["PYTHONWARNDEFAULTENCODING"] = "1"
    for command in JOBS[given.job]:
        run(python_of(venv), *command)


def changed(path, stamp):
    return path.stat().st_mtime > stamp.stat().st_mtime


def install(venv):
    if sys.version_info < OLDEST:
        print(
            f"{sys.executable} is older than Python 3.11; run this with a newer one"
            " (make PYTHON=/path/to/python3.11)",
            file=sys.stderr,
        )
        sys.exit(2)
    if Path(sys.prefix) != venv:  # Windows does not replace a Python that runs
        run(sys.executable, "-m", "venv", venv)
    # what is imported is compiled then; all that is installed would take a third as long again
    pip = [python_of(venv), "-m", "pip", "install", "--quiet", "--no-compile"]
    # torch comes first: whatever depends on it then finds it there, CPU or CUDA build alike
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    run(*pip, *(line.split()[0] for line in lines if line.startswith(("torch==", "uv=="))))
    # uv installs the rest in a third of pip's time, but does not read pip's settings, which may name a mirror
    uv = [python_of(venv), "-m", "uv", "pip", "install", "--quiet", "--python", python_of(venv)]
    rest = ["-c", "constraints.txt", "-e", ".[dev]"]
    if run(*uv, *rest, may_fail=True):
        run(*pip, *rest)


def python_of(venv):
    """The environment's Python, where this system keeps it."""
    return Path(sysconfig.get_path("scripts", "venv", {"base": str(venv)}), "python")


def run(*command, may_fail=False):
    """Show a command and run it in the project's folder; end as it does if it fails, or return its code."""
    command = [str(part) for part in command]
    sys.stdout.reconfigure(errors="backslashreplace")  # a file that this goes to may lack a folder's letters
    print(*command, flush=True)
    running = subprocess.Popen(command, cwd=PROJECT)
    # Ctrl-C reaches it as well, and it may have something to save
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *given: None)
    signal.signal(signal.SIGTERM, lambda *given: running.terminate())
    code = running.wait()
    if code and not may_fail:
        sys.exit(code if code > 0 else 128 - code)
    return code


if __name__ == "__main__":
    main()
