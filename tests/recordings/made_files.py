"""Files as people have them, made of sound that is known."""

import struct

import numpy as np
import soundfile
from scipy.io import savemat
from sounds import rng

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
