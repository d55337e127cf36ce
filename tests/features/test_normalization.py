"""Normalisation there and back, and statistics that are none."""

import json

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import Normalizer, normalization

A, B = make_set("cpc006", seed=1, shift=10).features, make_set("BATCH_UPLOAD", n=5, seed=2).features


def test_shared_moments_keep_the_difference_between_devices_and_weigh_both_the_same():
    normalizer = Normalizer.fit(A, B)
    np.testing.assert_array_equal(normalizer.mean_a, normalizer.mean_b)
    np.testing.assert_array_equal(normalizer.std_a, normalizer.std_b)
    apart = normalizer.normalize(A, "A").mean() - normalizer.normalize(B, "B").mean()
    expected = ((A.mean(axis=(0, 1)) - B.mean(axis=(0, 1))) / normalizer.std_a).mean()
    assert apart == pytest.approx(expected, abs=1e-4)
    assert apart > 1
    thrice = Normalizer.fit(np.concatenate([A, A, A]), B)
    np.testing.assert_allclose(thrice.mean_a, normalizer.mean_a, rtol=1e-6)


def test_many_slices_are_summed_in_parts_to_the_same_bits(monkeypatch):
    monkeypatch.setattr(normalization, "PART", 7)
    slices = A.reshape(-1, 40).astype(np.float64)
    normalizer = Normalizer.fit(A, B, mode="per-domain")
    np.testing.assert_array_equal(normalizer.mean_a, slices.mean(axis=0))
    np.testing.assert_array_equal(normalizer.std_a, slices.std(axis=0))


def test_per_domain_moments_make_each_domain_standard():
    normalizer = Normalizer.fit(A, B, mode="per-domain")
    for x, domain in ((A, "A"), (B, "B")):
        z = normalizer.normalize(x, domain)
        np.testing.assert_allclose(z.mean(axis=(0, 1)), 0, atol=1e-4)
        np.testing.assert_allclose(z.std(axis=(0, 1)), 1, atol=1e-4)
        np.testing.assert_allclose(normalizer.denormalize(z, domain), x, atol=1e-4)  # and back


def test_constant_features_do_not_blow_up():
    flat = np.full((4, 50, 40), -100.0, np.float32)
    flat[0, 0, 0] += 1e-5  # rounding, not sound
    z = Normalizer.fit(flat, flat).normalize(flat, "A")
    assert np.abs(z).max() < 1e-3


def test_json_round_trip_is_exact(tmp_path):
    written = Normalizer.fit(A, B, "per-domain")
    read = Normalizer.load(written.save(tmp_path / "normalization_params.json"))
    names = ["mean_a", "std_a", "mean_b", "std_b"]
    assert list(json.loads((tmp_path / "normalization_params.json").read_text(encoding="utf-8"))) == names
    for name in names:
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mean_a": [0.0] * 39}, "'mean_a' must be 40"),
        ({"std_b": [0.0] * 40}, "'std_b' must be above 0"),
        ({"std_a": [float("nan")] * 40}, "'std_a' must be 40 finite"),
        ({"mean_b": None}, "mean_b"),
        ({"mean_b": ["x"] * 40}, "mean_b"),
    ],
)
def test_wrong_statistics_and_an_unknown_mode_are_refused(tmp_path, change, says):
    path = tmp_path / "n.json"
    path.write_text(json.dumps({**Normalizer.fit(A, B).to_dict(), **change}), encoding="utf-8")
    with pytest.raises(InputError, match=says):
        Normalizer.load(path)
    with pytest.raises(InputError, match="shared or per-domain"):
        Normalizer.fit(A, B, "global")
