"""pyproject.toml, constraints.txt and environment.yml describe one environment, on three systems.

What `make` installs is in tests/test_setup.py.
"""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest
import yaml
from helpers import PROJECT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
PIP = next(entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
NAMED = [Requirement(text) for text in sum(EXTRAS.values(), PYPROJECT["project"]["dependencies"])]
OURSELVES = [requirement for requirement in NAMED if requirement.name == PYPROJECT["project"]["name"]]
DIRECT = [requirement for requirement in NAMED if requirement not in OURSELVES]
# all but what `make docs` adds
INSTALLED = [requirement for requirement in DIRECT if str(requirement) not in EXTRAS["docs"]]


def constrained() -> dict[str, str]:
    """The exact versions that constraints.txt names for this interpreter."""
    lines = [
        Requirement(line)
        for line in (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line
    ]
    here = [line for line in lines if line.marker is None or line.marker.evaluate()]
    return {canonicalize_name(line.name): str(line.specifier).removeprefix("==") for line in here}


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda r: r.name)
def test_the_exact_version_satisfies_the_lower_bound_and_is_installed(requirement):
    exact = constrained()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(exact)
    assert all(part.operator == ">=" for part in requirement.specifier), "lower bounds only"
    if requirement in INSTALLED:
        assert version(requirement.name).split("+")[0] == exact


def test_promised_packages_are_there_and_the_extra_for_development_brings_the_others():
    named = {requirement.name for requirement in DIRECT}
    assert {"torch", "pytorch-lightning", "jupyterlab", "matplotlib", "numpy", "papermill", "nbval"} <= named
    brought = {extra for requirement in OURSELVES for extra in requirement.extras}
    assert brought == EXTRAS.keys() - {"dev", "docs"}


def test_conda_gives_a_python_that_the_project_accepts_and_installs_what_make_installs():
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    assert [entry.partition("=")[0] for entry in plain] == ["python", "pip"]
    python = plain[0].partition("=")[2]
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(python)
    assert PIP == ["-c constraints.txt", "-e .[dev]"]


@pytest.mark.slow
def test_the_pip_section_installs(tmp_path):
    """Resolve it from nothing, as conda's pip would, and find exactly the versions of constraints.txt."""
    requirements = tmp_path / "requirements.txt"
    relative = [line.replace("-c ", f"-c {PROJECT}/").replace("-e .", f"-e {PROJECT}") for line in PIP]
    requirements.write_text("\n".join(relative), encoding="utf-8")
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    done = subprocess.run(
        [*command, "--report", str(report), "-r", str(requirements)], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = {
        canonicalize_name(item["metadata"]["name"]): item["metadata"]["version"].split("+")[0]
        for item in json.loads(report.read_text(encoding="utf-8"))["install"]
    }
    assert found.pop("cyclegan-lib") == PYPROJECT["project"]["version"]
    exact = constrained()
    assert {name: exact.get(name) for name in found} == found
    assert {canonicalize_name(r.name) for r in INSTALLED} <= found.keys()


# torch has no wheel for macOS before 14
SYSTEMS = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"]


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_version_has_a_wheel_for_linux_windows_and_macos(system):
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    given = ["--python-platform", system, "--python-version", CONDA["dependencies"][0].partition("=")[2]]
    wanted = ["--only-binary", ":all:", "-c", "constraints.txt", "--all-extras", "pyproject.toml"]
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(
        [*command, *given, *wanted], cwd=PROJECT, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split("==") for line in done.stdout.splitlines())
    assert {canonicalize_name(r.name) for r in DIRECT} <= found.keys()
    pinned = (PROJECT / "constraints.txt").read_text(encoding="utf-8").replace(" ;", "").splitlines()
    exact = {tuple(line.split(" ")[0].split("==")) for line in pinned}
    assert set(found.items()) <= exact
