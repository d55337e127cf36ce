"""Recordings that both devices made, on disk and back, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import CWRU, make_set

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, Pairs
from cyclegan_lib.features.extract import extract

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


def sounds(n, slices=50, deviation=1.0, seed=0, device="cpc006"):
    """Recordings whose level wanders from slice to slice by so many dB, and noise of each band."""
    rng = np.random.default_rng(seed)
    level = deviation * rng.normal(size=(n, slices, 1))
    return replace(
        make_set(device, n=n),
        features=(level - 40 + 0.3 * rng.normal(size=(n, slices, 40))).astype(np.float32),
        recording=np.array([f"{i:08d}" for i in range(n)]),
    )


def heard(recordings, noise, seed=9):
    """The same moments as another device hears them, with noise of its own in each band and in all."""
    rng = np.random.default_rng(seed)
    n, slices, _ = recordings.features.shape
    own = noise * (rng.normal(size=(n, slices, 1)) + rng.normal(size=(n, slices, 40)))
    return recordings.with_features(0.7 * recordings.features - 20 + own, "BATCH_UPLOAD")


@pytest.mark.parametrize("n", [1, 4, 40])
@pytest.mark.parametrize("slices", [10, 50])
@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_the_same_moments_are_pairs_without_a_word(n, slices, noise, capsys):
    quiet = sounds(n, slices)
    assert len(Pairs.of(quiet, heard(quiet, noise))) == n
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("n", [16, 40])
def test_names_that_agree_by_chance_are_no_pairs(n):
    with pytest.raises(InputError, match="not of the same moments .*levels over time correlate by -?0.[01]"):
        Pairs.of(sounds(n, seed=1), sounds(n, seed=2, device="BATCH_UPLOAD"))


def test_steady_or_few_sounds_cannot_tell_and_that_is_said(capsys):
    for n, deviation in ((40, 0.1), (3, 1.0)):
        a, b = (sounds(n, 50, deviation, seed, device) for seed, device in ((1, "cpc006"), (2, "B")))
        assert len(Pairs.of(a, b)) == n
        assert (
            "may not be of the same moments: their levels over time correlate by" in capsys.readouterr().out
        )


def test_pairs_of_different_lengths_are_cut_alike():
    long = sounds(6)
    short = heard(long, 0.1).cut(25)  # two sequences of each recording
    pairs = Pairs.of(long, short)
    assert pairs.features_a.shape == pairs.features_b.shape == (12, 25, 40) and len(pairs) == 6
    np.testing.assert_allclose(pairs.features_a, (pairs.features_b + 20) / 0.7, atol=2)
    features = np.where(np.arange(50)[:, None] < 20, long.features, 1e3)
    padded = replace(long, slices=np.full(6, 20), features=features)
    assert Pairs.of(padded, heard(long, 0.1)).features_a.shape == (6, 20, 40)


@pytest.mark.skipif(not CWRU.is_dir(), reason="the real recordings are not there: ../shared/data")
@pytest.mark.parametrize(
    ("folder", "a", "b", "rate"),
    [(CWRU, "fan_end", "drive_end", 12000), (CWRU.parent / "motors", "phone", "hifi", 16000)],
)
def test_real_pairs_pass_without_a_word_and_shuffled_ones_do_not(folder, a, b, rate, tmp_path, capsys):
    names = sorted(path.name for path in (folder / a).iterdir())[::3]
    (tmp_path / "list.txt").write_text("\n".join(names), encoding="utf-8")
    settings, given = FeatureSettings(sample_rate=rate), {"recordings_list": tmp_path / "list.txt"}
    a, b = (extract(folder / name, name, settings, progress=False, **given)[0] for name in (a, b))
    capsys.readouterr()
    assert len(Pairs.of(a, b)) > 12
    assert capsys.readouterr().out == ""
    try:
        Pairs.of(a, replace(b, features=np.roll(b.features, 5, axis=0)))
    except InputError as error:
        assert "not of the same moments" in str(error)
    else:
        assert "may not be of the same moments" in capsys.readouterr().out


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
