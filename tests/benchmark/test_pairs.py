"""Who hears what: every condition everywhere, no recording twice, and what is refused."""

import shutil
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest

from cyclegan_lib.benchmark import pairs
from cyclegan_lib.benchmark.device_pair import check_pair
from cyclegan_lib.benchmark.pairs import PAIRS, Labelled, build, deal, lacking
from cyclegan_lib.config import DEVICE_A, DEVICE_B
from cyclegan_lib.errors import InputError


def rows(conditions):
    return [Labelled(f"r{i}", name[0], name, i) for i, name in enumerate(conditions)]


class TestDeal:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("each", [3, 4, 5, 9])
    def test_every_condition_is_in_every_third(self, seed, each):
        conditions = [f"c{i}" for i in range(6)] * each
        thirds = deal(rows(conditions), seed)
        assert set(zip(conditions, thirds, strict=True)) == set(product(set(conditions), range(3)))
        counts = np.bincount(thirds)
        assert counts.max() - counts.min() <= 1

    def test_seed(self):
        some = rows(["x", "y"] * 8)
        assert np.array_equal(deal(some, 1), deal(some, 1))
        assert len({tuple(deal(some, seed)) for seed in range(5)}) == 5

    def test_small_conditions_of_a_fault_are_dealt_as_one_and_two_recordings_are_too_few(self):
        assert sorted(deal(rows(["b1", "b2", "b2"]), 0)) == [0, 1, 2]
        with pytest.raises(InputError, match="condition b has 2 recordings; at least 3"):
            deal(rows(["a", "a", "a", "b1", "b2"]), 0)


def names(pair):
    return {field.name: set(getattr(pair, field.name).recording) for field in fields(pair)}


ALIKE = "microphones-stc4035", "microphones-gec2373", "motors-reversed", "motors-shifted"
EACH_PAIR = [pytest.param(name, marks=pytest.mark.slow) if name in ALIKE else name for name in PAIRS]


@pytest.mark.parametrize("name", EACH_PAIR)
def test_every_pair(name, data):
    rotations = build(name, 0, data)
    assert len(rotations) == (3 if PAIRS[name].rotated else 1)
    for pair in rotations:
        of = names(pair)
        assert not of["train_a"] & of["train_b"]
        assert not (of["train_a"] | of["train_b"]) & of["test_a"]
        assert of["test_a"] == of["test_b"] and of["truth_a"] == of["train_a"] == of["labelled_a"]
        assert pair.train_a.label is None and pair.truth_a.label is None
        assert set(pair.test_b.label) <= set(pair.train_b.label) and set(pair.labelled_a.label)
        devices = [getattr(pair, field.name).device for field in fields(pair)]
        assert devices == [DEVICE_A, DEVICE_B, DEVICE_A, DEVICE_B, DEVICE_B, DEVICE_A]
        for of_a, of_b in ((pair.train_a, pair.truth_a), (pair.test_a, pair.test_b)):
            assert np.array_equal(of_a.recording, of_b.recording)
            assert np.array_equal(of_a.start_s, of_b.start_s)
            assert not np.allclose(of_a.features, of_b.features, atol=0.5)
        # training recordings are sliced at both offsets, test ones at one
        assert len(pair.train_a) == 2 * len(of["train_a"]) and len(pair.test_a) == len(of["test_a"])
    again, other = build(name, 0, data)[0], build(name, 1, data)[0]
    assert np.array_equal(again.train_a.features, rotations[0].train_a.features)
    assert not np.array_equal(other.test_a.features, rotations[0].test_a.features)


def test_each_real_recording_is_tested_once_a_seed_and_trains_each_device_once(data):
    rotations = [names(pair) for pair in build("motors", 0, data)]
    for part in ("test_a", "train_a", "train_b"):
        assert sorted(name for of in rotations for name in of[part]) == sorted(f"m{i}" for i in range(36))
    turned, ahead = (build(name, 0, data)[0] for name in ("motors-reversed", "motors"))
    assert np.array_equal(turned.test_a.features, ahead.test_b.features)


def test_the_shifted_pairs_have_other_parts_of_sound_machines(data, monkeypatch):
    settings = pairs.SIMULATED.model_copy(update={"train_recordings": 30})
    monkeypatch.setattr(pairs, "SIMULATED", settings)
    normal = [(build(name, 0, data)[0].train_b.label == "normal").mean() for name in list(PAIRS)[:2]]
    assert normal == pytest.approx([0.25, 0.4], abs=0.05)
    for whole, cut in zip(build("motors", 0, data), build("motors-shifted", 0, data), strict=True):
        healthy = [(pair.train_b.label == "healthy").sum() for pair in (whole, cut)]
        assert healthy[1] == 2 * round(healthy[0] / 2 / 3)
        assert np.array_equal(whole.train_a.features, cut.train_a.features)
        assert (cut.train_b.label == "unbalance").sum() == (whole.train_b.label == "unbalance").sum()


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
