"""Feature sets on disk and back, and what is refused."""

import json

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, check_same_settings


def test_what_is_saved_is_loaded_again(tmp_path):
    written = make_set("cpc006", n=3)
    read = FeatureSet.load(written.save(tmp_path / "a.npz"))
    for name, column in written.columns().items():
        np.testing.assert_array_equal(getattr(read, name), column)
        getattr(read, name)[0] = column[1]  # it may be written to
    assert read.features.dtype == np.float32
    assert (read.device, read.settings) == (written.device, written.settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz"]


def test_the_guides_json_and_npy_are_read(tmp_path):
    features = make_set("x", n=2).features
    (tmp_path / "plant.json").write_text(json.dumps(features.tolist()), encoding="utf-8")
    np.save(tmp_path / "plant.npy", features)
    for name in ("plant.json", "plant.npy"):
        read = FeatureSet.load(tmp_path / name)
        np.testing.assert_array_equal(read.features, features)
        assert read.device == "plant"
        assert len(set(read.recording)) == 2


def broken(**changes):
    arrays = {**make_set("cpc006", n=3).arrays(), "settings": np.str_("null"), **changes}
    return {name: value for name, value in arrays.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"features": np.zeros((3, 50, 39))}, "39 features"),
        ({"features": np.zeros(120)}, r"shape \(120,\)"),
        ({"features": np.zeros((0, 50, 40))}, "shape"),
        ({"features": np.zeros((3, 0, 40))}, "shape"),
        ({"features": np.full((3, 50, 40), np.inf)}, "NaN or infinite features in 3 of 3"),
        ({"features": np.full((3, 50, 40), 1e300)}, "NaN or infinite"),
        ({"features": np.full((3, 50, 40), "x")}, "numbers"),
        (make_set("cpc006", n=1).arrays(), "has 1 sequence; at least 2 are needed"),
        ({"recording": np.array(["a", "b"])}, "'recording' has shape"),
        ({"start_s": np.array([0, 1, np.nan])}, "'start_s'"),
        ({"label": np.array([{}, [], 1], dtype=object)}, "holds pickled Python objects"),
        ({"device": None}, "lacks the array 'device'"),
        ({"device": np.str_(" ")}, "names no device"),
        ({"settings": np.str_("{")}, "not a JSON object"),
        ({"settings": np.str_("[1]")}, "not a JSON object"),
        ({"settings": np.str_('{"sample_rat": 1}')}, "no setting named 'sample_rat'"),
    ],
)
def test_what_must_be_true_is_checked(tmp_path, changes, says):
    np.savez(tmp_path / "a.npz", **broken(**changes))
    with pytest.raises(InputError, match=says) as refused:
        FeatureSet.load(tmp_path / "a.npz")
    assert "a.npz" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.json"])
def test_missing_damaged_and_foreign_files_are_refused_in_one_sentence(tmp_path, name):
    for content in (b"", b"PK\x03\x04 not a zip", b"\x93NUMPY", b"[[1, 2], 3]"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            FeatureSet.load(tmp_path / name)
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    for other, says in ((f"no{name}", "does not exist"), ("", "is a folder"), ("a.wav", "must end in")):
        with pytest.raises(InputError, match=says):
            FeatureSet.load(tmp_path / other)


def test_domains_extracted_differently_are_refused():
    a, b = make_set("cpc006"), make_set("BATCH_UPLOAD", sample_rate=12000)
    with pytest.raises(InputError, match=r"sample_rate 16000 and 12000"):
        check_same_settings(a, b, "a.npz", "b.npz")
    check_same_settings(a, make_set("BATCH_UPLOAD"), "a.npz", "b.npz")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        make_set("cpc006").save(tmp_path / "file" / "a.npz")
    with pytest.raises(InputError, match="must end in .npz"):
        make_set("cpc006").save(tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
