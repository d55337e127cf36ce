"""Translating from file to file: the same numbers as in memory, without the memory."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from helpers import make_set, refusal

from cyclegan_lib.cli import main
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.extract import extract

CHUNK = 32  # sequences, where a test says so


def chunks_of(sequences: int, translator: Translator, monkeypatch) -> None:
    """Let so many sequences of 50 slices be translated at once."""
    size = 4 * translator._bulk.width * 50 * sequences
    monkeypatch.setattr("cyclegan_lib.export.bulk.CHUNK_BYTES", size)
    # the first layer of a whole chunk goes through oneDNN, the narrower ones and what is left over do not
    multiplications = sequences * 50 * translator._bulk.whole[0].numel()
    monkeypatch.setattr("cyclegan_lib.export.bulk.ONEDNN_FROM", multiplications)


def saved(x: FeatureSet, path) -> None:
    if path.suffix == ".npy":
        np.save(path, x.features)
    elif path.suffix == ".json":
        path.write_text(json.dumps(x.features.tolist()), encoding="utf-8")
    else:
        x.save(path)


@pytest.mark.parametrize("n", [1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK + 5])
@pytest.mark.parametrize("name", ["in.npz", "in.npy", "in.json"])
def test_a_file_is_translated_as_a_whole_set_to_the_last_bit(name, n, translator, tmp_path, monkeypatch):
    chunks_of(CHUNK, translator, monkeypatch)
    monkeypatch.setattr("cyclegan_lib.export.inputs.PART_BYTES", 2 * CHUNK * 8000)  # of two chunks
    saved(make_set("cpc006", n=n, shift=10), tmp_path / name)
    given = tmp_path / name, tmp_path / "out.npz"
    judgement, extraction = translator.translate_file(*given, progress=False)
    assert (judgement.sequences, extraction) == (n, None)
    expected = translator.translate_set(FeatureSet.load(tmp_path / name, least=1))
    expected.save(tmp_path / "expected.npz")
    assert (tmp_path / "out.npz").read_bytes() == (tmp_path / "expected.npz").read_bytes()


# The most memory that a process had resident, from /proc: getrusage begins with the memory of the parent.
MEASURED = """
import re, sys
from pathlib import Path
from cyclegan_lib.export import Translator
translator = Translator.load(sys.argv[1], "AB")
small, large, output = sys.argv[2:]
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
translator.translate_file(small, output, progress=False)
before = peak()
judgement, _ = translator.translate_file(large, output, progress=False)
print(before, peak(), judgement.sequences)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_memory_does_not_grow_with_the_input(suffix, exported, tmp_path):
    """200 MB are translated in at most 30 MB more than 24 MB are."""
    one = make_set("cpc006", n=1000, shift=10)
    for name, times in (("small", 3), ("large", 25)):
        saved(one.select(np.tile(np.arange(1000), times)), tmp_path / f"{name}{suffix}")
    files = [str(tmp_path / f"{name}{suffix}") for name in ("small", "large")]
    command = [sys.executable, "-c", MEASURED, str(exported), *files, str(tmp_path / "out.npz")]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads wait for each other where others run as well
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=alone)
    assert done.returncode == 0, done.stderr
    before, after, sequences = map(int, done.stdout.split())
    assert sequences == 25_000
    assert os.path.getsize(files[1]) > 190e6
    assert (after - before) / 1024 < 30  # MB


