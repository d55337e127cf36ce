"""Lakes in an object store: servers on this machine that speak S3 and as Google's do, in an environment.

What they need cannot be installed beside the project's exact versions.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.fs
import pytest
import sounds
from helpers import done, refusal

from cyclegan_lib.features import FeatureSet

SERVERS = ("moto[s3]==5.2.5", "flask", "flask-cors", "gcp-storage-emulator==2026.7.19")


def call(address: str, method: str = "GET", content: bytes | None = None) -> None:
    asked = urllib.request.Request(address, content, {"Content-Type": "text/plain"}, method=method)
    urllib.request.urlopen(asked).close()


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("server") / "environment"
    for words in (["venv", folder], ["pip", "install", "--python", folder, *SERVERS]):
        made = subprocess.run(
            [sys.executable, "-m", "uv", *map(str, words)], capture_output=True, encoding="utf-8"
        )
        assert made.returncode == 0, made.stderr
    return folder


@contextmanager
def serving(environment: Path, *words: str, ready: str) -> Iterator[str]:
    """A server while the block runs: the last word of the line in which it says that it is ready."""
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    log = environment / f"{words[1]}.txt"
    with log.open("w", encoding="utf-8") as file:
        server = subprocess.Popen([python, *words], stdout=file, stderr=file)
    try:
        until, last = time.monotonic() + 60, ""
        while not last:
            assert server.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")
            time.sleep(0.1)
            lines = log.read_text(encoding="utf-8").splitlines()
            last = next((line.split()[-1] for line in lines if ready in line), "")
        yield last
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def s3(environment, monkeypatch) -> Iterator[str]:
    """The address of a store that speaks S3, with the bucket `plant`."""
    given = ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with serving(environment, *given, ready="Running on http") as address:
        call(f"{address}/plant", "PUT")
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "y",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield address


@pytest.fixture
def google(environment, monkeypatch) -> Iterator[None]:
    """A store that speaks as Google's, with the bucket `plant`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    given = ["-m", "gcp_storage_emulator", "start", "-H", "127.0.0.1", "--port", port, "-M"]
    with serving(environment, *given, "--default-bucket", "plant", ready="Starting server"):
        monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", f"http://127.0.0.1:{port}")
        yield


@pytest.fixture
def given(tmp_path) -> list:
    """The words that extract three recordings, but for where to."""
    for number in range(3):
        noise = np.random.default_rng(number).normal(size=160_000) / 10
        sounds.write(tmp_path / "edge" / f"2026-01-0{1 + number % 2}" / f"{number}.wav", noise)
    return ["extract", tmp_path / "edge", "--device", "cpc006", "--workers", 2, "--output"]


def parts_in_store(url: str) -> dict[Path, bytes]:
    """The Parquet files of the lake in a bucket, by their paths in it."""
    system = pyarrow.fs.FileSystem.from_uri(url)[0]
    files = system.get_file_info(pyarrow.fs.FileSelector("plant/lake", recursive=True))
    parts = [file.path for file in files if file.path.endswith(".parquet")]
    return {Path(path).relative_to("plant"): system.open_input_file(path).read() for path in parts}


def parts_in_folder(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in (folder / "lake").rglob("part-*.parquet")}


NAMES = [f"2026-01-0{1 + n % 2}/{n}" for n in (0, 2, 1)]


@pytest.mark.slow
def test_a_lake_in_google_s_store_is_the_one_in_a_folder(google, given, tmp_path, monkeypatch, capsys):
    lake = "gs://anonymous@plant/lake"
    done(capsys, *given, f"{tmp_path}/lake/")
    assert "3 sequences from 3 recordings" in done(capsys, *given, lake)
    here, there = parts_in_folder(tmp_path), parts_in_store(lake)
    assert here == there and len(here) == 2
    assert FeatureSet.load(lake).recording.tolist() == NAMES
    nobody = "gs://anonymous@nobody/lake"
    assert f"{nobody} cannot be written" in refusal(capsys, *given, nobody)
    monkeypatch.setattr("cyclegan_lib.features.lake.RETRY_S", 1)  # where no store answers
    monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", "http://127.0.0.1:1")
    assert f"{lake} cannot be read" in refusal(capsys, "inspect", lake)


@pytest.mark.slow
def test_a_lake_in_an_object_store_is_the_one_in_a_folder(s3, given, exported, tmp_path, capsys):
    done(capsys, *given, f"{tmp_path}/lake/")
    assert "3 sequences from 3 recordings" in done(capsys, *given, "s3://plant/lake")
    system = pyarrow.fs.FileSystem.from_uri("s3://plant")[0]
    here, there = parts_in_folder(tmp_path), parts_in_store("s3://plant")
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
    assert FeatureSet.load("s3://plant/lake").recording.tolist() == NAMES

    assert "s3://nobody/lake cannot be written" in refusal(capsys, *given, "s3://nobody/lake")
    assert "s3://plant/none holds no sequences of a lake" in refusal(capsys, "inspect", "s3://plant/none")
    call(f"{s3}/moto-api/reset-auth", "POST", b"0")  # from now on nobody has permission
    assert "s3://plant/lake cannot be read" in refusal(capsys, "inspect", "s3://plant/lake")
    assert "cannot be read" in refusal(capsys, *given, "s3://plant/other")
