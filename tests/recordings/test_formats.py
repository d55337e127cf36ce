"""What is heard of files as people have them."""

import struct

import numpy as np
import pytest
from recordings.made_files import (
    GIVEN,
    MEAN,
    ONE,
    RATE,
    SOUND,
    TWO,
    XJTU,
    au_of,
    bearing,
    caf_of,
    flac_of,
    made,
    mat,
    npy,
    npz,
    patched,
    rf64,
    seconds,
    stamp,
    structures,
    text,
    two_sounds,
    wav,
)
from sounds import write

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings.reading import Reading, RecordingStream, read_header, read_recording
from cyclegan_lib.recordings.sound_file import SUFFIXES

CHUNKS = b"LIST" + struct.pack("<I", 8) + b"INFOabcd" + b"id3 " + struct.pack("<I", 3) + b"abc\0"
LOGGER = "Recorder 5\nSampling rate: 8000 Hz\nChannel\tAmplitude\n\n"

READ = {
    # what a header claims: nothing, too little, a placeholder
    "claims nothing.wav": (wav(0, 36), {}, ONE, "claims no sound"),
    "claims nothing at all.wav": (wav(0, 0), {}, ONE, "claims no sound"),
    "claims less.wav": (wav(500), {}, ONE, "claims less sound"),
    "claims 2 billion.wav": (wav(2_000_000_000, 2_000_000_036), {}, ONE, "does not say how long"),
    "claims 1 GiB.wav": (wav(1 << 30), {}, ONE, "does not say how long"),
    "claims 2 GiB.wav": (wav((1 << 31) - 37), {}, ONE, "does not say how long"),
    "claims all of 32 bits.wav": (wav(0xFFFFFFFF), {}, ONE, "does not say how long"),
    "claims nothing in 64 bits.wav": (rf64(0), {}, ONE, "claims no sound"),
    "whole in 64 bits.rf64": (rf64(6000), {}, ONE, None),
    "claims a little less.wav": (wav(5800), {}, ONE, "claims less sound"),
    "an old tag behind.wav": (wav(after=b"TAG" + bytes(125)), {}, ONE, None),
    "tags behind.wav": (wav(after=CHUNKS), {}, ONE, None),
    "a sector behind.wav": (wav(after=bytes(1000)), {}, ONE, None),
    "from a pipe.flac": (patched(flac_of(0)), {}, ONE, "does not say how long"),
    "unfinished.au": (patched(au_of(0), format="AU", subtype="FLOAT"), {}, ONE, "claims no sound"),
    "claims less.au": (patched(au_of(500), format="AU", subtype="FLOAT"), {}, ONE, "claims less sound"),
    "claims less.caf": (patched(caf_of(504), format="CAF", subtype="FLOAT"), {}, ONE, "claims less sound"),
    "unfinished.caf": (patched(caf_of(-1), format="CAF", subtype="FLOAT"), {}, ONE, "does not say how long"),
    "claims less.flac": (patched(flac_of(500)), {}, ONE, "claims less sound"),
    "a tag behind.flac": (patched(lambda content: content + b"TAG" + bytes(125)), {}, ONE, None),
    "two sounds.ogg": (two_sounds, {}, None, "several sounds, of which the first was read"),
    # tables
    "MAFAULDA 12.288.csv": (text(SOUND), {**GIVEN, "channel": 8}, SOUND[:, 7], None),
    "XJTU.csv": (text(SOUND[:, :2], header=XJTU), {**GIVEN, "channel": "vertical"}, TWO, None),
    "a dead channel.csv": (
        text(SOUND[:, :2] * [1, 0], header=("Time", "on", "off"), time=seconds),
        GIVEN,
        ONE / 2,
        "channels without sound: off of 2",
    ),
    "XJTU mean.csv": (text(SOUND[:, :2], header=XJTU), GIVEN, MEAN, None),
    "semicolons.csv": (text(SOUND[:, :2], ";", decimal=","), GIVEN, MEAN, None),
    "semicolons, Excel.csv": (
        text(SOUND[:, :2], ";", ("a [m/s²]", "b"), ",", "\r\n", encoding="utf-8-sig"),
        {**GIVEN, "channel": "a [m/s²]"},
        ONE,
        None,
    ),
    "old Excel.csv": (text(SOUND[:, :2], ";", ("a [m/s²]", "b"), ",", encoding="latin-1"), GIVEN, MEAN, None),
    "tabs.tsv": (text(SOUND[:, :2], "\t", ("a", "b")), GIVEN, MEAN, None),
    "UTF-16.csv": (text(SOUND[:, :2], "\t", ("a", "b"), encoding="utf-16"), GIVEN, MEAN, None),
    "blanks.dat": (text(SOUND[:, :2], "   "), GIVEN, MEAN, None),
    "blanks, commas.txt": (text(SOUND[:, :2], "  ", decimal=","), GIVEN, MEAN, None),
    "quoted.csv": (b"a,b\n" + b'"0,5","1,5"\n' * 200, GIVEN, np.ones(200), None),
    "one column.txt": (text(SOUND[:, :1]), GIVEN, ONE, None),
    "one column, comma.csv": (text(SOUND[:, :1], decimal=","), GIVEN, ONE, None),
    "end of line.csv": (text(SOUND[:, :1], end=",\n"), GIVEN, ONE, None),
    "2004.02.12.10.32.39": (text(SOUND[:, :2], "\t"), {**GIVEN, "channel": 1}, ONE, None),
    "lines above.txt": (text(SOUND[:, :2], "\t", before=LOGGER), GIVEN, MEAN, None),
    "seconds.csv": (
        text(SOUND[:, :1], header=("Time (s)", "g"), time=seconds),
        GIVEN,
        ONE,
        "left out: Time (s)",
    ),
    "unnamed seconds.csv": (text(SOUND[:, :1], time=seconds), GIVEN, ONE, "left out: 1 (time stamps)"),
    "rounded seconds.csv": (
        text(SOUND[:, :1], time=lambda index: f"{index / RATE:.3f}"),
        GIVEN,
        ONE,
        "left out: 1 (time stamps)",
    ),
    "names, then units.csv": (
        text(SOUND[:, :2], header=("V", "g"), before="Microphone,Gearbox\n"),
        {**GIVEN, "channel": "gearbox"},
        TWO,
        None,
    ),
    "dates.csv": (text(SOUND[:, :2], ";", time=stamp), GIVEN, MEAN, "left out: 1 (text)"),
    "numbered past time.csv": (text(SOUND[:, :2], time=seconds), {**GIVEN, "channel": 3}, TWO, None),
    # MATLAB
    "118.mat": (bearing(), {**GIVEN, "channel": "DE_time"}, ONE, None),
    "118 by pattern.mat": (bearing(), {**GIVEN, "channel": "X*_FE_*"}, TWO, None),
    "HUST.mat": (mat(data=ONE[:, None], fs=RATE), {}, ONE, None),
    "version 4.mat": (bearing(format="4"), {**GIVEN, "channel": "DE_time"}, ONE, None),
    "packed.mat": (bearing(packed=True), {**GIVEN, "channel": "DE_time"}, ONE, None),
    "as whole numbers.mat": (mat(data=np.arange(300.0) % 7), GIVEN, np.arange(300) % 7, None),
    "its own rate wins.mat": (mat(data=ONE, Fs=RATE), {"rate_of_files": 2 * RATE}, ONE, None),
    "KA01.mat": (structures(), {**GIVEN, "channel": "vibration_1"}, ONE, None),
    "two channels.mat": (mat(data=SOUND[:, :2]), {**GIVEN, "channel": 2}, TWO, "longer axis"),
    # NumPy
    "a.npy": (npy(ONE), GIVEN, ONE, None),
    "as they are.npy": (npy(np.arange(300) % 7), GIVEN, np.arange(300) % 7, None),
    "channels first.npy": (npy(SOUND[:, :2].T), GIVEN, MEAN, "longer axis"),
    "channels last.npy": (npy(SOUND), {**GIVEN, "channel": 2}, TWO, "longer axis"),
    "a.npz": (npz(DE=ONE, FE=TWO, rpm=1772, sr=RATE), {"channel": "fe"}, TWO, None),
    "alone.npz": (npz(data=SOUND[:, :2].T, name=np.array(["text"])), GIVEN, MEAN, "longer axis"),
    "scaled.npy": (npy(1000 * ONE), {**GIVEN, "scale": 0.001}, ONE, None),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_heard(tmp_path, name):
    content, reading, wanted, remark = READ[name]
    stream = RecordingStream(made(tmp_path / name, content), RATE, Reading(**reading))
    sound = np.concatenate(list(stream.blocks()))
    assert wanted is None or sound == pytest.approx(wanted, abs=2e-5)
    assert remark in "; ".join(stream.facts.remarks) if remark else not stream.facts.remarks
    assert read_header(tmp_path / name, Reading(**reading)).sample_rate == RATE


KINDS = {".rf64": "RF64", ".aifc": "AIFF", ".oga": "OGG", ".opus": "OGG", ".snd": "AU", ".bwf": "WAV"}


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".WAV"])
def test_whatever_libsndfile_reads(tmp_path, suffix):
    kind = KINDS.get(suffix) or {".wave": "WAV", ".aif": "AIFF"}.get(suffix, suffix[1:].upper())
    path = write(
        tmp_path / f"a{suffix}", ONE, RATE, format=kind, subtype="OPUS" if suffix == ".opus" else None
    )
    stream = RecordingStream(path, RATE)
    sound = np.concatenate(list(stream.blocks()))
    assert len(sound) == len(ONE) and np.corrcoef(sound, ONE)[0, 1] > 0.8 and not stream.facts.remarks


