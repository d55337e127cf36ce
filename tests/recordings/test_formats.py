"""Files as people have them: what is heard of each, and what is said about those that are refused."""

import struct

import numpy as np
import pytest
import soundfile
from scipy.io import savemat
from sounds import rng, write

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings.reading import Reading, RecordingStream, read_header, read_recording
from cyclegan_lib.recordings.sound_file import SUFFIXES

RATE = 8000
SOUND = (0.1 * rng().standard_normal((3000, 8))).clip(-0.9, 0.9).astype(np.float32)
ONE, TWO = SOUND[:, 0], SOUND[:, 1]
MEAN = SOUND[:, :2].mean(axis=1)
GIVEN = {"rate_of_files": RATE}


def wav(claimed=None, riff=None, after=b"", sound=ONE):
    """A WAV file of 16 bit whose header claims these bytes."""
    data = np.round(sound * 32768).astype("<i2").tobytes()
    claimed = len(data) if claimed is None else claimed
    content = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    content += b"data" + struct.pack("<I", claimed) + data + after
    riff = 4 + len(content) if riff is None else riff
    return b"RIFF" + struct.pack("<I", riff) + b"WAVE" + content


def rf64(claimed, sound=ONE):
    """The same with sizes of 64 bits."""
    whole = wav(0xFFFFFFFF, 0xFFFFFFFF, sound=sound)
    sizes = b"ds64" + struct.pack("<IQQQI", 28, len(whole) + 28, claimed, len(sound), 0)
    return b"RF64" + whole[4:12] + sizes + whole[12:]


def text(sound, separator=",", header=(), decimal=".", end="\n", before="", time=None, encoding="utf-8"):
    lines = [separator.join(header)] if header else []
    for index, row in enumerate(sound):
        values = [f"{value:.6f}".replace(".", decimal) for value in row]
        lines.append(separator.join(([time(index)] if time else []) + values))
    return (before + end.join(lines) + end).encode(encoding)


def mat(packed=False, format="5", **variables):
    return lambda path: savemat(path, variables, format=format, do_compression=packed)


def npz(**arrays):
    return lambda path: np.savez(path.open("wb"), **arrays)


def npy(array, **options):
    return lambda path: np.save(path.open("wb"), array, **options)


def as_sound(sound, **options):
    return lambda path: soundfile.write(path, sound, RATE, **options)


def patched(content, **options):
    """A sound file whose bytes are changed by a function."""

    def make(path):
        as_sound(ONE, **options)(path)
        path.write_bytes(content(bytearray(path.read_bytes())))

    return make


def flac_of(samples):
    """FLAC whose header claims so many; 0: unknown, as from a pipe."""
    return lambda content: content[:22] + struct.pack(">I", samples) + content[26:]


def two_sounds(path):
    parts = []
    for sound in (ONE, TWO):
        as_sound(sound)(path)
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))


def au_of(claimed):
    return lambda content: content[:8] + struct.pack(">I", claimed) + content[12:]


def caf_of(claimed):
    def patch(content):
        at = content.index(b"data") + 4
        return content[:at] + struct.pack(">q", claimed) + content[at + 8 :]

    return patch


def made(path, content):
    content(path) if callable(content) else path.write_bytes(content)
    return path


def bearing(**more):
    """The layout of the Case Western Reserve University's files."""
    column = {"X118_DE_time": ONE[:, None], "X118_FE_time": TWO[:, None], "X118RPM": np.array([[1772]])}
    return mat(**column, **more)


def structures():
    """The layout of Paderborn University's files: signals in an array of structures, called by a field."""
    kinds = [("Name", object), ("Data", object)]
    signals = np.array([("force", TWO[None, :500]), ("vibration_1", ONE[None])], dtype=kinds)
    info = {"Info": {"Note": "text"}, "X": {"Name": "Time"}, "Y": signals}
    return mat(N15_M07_F10_KA01_1=info)


def stamp(index):
    return f"2004-02-12 10:32:{index // RATE:02d}.{index % RATE:04d}"


def seconds(index):
    return f"{index / RATE:.6f}"


XJTU = ("Horizontal_vibration_signals", "Vertical_vibration_signals")
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