def test_a_gap_in_the_last_part_leaves_no_output(exported, tmp_path, capsys):
    x = make_set("cpc006", n=2000)
    x.features[1999, 7, 7] = np.nan
    for name in ("gap.npz", "gap.npy"):
        saved(x, tmp_path / name)
        given = ["--direction", "AB", "--input", tmp_path / name, "--output", tmp_path / "out.npz"]
        said = refusal(capsys, "translate", "--model", exported, *given)
        assert f"{name} has NaN or infinite features in 1 of 2000 sequences" in said
        (tmp_path / name).unlink()
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (make_set("BATCH_UPLOAD"), "recorded by BATCH_UPLOAD"),
        (make_set("cpc006", sample_rate=12000), "--sample-rate 16000"),
        (None, "in.npz does not exist; give a feature set .* or a folder"),
    ],
)
def test_other_devices_and_settings_are_refused(x, says, translator, tmp_path):
    source = tmp_path / "in.npz"
    if x is not None:
        x.save(source)
    with pytest.raises(InputError, match=says):
        translator.translate_file(source, tmp_path / "out.npz", progress=False)
    assert not (tmp_path / "out.npz").exists()


@pytest.fixture
def recordings(tmp_path):
    """Other rates, stereo, FLAC, a subfolder, one of 25 s, one of 5 s, two that are too short."""
    folder = tmp_path / "recordings"
    rng = np.random.default_rng(0)
    kinds = {
        "a.wav": (16000, 1, 10.0),
        "b_with_a_long_name.flac": (44100, 2, 25.0),
        "machine/c.wav": (48000, 1, 10.0),
        "machine/d.flac": (22050, 2, 12.5),
        "five_seconds.wav": (16000, 1, 5.0),
        "short.wav": (16000, 1, 0.9),
        "silent.wav": (16000, 1, 0.0),
    }
    for name, (rate, channels, seconds) in kinds.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, 0.1 * rng.standard_normal((round(seconds * rate), channels)), rate)
    return folder


