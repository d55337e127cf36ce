"""Damaged files: changed bytes of a valid one; containers of wrong contents, as hypothesis strategies."""

import io
import json
import math
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

# beginnings of other formats: what a reader guesses by the first bytes is then another one
HEADERS = [b"\x93NUMPY\x01\x00v\x00", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)]
HEADERS += [b"RIFF\xff\xff\xff\xffWAVEfmt ", b"fLaC\x00\x00\x00\x22", b"OggS\x00\x02"]
HEADERS += [b"FORM\x7f\xff\xff\xffAIFF", b".snd\x00\x00\x00\x18", b"\x80\x02]q\x00."]
HEADERS += [b"\xef\xbb\xbf", b"\xff\xfe", b"[[[[[[[[", b"\x1f\x8b\x08"]
# written where JSON cannot be dumped from Python: integers of 5,000 digits, lists in lists in lists
HUGE, DEEP = "@huge@", "@deep@"
ODD = [None, True, False, 0, -1, 1, 2**63, -(2**70), 10**300, 0.5, 1e308, -1e-320, math.nan, math.inf]
ODD += ["", "1", "x" * 300, "../../x", "\x00\x1b[2J\n", "\U0001f50a\u0301\u202e", "\ud800"]
ODD += [[], [[]], {}, {"where": 1, "cls": 2, "self": 3}, [None] * 40, [0.0] * 41, [1e999] * 40]
Draw = Callable[[st.SearchStrategy], Any]


def damaged(random: Random, valid: bytes) -> bytes:
    """`valid` after one to four changes of its bytes, most of them near its ends, where headers are."""
    found = bytearray(valid)
    for _ in range(random.randint(1, 4)):
        last = max(0, len(found) - 1)
        near = random.randint(0, min(300, last))
        at = random.choice([near, last - near, random.randint(0, last)])
        size = random.choice([1, 2, 4, 8, 64, 1000])
        change = random.randint(0, 9)
        if change <= 2 and found:
            found[at] ^= 1 << random.randint(0, 7)
        elif change == 3 and found:
            found[at] = random.randint(0, 255)
        elif change == 4:
            del found[at:]
        elif change == 5:
            found[at:at] = random.randbytes(random.randint(1, 16))
        elif change == 6:
            found[at:at] = found[at : at + size]
        elif change == 7:
            del found[at : at + size]
        elif change == 8:
            found[at : at + size] = bytes(len(found[at : at + size]))
        else:
            header = random.choice(HEADERS)
            found[: len(header)] = header
    return bytes(found)


def seeds() -> st.SearchStrategy[Random]:
    """Generators for `damaged` inside a strategy."""
    return st.integers(0, 2**32 - 1).map(Random)


@st.composite
def changed(draw: Draw, value: Any, odd: st.SearchStrategy | None = None) -> Any:
    """`value`, lists and dictionaries, with one thing in it changed, missing, doubled or wrapped."""
    odd = st.sampled_from([*ODD, HUGE, DEEP]) if odd is None else odd
    if isinstance(value, dict) and value and draw(st.integers(0, 7)):
        key = draw(st.sampled_from(sorted(value, key=str)))
        how = draw(st.integers(0, 9))
        rest = {name: other for name, other in value.items() if name != key}
        if how == 0:
            return rest
        if how == 1:
            return {**rest, draw(st.sampled_from(["where", "cls", "x" * 2000, "", 1])): value[key]}
        return {**value, key: draw(changed(value[key], odd))}
    if isinstance(value, list) and value and draw(st.integers(0, 7)):
        at, how = draw(st.integers(0, len(value) - 1)), draw(st.integers(0, 9))
        if how == 0:
            return value[:at] + value[at + 1 :]
        if how == 1:
            return value[:at] + [value[at]] * 2 + value[at + 1 :]
        return value[:at] + [draw(changed(value[at], odd))] + value[at + 1 :]
    return [value] if draw(st.integers(0, 9)) == 0 else draw(odd)


def as_json(value: Any) -> bytes:
    """JSON, or what calls itself so: NaN, integers without end, nesting without end."""
    text = json.dumps(value).replace(json.dumps(HUGE), "9" * 5000)
    return text.replace(json.dumps(DEEP), "[" * 100_000).encode()


