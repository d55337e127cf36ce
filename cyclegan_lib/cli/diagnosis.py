"""The command for bug reports: doctor."""

import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cyclegan_lib.cli.options import then
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.system import processors

NEEDED = ("torch", "numpy", "scipy", "soundfile")
# what is there with an extra alone, by its name
OPTIONAL = {"train": ("pytorch-lightning", "scikit-learn", "POT"), "notebooks": ("papermill", "ipykernel")}
OPTIONAL |= {"cluster": ("distributed",), "formats-in": ("pyarrow", "h5py"), "dev": ("jupyterlab", "pytest")}
OPTIONAL["formats"] = ("onnx", "onnxscript", "onnxruntime", "safetensors")


def doctor() -> None:
    """Say what a bug report needs: versions, cores, disk, optional parts, and whether data/ can be used."""
    from cyclegan_lib import __version__

    print(f"cyclegan-lib {__version__}, Python {platform.python_version()}, {platform.platform()}")
    print(f"{processors()} cores, {shutil.disk_usage(Path.cwd()).free / 1e9:.1f} GB free here")
    print(", ".join(f"{name} {_version(name)}" for name in NEEDED))
    for extra, names in OPTIONAL.items():
        print(f"extra {extra}: " + ", ".join(f"{name} {_version(name)}" for name in names))
    print(printable(f"data/: {_data()}"))
    then("run", "--name", "demo")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _data() -> str:
    from cyclegan_lib.workspace import check_simulated, project_folder

    try:
        data = project_folder() / "data"
        check_simulated(data)
    except InputError as error:
        return str(error)
    return f"{data} can be used by runs"
