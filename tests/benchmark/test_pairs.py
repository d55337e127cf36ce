"""Who hears what: every condition everywhere, no recording twice, and what is refused."""

import shutil
from collections import Counter
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest

from cyclegan_lib.benchmark import pairs
from cyclegan_lib.benchmark.device_pair import check_pair
from cyclegan_lib.benchmark.pairs import PAIRS, build, deal, lacking
from cyclegan_lib.config import DEVICE_A, DEVICE_B
from cyclegan_lib.errors import InputError


class TestDeal:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("each", [3, 4, 5, 9])
    def test_every_condition_is_in_every_part(self, seed, each):
        conditions = [f"c{i}" for i in range(6)] * each
        roles = deal(conditions, seed)
        everywhere = product(set(conditions), (DEVICE_A, DEVICE_B, "test"))
        assert set(zip(conditions, roles, strict=True)) == set(everywhere)
        counts = Counter(roles)
        assert abs(counts[DEVICE_A] - counts[DEVICE_B]) <= 1
        assert counts["test"] == 6 * max(1, each // 4)

    def test_seed(self):
        conditions = ["x", "y"] * 8
        assert np.array_equal(deal(conditions, 1), deal(conditions, 1))
        assert len({tuple(deal(conditions, seed)) for seed in range(5)}) == 5

    def test_two_recordings_are_too_few(self):
        with pytest.raises(InputError, match="condition b has 2 recordings; at least 3"):
            deal(["a", "a", "a", "b", "b"], 0)


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair(name, data):
    pair = build(name, 0, data)
    names = {field.name: set(getattr(pair, field.name).recording) for field in fields(pair)}
    assert not names["train_a"] & names["train_b"]
    assert not (names["train_a"] | names["train_b"]) & names["test_a"]
    assert names["test_a"] == names["test_b"] and names["truth_a"] == names["train_a"]
    assert pair.train_a.label is None and pair.truth_a.label is None
    assert set(pair.test_b.label) <= set(pair.train_b.label)
    devices = [getattr(pair, field.name).device for field in fields(pair)]
    assert devices == [DEVICE_A, DEVICE_B, DEVICE_A, DEVICE_B, DEVICE_B]
    for of_a, of_b in ((pair.train_a, pair.truth_a), (pair.test_a, pair.test_b)):
        assert np.array_equal(of_a.recording, of_b.recording)
        assert np.array_equal(of_a.start_s, of_b.start_s)
        assert not np.allclose(of_a.features, of_b.features, atol=0.5)
    again, other = build(name, 0, data), build(name, 1, data)
    assert np.array_equal(again.train_a.features, pair.train_a.features)
    assert not np.array_equal(other.test_a.features, pair.test_a.features)
    # training recordings are sliced at both offsets, test ones at one
    assert len(pair.train_a) == 2 * len(names["train_a"]) and len(pair.test_a) == len(names["test_a"])


def test_the_shifted_pair_has_other_parts_of_normal_machines(data, monkeypatch):
    settings = pairs.SIMULATED.model_copy(update={"train_recordings": 30})
    monkeypatch.setattr(pairs, "SIMULATED", settings)
    normal = [(build(name, 0, data).train_b.label == "normal").mean() for name in list(PAIRS)[:2]]
    assert normal == pytest.approx([0.25, 0.4], abs=0.05)


class TestMissing:
    def test_what_is_missing_is_named(self, data, tmp_path):
        assert lacking(PAIRS, data) == {}
        assert set(PAIRS) - set(lacking(PAIRS, tmp_path / "none")) == {"simulated", "simulated-shifted"}
        shutil.copytree(data, tmp_path / "data")
        shutil.rmtree(tmp_path / "data" / "cwru" / "fan_end")
        (tmp_path / "data" / "microphones" / "GEC_2373.wav").unlink()
        lacks = lacking(PAIRS, tmp_path / "data")
        assert set(lacks) == {"sensors", "microphones-gec2373"}
        assert "fan_end does not exist" in lacks["sensors"]

    def test_labels_that_cannot_be_used(self, data, tmp_path):
        folder = shutil.copytree(data, tmp_path / "data")
        path = folder / "cwru" / "labels.csv"
        content = path.read_bytes()
        for old, new, says in (
            (b"position_oclock", b"place", "has no column 'position_oclock' .*columns must be recording"),
            (b"drive_end fan_end", b"drive_end", "names no recording of drive_end and fan_end"),
            (b"100,ball", b"100,", "has a row without recording or fault"),
            (content, b"\xff\xfe\x00", "is not a readable CSV file"),
        ):
            path.write_bytes(content.replace(old, new))
            with pytest.raises(InputError, match=f"labels.csv {says}"):
                build("sensors", 0, folder)

    def test_recordings_too_short(self, data, monkeypatch):
        long = pairs.FeatureSettings(8000).model_copy(update={"slices": 9})
        monkeypatch.setattr(pairs, "FeatureSettings", lambda sample_rate: long)
        with pytest.raises(InputError, match="'sensors' has 0 recordings of at least 1.76 s in train_a"):
            build("sensors", 0, data)


@pytest.mark.parametrize(
    ("part", "changes", "says"),
    [
        ("train_b", {"features": np.full((12, 10, 40), -80.0)}, "has only equal features in train_b"),
        ("train_b", {"label": np.repeat("inner_race", 12)}, "have no fault condition in common"),
        (
            "test_b",
            {"label": np.repeat("outer_race", 8)},
            "tested on the fault 'outer_race', which no",
        ),
        ("test_b", {"start_s": np.ones(8)}, "unequal length"),
        ("train_b", {"recording": np.array([*"abcdefgabcde"])}, "has 7 recordings .* in train_b; at least 8"),
    ],
)
def test_what_cannot_be_learned_from_or_measured_is_refused(part, changes, says, labelled_pair):
    changed = replace(getattr(labelled_pair, part), **changes)
    with pytest.raises(InputError, match=f"pair 'it' .*{says}"):
        check_pair("it", replace(labelled_pair, **{part: changed}))