DTYPES = ["<f4", ">f8", "<f2", "|O", "<U7", "|S3", "<c16", "|b1", "<i8", "<M8[s]", "|V9", "<U0", "|V0", "x"]
DTYPES += [[("a", "<f4"), ("b", "|O")], [("a", "<f8", (40,))], "<f4,<f4", "f" * 3000, "<V2147483647"]
TEXTS = ["\ud800", "\n\x1b", "", "\U0010ffff", '{"where": 1}', "[" * 99_999, "9" * 9_999, "null"]
SHAPES = [(3, 50, 40), (1 << 40, 50, 40), (-1, 50, 40), (3, 50, 41), (), (0, 50, 40), (2**62, 2**62), (3,)]
SHAPES += [(2, 3, 4) * 20, ("3", 50, 40), (True, 50, 40), (1.5,), None, (1 << 33,)]


@st.composite
def npy(draw: Draw, array: np.ndarray) -> bytes:
    """An array as .npy, mostly with a header that claims something else."""
    how = draw(st.integers(0, 5))
    if how == 0:
        return _npy(array.dtype.str, draw(st.booleans()), array.shape, array.tobytes())
    if how == 1:
        factor = draw(st.sampled_from([1.0, 1e30, 1e38, math.nan, math.inf]))
        kind = draw(st.sampled_from(["<f8", ">f4", "<f2", "<i2", "<c8", "|b1"]))
        with np.errstate(all="ignore"):
            other = (array.astype(np.float64) * factor).astype(kind) if array.dtype.kind in "fiu" else array
        return _npy(other.dtype.str, draw(st.booleans()), other.shape, other.tobytes())
    dtype = draw(st.sampled_from(DTYPES)) if how in (2, 4) else array.dtype.str
    shape = draw(st.sampled_from(SHAPES)) if how in (3, 4) else array.shape
    version = draw(st.sampled_from([1, 1, 1, 2, 3, 9])) if how == 5 else 1
    return _npy(dtype, draw(st.booleans()), shape, array.tobytes(), version)


def _npy(dtype: Any, fortran: bool, shape: Any, data: bytes, version: int = 1) -> bytes:
    header = f"{{'descr': {dtype!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}\n".encode()
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


@st.composite
def npz(draw: Draw, arrays: dict[str, np.ndarray], bombs: tuple[bytes, ...] = ()) -> bytes:
    """Arrays as .npz with one member wrong: its array, name or number, or how it is packed."""
    members = {f"{name}.npy": saved(array) for name, array in arrays.items()}
    name = draw(st.sampled_from(sorted(arrays)))
    how = draw(st.integers(0, 9))
    packing = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    twice = None
    if how == 0:
        del members[f"{name}.npy"]
    elif how == 1:
        members["more.npy"] = draw(npy(arrays[name]))
    elif how == 2:
        twice = f"{name}.npy"
    elif how == 3 and bombs:
        return draw(st.sampled_from(bombs))
    elif how == 4:
        packing = draw(st.sampled_from([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    elif how == 5:
        members[f"{name}.npy"] = damaged(draw(seeds()), members[f"{name}.npy"])
    elif how == 6 and arrays[name].dtype.kind == "U":
        odd = draw(st.sampled_from(TEXTS))
        array = np.full(arrays[name].shape, odd)
        if draw(st.booleans()):  # letters that there are not
            array.reshape(-1).view(np.uint32)[:1] = 0x110000
        members[f"{name}.npy"] = saved(array)
    else:
        members[f"{name}.npy"] = draw(npy(arrays[name]))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content, packing)  # without the time, which changes
        if twice:
            archive.fp.flush()
            archive.NameToInfo.pop(twice)
            archive.writestr(zipfile.ZipInfo(twice), members[twice], packing)
    return file.getvalue()


def saved(array: np.ndarray) -> bytes:
    """An array as .npy."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def endless(arrays: dict[str, np.ndarray], name: str) -> bytes:
    """An array of 3 GB of zeros, packed into 3 MB: more than may be in memory."""
    block = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = block.compress(bytes(1 << 24)) + block.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    count = 3 * 64
    header = _npy("<f4", False, (count << 22,), b"")
    first = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    content = first.compress(header) + first.flush(zlib.Z_FULL_FLUSH) + packed * count + end.flush()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for other in sorted(arrays.keys() - {name}):
            archive.writestr(zipfile.ZipInfo(f"{other}.npy"), saved(arrays[other]))
        archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content)
        member = archive.getinfo(f"{name}.npy")  # as the list at the archive's end shall have it
        member.compress_type, member.file_size = zipfile.ZIP_DEFLATED, len(header) + (count << 24)
    return file.getvalue()


def bomb(shape: tuple[int, ...], arrays: dict[str, np.ndarray], name: str) -> bytes:
    """Zeros in place of an array, packed into a thousandth of their size."""
    file = io.BytesIO()
    np.savez_compressed(file, **{**arrays, name: np.zeros(shape, np.float32)})
    return file.getvalue()
