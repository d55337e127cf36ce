"""Lakes in an object store: a server on this machine that speaks S3, in an environment of its own.

What it needs cannot be installed beside the project's exact versions.
"""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow.fs
import pytest
import sounds
from helpers import done, refusal

from cyclegan_lib.features import FeatureSet

SERVER = ("moto[s3]==5.2.5", "flask", "flask-cors")


def call(address: str, method: str = "GET", content: bytes | None = None) -> None:
    asked = urllib.request.Request(address, content, {"Content-Type": "text/plain"}, method=method)
    urllib.request.urlopen(asked).close()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The address of a store with the bucket `plant`."""
    folder = tmp_path_factory.mktemp("server") / "environment"
    for words in (["venv", folder], ["pip", "install", "--python", folder, *SERVER]):
        made = subprocess.run(
            [sys.executable, "-m", "uv", *map(str, words)], capture_output=True, encoding="utf-8"
        )
        assert made.returncode == 0, made.stderr
    program = folder / ("Scripts" if sys.platform == "win32" else "bin") / "moto_server"
    log = folder / "log.txt"
    with log.open("w", encoding="utf-8") as file:
        server = subprocess.Popen([program, "-H", "127.0.0.1", "-p", "0"], stdout=file, stderr=file)
    try:
        until, address = time.monotonic() + 60, ""
        while not address:
            assert server.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")
            time.sleep(0.1)
            lines = log.read_text(encoding="utf-8").splitlines()
            address = next((line.split()[-1] for line in lines if "Running on http" in line), "")
        call(f"{address}/plant", "PUT")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": "x",
                "AWS_SECRET_ACCESS_KEY": "y",
                "AWS_DEFAULT_REGION": "us-east-1",
            }.items():
                patch.setenv(name, value)
            yield address
    finally:
        server.kill()
        server.wait()


@pytest.mark.slow
def test_a_lake_in_an_object_store_is_the_one_in_a_folder(store, exported, tmp_path, capsys):
    for number in range(3):
        noise = np.random.default_rng(number).normal(size=160_000) / 10
        sounds.write(tmp_path / "edge" / f"2026-01-0{1 + number % 2}" / f"{number}.wav", noise)
    given = ["extract", tmp_path / "edge", "--device", "cpc006", "--workers", 2, "--output"]
    done(capsys, *given, f"{tmp_path}/lake/")
    assert "3 sequences from 3 recordings" in done(capsys, *given, "s3://plant/lake")
    system = pyarrow.fs.FileSystem.from_uri("s3://plant")[0]
    here = {p.relative_to(tmp_path): p.read_bytes() for p in (tmp_path / "lake").rglob("part-*.parquet")}
    there = {}
    for file in system.get_file_info(pyarrow.fs.FileSelector("plant/lake", recursive=True)):
        if file.path.endswith(".parquet"):
            there[Path(file.path).relative_to("plant")] = system.open_input_file(file.path).read()
    assert here == there and len(here) == 2
    system.delete_file(f"plant/{min(there).as_posix()}")
    done(capsys, *given, "s3://plant/lake")  # goes on
    for name, lake in {
        "here": tmp_path / "lake/device=cpc006",
        "there": "s3://plant/lake/device=cpc006",
    }.items():
        words = ["translate", "--model", exported, "--direction", "AB", "--input", lake]
        done(capsys, *words, "--output", tmp_path / f"{name}.npz")
    assert (tmp_path / "here.npz").read_bytes() == (tmp_path / "there.npz").read_bytes()
    assert FeatureSet.load("s3://plant/lake").recording.tolist() == [
        f"2026-01-0{1 + n % 2}/{n}" for n in (0, 2, 1)
    ]

    assert "s3://nobody/lake cannot be written" in refusal(capsys, *given, "s3://nobody/lake")
    assert "s3://plant/none holds no sequences of a lake" in refusal(capsys, "inspect", "s3://plant/none")
    call(f"{store}/moto-api/reset-auth", "POST", b"0")  # from now on nobody has permission
    assert "s3://plant/lake cannot be read" in refusal(capsys, "inspect", "s3://plant/lake")
    assert "cannot be read" in refusal(capsys, *given, "s3://plant/other")
