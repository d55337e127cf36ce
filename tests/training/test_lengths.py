"""Training between devices whose recordings differ in length, and what it says of odd recordings."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers import QUICK, done, make_set, train_command
from same_run import unequal

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.training import load_domains, train
from cyclegan_lib.training.batches import UnpairedData

A, B = make_set("cpc006", n=12, seed=1, shift=10), make_set("BATCH_UPLOAD", n=12, seed=2)
MIXED = np.array([25] * 4 + [50] * 4 + [30] * 3 + [7])  # of B's recordings


def padded(padding: float) -> FeatureSet:
    """B with sequences of `MIXED` lengths."""
    real = np.arange(50)[:, None] < MIXED[:, None, None]
    return replace(B, features=np.where(real, B.features, padding).astype(np.float32), slices=MIXED)


@pytest.fixture
def saved(tmp_path):
    def save(*sets):
        return [given.save(tmp_path / f"{place}.npz") for place, given in zip("ab", sets, strict=True)]

    return save


def test_one_length_and_no_padding(saved):
    domains = load_domains(*saved(A, padded(0)), QUICK)
    assert domains.a.features.shape == (24, 25, 40)
    assert domains.b.features.shape == (4 + 8 + 6, 25, 40)
    assert domains.warnings[-1] == "BATCH_UPLOAD: left out as shorter than 25 slices: 1 of 12 sequences"
    real = {row.tobytes() for row in B.features.reshape(-1, 40)}
    assert all(row.tobytes() in real for row in domains.b.features.reshape(-1, 40))
    # all pieces of a recording are held out together
    for domain, fold in ((domains.a, domains.fold_a), (domains.b, domains.fold_b)):
        assert all(len(set(fold[domain.recording == name])) == 1 for name in set(domain.recording))
    data = UnpairedData(domains, QUICK)
    assert data.example["B"].shape == (25, 40) and len(data.first_b) == 11
    # what the file holds behind a sequence's end changes nothing, not even the fingerprint
    again = load_domains(*saved(A, padded(1e3)), QUICK)
    assert again.facts == domains.facts and again.facts["b"]["sequences"] == 12
    assert again.normalizer.to_dict() == domains.normalizer.to_dict()
    assert np.array_equal(again.b.features, domains.b.features)


def test_a_run_is_the_same_to_the_last_bit_where_all_lengths_are_given(domains, tmp_path):
    paths = []
    for path in domains:
        whole = FeatureSet.load(path)
        paths.append(replace(whole, slices=np.full(len(whole), 50)).save(tmp_path / path.name))
    for sets, folder in ((paths, "given"), (domains, "not")):
        train(*sets, tmp_path / folder, QUICK, progress=False)
    assert unequal(tmp_path / "given", tmp_path / "not") == []


def test_a_run_of_10_s_and_5_s_goes_on_where_it_stopped(quick_start, saved, tmp_path):
    paths = saved(A, padded(0))
    run = train(*paths, tmp_path / "run", QUICK, progress=False)
    assert all(np.isfinite(row["val_distance"]) for row in run.history)
    longer = QUICK.model_copy(update={"max_epochs": 3})
    assert len(train(*paths, tmp_path / "run", longer, run.last, progress=False).history) == 4


def test_windows_are_the_shortest_length_and_too_few_recordings_of_it_are_refused(saved):
    short = replace(B, slices=np.array([3] * 5 + [6] * 7))
    with pytest.raises(InputError, match="b.npz holds 7 recordings; at least 8 .*split-every SECONDS"):
        load_domains(*saved(A, short), QUICK)
    one = replace(A, recording=np.full(12, "long"), start_s=np.arange(12) * 10.0)
    with pytest.raises(
        InputError, match="a.npz holds 1 recording; at least 8 .*extract --split-every SECONDS"
    ):
        load_domains(*saved(one, B), QUICK)


def test_odd_recordings_are_named_once_and_copies_count_once(quick_start, saved, tmp_path, capsys):
    features = A.features.copy()
    features[3], features[5], features[7] = -100, features[4], features[6] + 60
    paths = saved(replace(A, features=features), B)
    out = done(capsys, *train_command(paths, tmp_path / "run"))
    copied = "2 recordings are copies.*'cpc006-004', 'cpc006-005'"
    for says in (copied, "silent: 'cpc006-003'", "62 dB .*: 'cpc006-007'"):
        assert len(re.findall(f"warning: cpc006: {says}", out)) == 1
    assert "cpc006-005" not in load_domains(*paths, QUICK).a.recording
    with pytest.raises(InputError, match="holds 1 recording; at least 8"):
        load_domains(*saved(replace(A, features=A.features[[0] * 12]), B), QUICK)
