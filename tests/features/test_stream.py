"""The files of feature sets, read and written in parts as they are as a whole."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.feature_set import FeatureStream, regrouped
from cyclegan_lib.features.stream import writing


def assert_equal(x: FeatureSet, expected: FeatureSet) -> None:
    assert x.arrays().keys() == expected.arrays().keys()
    for name, value in expected.arrays().items():
        np.testing.assert_array_equal(x.arrays()[name], value, strict=True)


def joined(parts) -> FeatureSet:
    """All parts as one set."""
    (whole,) = regrouped(parts, 1000)
    return whole


WRITERS = {
    "set.npz": lambda path, x: x.save(path),
    "packed.npz": lambda path, x: np.savez_compressed(path, **x.arrays()),
    "unlabelled.npz": lambda path, x: replace(x, label=None, settings=None).save(path),
    "columns_first.npz": lambda path, x: np.savez(
        path, **{**x.arrays(), "features": np.asfortranarray(x.features.astype(np.float64))}
    ),
    "single.npy": lambda path, x: np.save(path, x.features),
    "double.npy": lambda path, x: np.save(path, x.features.astype(np.float64)),
    "big_endian.npy": lambda path, x: np.save(path, x.features.astype(">f4")),
    "columns_first.npy": lambda path, x: np.save(path, np.asfortranarray(x.features)),
    "whole_numbers.npy": lambda path, x: np.save(path, x.features.astype(np.int16)),
    "a 名.npy": lambda path, x: np.save(path, x.features),
    "list.json": lambda path, x: path.write_text(json.dumps(x.features.tolist()), encoding="utf-8"),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("size", [1, 4, 7, 8, 100])
def test_parts_are_the_set_that_load_reads(name, size, tmp_path):
    path = tmp_path / name
    WRITERS[name](path, make_set("cpc006", n=8))
    expected = FeatureSet.load(path)
    stream = FeatureStream(path)
    parts = list(stream.parts(size))
    assert [len(part) for part in parts] == [min(size, 8 - start) for start in range(0, 8, size)]
    assert_equal(joined(parts), expected)
    assert (len(stream), stream.slices) == (8, 50)


def test_names_are_as_wide_as_the_last_one_needs(tmp_path):
    np.save(tmp_path / "many.npy", np.zeros((100_002, 1, 40), dtype=np.float16))
    parts = list(FeatureStream(tmp_path / "many.npy").parts(60_000))
    assert {part.recording.dtype for part in parts} == {np.dtype("<U11")}
    assert parts[0].recording[7] == "many-00007"
    assert parts[1].recording[-1] == "many-100001"


def nan_at(path, *rows):
    x = make_set("cpc006", n=9)
    x.features[list(rows), 3, 5] = np.nan
    return np.save(path, x.features) if path.suffix == ".npy" else x.save(path)


def damaged(path):
    """One bit of the last sequence is another: only the archive's checksum knows."""
    content = bytearray(make_set("cpc006", n=9).save(path).read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("features.npy")
    content[member.header_offset + member.file_size - 8] ^= 1
    path.write_bytes(content)


BAD = {
    "nan.npz": lambda p: nan_at(p, 1, 7, 8),
    "nan.npy": lambda p: nan_at(p, 8),
    "damaged.npz": damaged,
    "cut.npz": lambda p: p.write_bytes(make_set("cpc006", n=9).save(p).read_bytes()[:-5000]),
    "cut.npy": lambda p: (np.save(p, np.zeros((9, 50, 40))), p.write_bytes(p.read_bytes()[:-100])),
}


@pytest.mark.parametrize("name", BAD)
def test_what_the_whole_shows_to_be_bad_its_parts_show_with_the_same_sentence(name, tmp_path):
    path = tmp_path / name
    BAD[name](path)
    with pytest.raises(InputError, match=name) as expected:
        FeatureSet.load(path)
    with pytest.raises(InputError) as refused:
        list(FeatureStream(path).parts(2))
    assert str(refused.value) == str(expected.value)


def test_nothing_is_given_out_after_the_first_bad_part(tmp_path):
    nan_at(tmp_path / "nan.npy", 3, 8)
    parts = FeatureStream(tmp_path / "nan.npy").parts(2)
    np.testing.assert_array_equal(next(parts).features, make_set("cpc006", n=9).features[:2])
    with pytest.raises(InputError, match="2 of 9 sequences"):
        next(parts)


def test_too_few_sequences_are_refused_at_once(tmp_path):
    path = make_set("x", n=1).save(tmp_path / "one.npz")
    with pytest.raises(InputError, match="one.npz has 1 sequence; at least 2 are needed"):
        FeatureStream(path)
    assert len(FeatureStream(path, least=1)) == 1


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("labelled", [True, False])
def test_the_file_is_the_one_that_save_writes(known, labelled, tmp_path):
    x = make_set("cpc006", n=9)
    x = x if labelled else replace(x, label=None, settings=None)
    x.save(tmp_path / "saved.npz")
    with writing(tmp_path / "parts.npz", len(x) if known else None) as write:
        for part in regrouped([x.select(np.s_[:2]), x.select(np.s_[2:2]), x.select(np.s_[2:])], 4):
            write(part.arrays())
    assert (tmp_path / "parts.npz").read_bytes() == (tmp_path / "saved.npz").read_bytes()
    assert_equal(FeatureSet.load(tmp_path / "parts.npz"), x)


@pytest.mark.parametrize("error", [InputError, KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("known", [True, False])
def test_an_error_leaves_what_was_there(error, known, tmp_path):
    x = make_set("cpc006", n=4)
    (tmp_path / "out.npz").write_bytes(b"before")
    with pytest.raises(error, match="^stop$"):
        with writing(tmp_path / "out.npz", 8 if known else None) as write:
            write(x.arrays())
            raise error("stop")
    assert (tmp_path / "out.npz").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]


def test_parts_that_do_not_belong_together_are_an_error(tmp_path):
    x = make_set("cpc006", n=4)
    for other in (make_set("a_longer_name", n=4), replace(x, features=x.features[:, :30])):
        with pytest.raises(ValueError, match="parts differ"):
            with writing(tmp_path / "out.npz") as write:
                write(x.arrays())
                write(other.arrays())
    with pytest.raises(ValueError, match="4 sequences came, 5 were announced"):
        with writing(tmp_path / "out.npz", 5) as write:
            write(x.arrays())
    assert not list(tmp_path.iterdir())


def test_regrouped_keeps_the_order_and_fills_all_but_the_last():
    x = make_set("cpc006", n=11)
    pieces = [x.select(np.s_[a:b]) for a, b in ((0, 1), (1, 8), (8, 8), (8, 9), (9, 11))]
    parts = list(regrouped(pieces, 3))
    assert [len(part) for part in parts] == [3, 3, 3, 2]
    assert_equal(joined(parts), x)
    assert list(regrouped([], 3)) == []