REFUSED = {
    "cut.wav": (wav()[:3000], {}, "ends before its header says"),
    "cut after hours.wav": (wav(2_073_600_000), {}, "ends before its header says"),
    "cut after a day.rf64": (rf64(8_294_123_456), {}, "ends before its header says"),
    "cut.aiff": (patched(lambda content: content[:3000], format="AIFF"), {}, "ends before its header says"),
    "cut.w64": (patched(lambda content: content[:3000], format="W64"), {}, "ends before its header says"),
    "cut.rf64": (rf64(6000)[:3000], {}, "ends before its header says"),
    "cut.flac": (patched(lambda content: flac_of(0)(content)[:3000]), {}, "is damaged"),
    "claims more.flac": (patched(flac_of(3500)), {}, "ends before its header says"),
    "cut.mp3": (patched(lambda content: content[:1500], format="MP3"), {}, "ends before its header says"),
    "no rate.csv": (text(SOUND), {}, "does not say its sample rate; give it with --sample-rate-of-files"),
    "no rate.npy": (npy(ONE), {}, "--sample-rate-of-files"),
    "words.csv": (b"machine,fault\na,normal\nb,ball\n", GIVEN, "holds no columns of numbers"),
    "bytes.csv": (bytes(range(256)), GIVEN, "is not a .csv file"),
    "time.csv": (
        text(SOUND[:, :1], header=("Time", "g"), time=seconds),
        {**GIVEN, "channel": 1},
        "column 'Time' holds time stamps, which is no signal",
    ),
    "date.csv": (text(SOUND[:, :1], time=stamp), {**GIVEN, "channel": 1}, "column '1' holds text"),
    "only time.csv": (text(SOUND[:, :0], time=seconds), GIVEN, r"holds no signal; its columns: 1 \(time"),
    "commas twice.csv": (
        b"0,0125,-0,0125\n" * 200,
        GIVEN,
        "parts both its columns and its decimals by commas",
    ),
    "no such.csv": (
        text(SOUND[:, :2], header=XJTU),
        {**GIVEN, "channel": "axial"},
        "its channels: Horizontal",
    ),
    "both.csv": (text(SOUND[:, :2], header=XJTU), {**GIVEN, "channel": "signals"}, "may be 'Hor.*' and 'Ver"),
    "beyond.csv": (text(SOUND), {**GIVEN, "channel": 9}, "has 8 channels and no channel 9"),
    "gap.csv": (text(SOUND[:9]) + b",,,,,,,\n" + text(SOUND[:9]), GIVEN, "holds NaN"),
    "footer.csv": (text(SOUND[:600]) + b"end of file\n", GIVEN, "is no table of numbers to its end"),
    "may be both.csv": (b"1,25\n2,75\n3,50\n" * 99, GIVEN, "one column with decimal commas or two"),
    "118.mat": (bearing(), GIVEN, r"X118_DE_time \(3000 samples\), X118_FE_time .*--channel"),
    "two.mat": (
        bearing(X119_DE_time=ONE),
        {**GIVEN, "channel": "DE_time"},
        "X118_DE_time' and 'X119_DE_time",
    ),
    "numbered.mat": (bearing(), {**GIVEN, "channel": 1}, "order may differ"),
    "settings.mat": (mat(rpm=1772, note="text"), GIVEN, "holds no sound of at least 100 samples, but rpm"),
    "cut.mat": (
        lambda path: (bearing()(path), path.write_bytes(path.read_bytes()[:9000])),
        GIVEN,
        "cut.mat .*is damaged",
    ),
    "cut in version 4.mat": (
        lambda path: (bearing(format="4")(path), path.write_bytes(path.read_bytes()[:9000])),
        GIVEN,
        "ends before its header says",
    ),
    "no.mat": (b"no mat file", GIVEN, "is not a .mat file, or is damaged"),
    "square.npy": (npy(np.zeros((200, 200))), GIVEN, "which axis is time"),
    "features.npy": (npy(np.zeros((9, 50, 40))), GIVEN, "no sound of at least"),
    "features.npz": (npz(features=np.zeros((9, 50, 40))), GIVEN, "is a feature set, no recording"),
    "objects.npy": (npy(np.array([{}] * 200), allow_pickle=True), GIVEN, "pickled Python objects"),
    "cut.npy": (
        lambda path: (npy(ONE)(path), path.write_bytes(path.read_bytes()[:900])),
        GIVEN,
        "is damaged",
    ),
    "no.parquet": (b"no parquet", GIVEN, "which needs pyarrow|is not a .parquet file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_in_one_sentence(tmp_path, name):
    content, reading, says = REFUSED[name]
    with pytest.raises(InputError, match=says) as refused:
        read_recording(made(tmp_path / name, content), RATE, Reading(**reading))
    assert name in str(refused.value) and len(str(refused.value)) < 400 + len(str(tmp_path))


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
