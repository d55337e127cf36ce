"""Recordings that both devices made, on disk and back, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, Pairs

A = make_set("cpc006", n=4)


def as_heard_by_b(rows, sequences=A):
    """Return those sequences of A in that order, 3 dB louder."""
    return sequences.select(np.array(rows)).with_features(sequences.features[rows] + 3, "BATCH_UPLOAD")


def test_rows_that_agree_in_recording_and_start_are_paired():
    long = FeatureSet(
        np.arange(6, dtype=np.float32)[:, None, None] + np.zeros((1, 50, 40), np.float32),
        np.array(["x", "x", "y", "y", "z", "z"]),
        np.array([0.0, 10.0] * 3),
        "cpc006",
        A.settings,
    )
    pairs = Pairs.of(long, as_heard_by_b([3, 4, 0], long))
    assert pairs.features_a[:, 0, 0].tolist() == [0, 3, 4]
    np.testing.assert_array_equal(pairs.features_b, pairs.features_a + 3)
    assert pairs.recording.tolist() == ["x", "y", "z"]
    both = Pairs.of(long, as_heard_by_b([1, 0, 2], long))
    assert both.recording.tolist() == ["x", "x", "y"]
    assert len(both) == 2  # recordings, not sequences
    # starts agree to the millisecond
    shifted = replace(as_heard_by_b([0, 1, 2, 3]), start_s=np.array([1e-9, 0.02, 0, 0]))
    assert Pairs.of(A, shifted).recording.tolist() == A.recording[[0, 2, 3]].tolist()


def test_nothing_in_common_and_other_settings_are_refused():
    with pytest.raises(InputError, match="of cpc006 has the name and start of one of BATCH_UPLOAD"):
        Pairs.of(A, make_set("BATCH_UPLOAD", n=4))
    with pytest.raises(InputError, match="different settings"):
        Pairs.of(A, make_set("BATCH_UPLOAD", n=4, sample_rate=12000))


def test_what_is_saved_is_loaded(tmp_path):
    pairs = Pairs.of(A, as_heard_by_b([2, 0]))
    read = Pairs.load(pairs.save(tmp_path / "pairs.npz"))
    for name in ("features_a", "features_b", "recording"):
        np.testing.assert_array_equal(getattr(read, name), getattr(pairs, name))
    assert read.features_a.dtype == np.float32 and len(read) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["pairs.npz"]
    with pytest.raises(InputError, match="pairs.npy must end in .npz"):
        pairs.save(tmp_path / "pairs.npy")


ZEROS = np.zeros((3, 50, 40), np.float32)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"features_b": None}, "lacks the array 'features_b'"),
        ({"recording": None}, "lacks the array 'recording'"),
        ({"recording": np.array([{}, [], 1], dtype=object)}, "holds pickled Python objects"),
        ({"features_a": ZEROS[:2]}, r"shape \(2, 50, 40\) and \(3, 50, 40\)"),
        ({"features_a": ZEROS[:, 0], "features_b": ZEROS[:, 0]}, r"\(sequences, slices, 40\)"),
        ({"features_b": ZEROS.astype(str)}, "must be numbers"),
        ({"features_b": ZEROS + np.nan}, "NaN or infinite"),
        ({"features_a": ZEROS + np.inf}, "NaN or infinite"),
        ({"recording": np.array(["a", "b"])}, "must name each of the 3 sequences"),
        ({"recording": np.array("a")}, "must name each of the 3 sequences"),
    ],
)
def test_a_file_that_holds_no_pairs_is_refused(tmp_path, changed, says):
    arrays = {"features_a": ZEROS, "features_b": ZEROS, "recording": np.array(list("abc")), **changed}
    np.savez(tmp_path / "bad.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(InputError, match=f"bad.npz.*{says}"):
        Pairs.load(tmp_path / "bad.npz")


def test_missing_damaged_and_foreign_files_are_refused(tmp_path):
    half = A.save(tmp_path / "half.npz")
    half.write_bytes(half.read_bytes()[:5000])
    np.save(tmp_path / "array.npy", ZEROS)
    damaged = "is damaged or not an .npz file"
    for name, says in (("half.npz", damaged), ("array.npy", damaged), ("missing.npz", "does not exist")):
        with pytest.raises(InputError, match=f"{name} {says}; write it with"):
            Pairs.load(tmp_path / name)