def test_matlab_7_3_is_read_by_pattern(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["X118_DE_time"], file["run/X118_FE_time"] = ONE[None], TWO[None]
        file["X118RPM"], file["note"] = [[1772]], np.zeros((200, 1), np.uint16)
        file["note"].attrs["MATLAB_class"] = b"char"
    for pattern, wanted in (("DE_time", ONE), ("FE_time", TWO)):
        sound = read_recording(tmp_path / "a.mat", RATE, Reading(pattern, RATE))
        assert sound == pytest.approx(wanted)
    with pytest.raises(InputError, match=r"X118_DE_time .*, run.X118_FE_time \(1 × 3000 samples\)"):
        read_recording(tmp_path / "a.mat", RATE, Reading(None, RATE))


def test_parquet_holds_channels_or_named_signals(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    tables = {
        "columns": {"time": np.arange(3000) / RATE, "DE": ONE, "FE": TWO},
        "rows": {"name": ["DE"] * 3000 + ["FE"] * 3000, "sample": np.append(ONE, TWO)},
        "lists": {"file": ["DE", "FE"], "samples": [ONE, TWO], "sampling_rate": [RATE, RATE]},
    }
    for name, columns in tables.items():
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(pyarrow.table(columns), path, row_group_size=1700)
        given = None if name == "lists" else RATE
        for channel, wanted in (("DE", ONE), ("FE", TWO)):
            assert read_recording(path, RATE, Reading(channel, given)) == pytest.approx(wanted)
        if name == "columns":
            assert read_recording(path, RATE, Reading(None, given)) == pytest.approx(MEAN, abs=1e-6)
        else:
            with pytest.raises(InputError, match="2 signals: DE, FE; choose one with --channel"):
                read_recording(path, RATE, Reading(None, given))