def test_a_folder_of_recordings_is_extracted_and_translated(recordings, translator, tmp_path, monkeypatch):
    monkeypatch.setattr("cyclegan_lib.export.inputs.PART_BYTES", 1)  # one chunk
    chunks_of(2, translator, monkeypatch)
    judgement, report = translator.translate_file(recordings, tmp_path / "out.npz", progress=False)
    features, expected_report = extract(recordings, "cpc006", FeatureSettings(), progress=False)
    assert (judgement.sequences, report) == (6, expected_report)
    expected, written = translator.translate_set(features), FeatureSet.load(tmp_path / "out.npz")
    assert written.device == expected.device == "BATCH_UPLOAD" and written.settings == features.settings
    for name in ("recording", "start_s", "slices"):
        np.testing.assert_array_equal(getattr(written, name), getattr(expected, name))
    np.testing.assert_allclose(written.features, expected.features, atol=1e-4)  # dB
    assert sorted(written.slices.tolist()) == [25, 50, 50, 50, 50, 50]
    table = (tmp_path / "out.npz.report.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 8 and sum(",too short," in row for row in table) == 2


def test_the_command_takes_a_folder_a_recording_or_a_set(recordings, domains, exported, tmp_path, capsys):
    out = tmp_path / "out.npz"
    given = ["--model", str(exported), "--direction", "BA", "--output", str(out), "--input"]
    assert main(["translate", *given, str(domains[1])]) == 0
    printed = capsys.readouterr()
    said, following = printed.out.splitlines()
    assert said == f"12 sequences, BATCH_UPLOAD -> cpc006: {out}" and following.startswith("next: cyclegan ")
    assert "12/12" in printed.err and "sequence/s" in printed.err
    assert main(["translate", *given, str(recordings)]) == 0
    printed = capsys.readouterr()
    assert "6 sequences from 5 recordings, 1 of them with fewer than 50 slices" in printed.out
    assert f"6 sequences, BATCH_UPLOAD -> cpc006: {out}\n" in printed.out
    assert "BATCH_UPLOAD -> cpc006: 100%" in printed.err and "7/7" in printed.err
    assert main(["translate", *given, str(recordings / "machine" / "c.wav")]) == 0
    assert "1 sequences, BATCH_UPLOAD -> cpc006" in capsys.readouterr().out
    assert FeatureSet.load(out, least=1).recording.tolist() == ["c"]
    assert FeatureSet.load(out, least=1).device == "cpc006"


def test_a_folder_is_read_as_the_training_recordings_were_or_as_told(translator, tmp_path):
    folder, rng = tmp_path / "stereo", np.random.default_rng(0)
    folder.mkdir()
    for name in ("a", "b"):
        sound = rng.standard_normal((160_000, 2)) * [0.02, 0.2]
        soundfile.write(folder / f"{name}.wav", sound, 16000, subtype="FLOAT")
    trained = replace(translator, settings=FeatureSettings(channel=1, scale=2.0, slices=25))
    for given in ({}, {"channel": 2}, {"scale": 3.0, "split_every": 5}):
        out = tmp_path / "out.npz"
        _, report = trained.translate_file(folder, out, progress=False, report=tmp_path / "r.csv", **given)
        reading = {"channel": 1, "scale": 2.0} | given
        split = reading.pop("split_every", None)
        settings = FeatureSettings(slices=25, **reading)
        expected, _ = extract(folder, "cpc006", settings, progress=False, split_every=split)
        written = FeatureSet.load(out)
        assert written.settings == settings and len(written) == 4
        assert written.recording.tolist() == expected.recording.tolist()
        wanted = translator.translate(expected.features)
        np.testing.assert_allclose(written.features, wanted, atol=1e-4)
        said = "channel 1 was read, as in training, of 2 recordings with several"
        assert (said in str(report)) == ("channel" not in given)
        assert len((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()) == 5
    with pytest.raises(InputError, match="out.npz.report.csv says what became of the recordings"):
        trained.translate_file(folder, out, progress=False, report=f"{out}.report.csv")
    with pytest.raises(InputError, match="out.npz is a feature set: .* leave out --channel, --scale"):
        trained.translate_file(out, tmp_path / "again.npz", progress=False, channel=2)


def test_recordings_that_cannot_be_translated(recordings, translator, tmp_path):
    out = tmp_path / "out.npz"
    translate = lambda source, with_=translator: with_.translate_file(source, out, progress=False)
    with pytest.raises(InputError, match="recordings holds sound, but the model was trained on features"):
        translate(recordings, replace(translator, settings=None))
    with pytest.raises(InputError, match=r"short.wav holds no recording of at least 0.96 s"):
        translate(recordings / "short.wav")
    higher = replace(translator, settings=FeatureSettings(sample_rate=44100))
    with pytest.raises(InputError, match="the model needs recordings made at 44100 Hz") as refused:
        translate(recordings, higher)
    assert "--sample-rate" not in str(refused.value)
    (recordings / "machine" / "d.flac").write_bytes((recordings / "machine" / "d.flac").read_bytes()[:9999])
    with pytest.raises(InputError, match=r"d.flac"):
        translate(recordings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.npz.report.csv", "recordings"]


@pytest.mark.slow
def test_a_full_disk_leaves_what_was_there(exported, tmp_path, on_a_full_disk):
    """The second part does not fit."""
    make_set("cpc006", n=1200).save(tmp_path / "in.npz")
    out = tmp_path / "out.npz"
    out.write_bytes(b"before")
    given = ["--model", exported, "--direction", "AB", "--input", tmp_path / "in.npz", "--output", out]
    assert "out.npz cannot be written (File too large" in on_a_full_disk(9_000_000, "translate", *given)
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.npz", "out.npz"]


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_there(exported, tmp_path):
    """On a set of terabytes that takes no room: a file with a hole."""
    with open(tmp_path / "endless.npy", "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10_000_000, 50, 40)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 10_000_000 * 8000)
    out = tmp_path / "out.npz"
    out.write_bytes(b"before")
    command = [sys.executable, "-m", "cyclegan_lib", "translate", "--model", str(exported)]
    command += ["--direction", "AB", "--input", str(tmp_path / "endless.npy"), "--output", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".out*.part.npz")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()  # or it would fill the disk
    assert process.returncode == 130, error
    assert error.splitlines()[-1] == "cyclegan: interrupted"
    assert "Traceback" not in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["endless.npy", "out.npz"]
    assert out.read_bytes() == b"before"
