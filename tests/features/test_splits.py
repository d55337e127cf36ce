"""Splits and folds never separate sequences of one recording."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import FAULTS, done, make_set, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, split_by_recording
from cyclegan_lib.features.splits import fold_of_recordings, split, split_devices

RECORDINGS = np.repeat([f"r{i}" for i in range(10)], 3)


def test_no_recording_stands_on_both_sides_and_the_seed_decides():
    (first, second), (again, _), (other, _) = (split_by_recording(RECORDINGS, 0.3, s) for s in (0, 0, 1))
    assert set(RECORDINGS[first]).isdisjoint(RECORDINGS[second])
    assert (first ^ second).all()
    assert len(set(RECORDINGS[second])) == 3
    assert (first == again).all() and (first != other).any()


def test_both_sides_have_a_recording_and_one_recording_cannot_be_split():
    for fraction in (0.01, 0.99):
        first, second = split_by_recording(RECORDINGS[:6], fraction, 0)
        assert first.any() and second.any()
    with pytest.raises(InputError, match="at least 2 recordings"):
        split_by_recording(RECORDINGS[:3], 0.5, 0)


@pytest.mark.parametrize("common", [12, 6, 1])
def test_what_both_devices_heard_is_on_one_side_of_both(common):
    a, b = make_set("a", n=12), make_set("b", n=12, seed=1)
    others = [f"b{i}" for i in range(12 - common)]
    b = replace(b, recording=np.array([*a.recording[:common], *others]))
    parts = split_devices(a, b, 0.25, seed=0)
    for part in parts:
        assert set(part.train.recording).isdisjoint(part.test.recording)
        assert len(part.train) + len(part.test) == 12 and len(part.test)
    tested = [set(part.test.recording) for part in parts]
    trained = [set(part.train.recording) for part in parts]
    if common > 1:  # those alone are for the test
        assert tested[0] == tested[1] <= set(a.recording[:common])
        assert len(tested[0]) <= common / 2  # a quarter of each class, one at least
        assert tested[0].isdisjoint(trained[0] | trained[1])


@pytest.mark.parametrize(("recordings", "folds"), [(10, 5), (11, 5), (9, 5), (3, 5), (8, 2)])
def test_folds_hold_as_many_recordings_as_each_other_as_near_as_can_be(recordings, folds):
    rng = np.random.default_rng(0)
    names = np.repeat([f"r{i}" for i in range(recordings)], rng.integers(1, 6, recordings))
    names = rng.permutation(names)  # the sequences of a recording need not stand together
    dealt = fold_of_recordings(names, folds, seed=0)
    of_recording = [set(dealt[names == name]) for name in set(names)]
    counts = np.bincount([fold for (fold,) in of_recording])  # one for all sequences of a recording
    assert len(counts) == min(folds, recordings)
    assert counts.min() >= 1 and counts.max() - counts.min() <= 1


def test_the_seed_decides_the_folds_and_the_order_of_the_sequences_does_not():
    first = fold_of_recordings(RECORDINGS, 5, 0)
    assert (first == fold_of_recordings(RECORDINGS, 5, 0)).all()
    assert (first != fold_of_recordings(RECORDINGS, 5, 1)).any()
    assert (first[::-1] == fold_of_recordings(RECORDINGS[::-1], 5, 0)).all()
    assert not (np.diff(first[::3]) >= 0).all()  # dealt in random order, not by name


def test_each_class_gives_the_same_part_and_a_mixture_is_a_class_of_its_own():
    label = np.repeat(["normal"] * 6 + ["ball"] * 3 + ["rare"], 3)
    first, second = split_by_recording(RECORDINGS, 0.34, 1, label)
    assert (first ^ second).all() and set(RECORDINGS[first]).isdisjoint(RECORDINGS[second])
    assert [(label[second] == name).sum() // 3 for name in ("normal", "ball", "rare")] == [2, 1, 0]
    mixed = np.tile(["normal", "ball", "rare"], 10)  # all classes in each
    assert len(set(RECORDINGS[split_by_recording(RECORDINGS, 0.3, 0, mixed)[1]])) == 3


def sides(directory):
    return [FeatureSet.load(directory / f"x_{part}.npz") for part in ("train", "test")]


def test_the_command_splits_a_set(tmp_path, capsys):
    path = make_set("cpc006", n=16).save(tmp_path / "x.npz")
    command = ("split", path, "--output-dir", tmp_path / "out")
    said = done(capsys, *command)
    assert "warning" not in said and "recordings" in said
    train, test = sides(tmp_path / "out")
    assert len(train) == 12 and sorted(test.label) == sorted(FAULTS)
    assert set(train.recording).isdisjoint(test.recording) and train.settings == test.settings
    done(capsys, *command, "--seed", 1)
    assert set(sides(tmp_path / "out")[1].recording) != set(test.recording)
    table = tmp_path / "labels.csv"
    table.write_text(
        "Recording;Load\n"
        + "".join(
            f"{name}.wav;{i % 3}\n" for i, name in enumerate(sorted({*train.recording, *test.recording}))
        ),
        encoding="utf-8",
    )
    by = (*command, "--by", "load", "--labels", table)
    assert "warning" not in done(capsys, *by)
    loads = [{int(name[-3:]) % 3 for name in part.recording} for part in sides(tmp_path / "out")]
    assert loads[0].isdisjoint(loads[1]) and len(loads[0] | loads[1]) == 3
    said = done(capsys, *command, "--labels", table, "--condition", "load")
    assert "the same conditions stand on both sides: '0', '1', '2'" in said
    assert "--labels FILE" in refusal(capsys, *command, "--by", "load")
    assert "no column 'speed'" in refusal(capsys, *command, "--by", "speed", "--labels", table)
    assert "above 0 and below 1" in refusal(capsys, *command, "--test", 1)
    table.write_text(
        table.read_text(encoding="utf-8").replace(";0", ";1").replace(";2", ";1"), encoding="utf-8"
    )
    assert "one condition, '1'" in refusal(capsys, *by)
    table.write_text("recording,load\ncpc006-000,1\n", encoding="utf-8")
    assert "no load for the recording 'cpc006-001', 'cpc006-002'" in refusal(capsys, *by)
    shutil.copyfile(path, tmp_path / "x_train.npz")
    again = ("split", tmp_path / "x_train.npz", "--output-dir", tmp_path)
    assert "x_train_train.npz" in done(capsys, *again)


def test_what_stands_on_both_sides_is_said():
    sound = make_set("cpc006", n=16)
    twice = replace(sound, features=sound.features[[0] * 4 + list(range(4, 16))])
    for seed in range(3):
        found = split(twice, seed=seed)
        assert any("kept together: 'cpc006-000', 'cpc006-001'" in line for line in found.warnings)
        side = [np.isin(twice.recording[:4], part.recording) for part in (found.train, found.test)]
        assert side[0].all() != side[1].all()
    apart = {str(name): str(i // 2 % 2) for i, name in enumerate(sound.recording)}
    assert any(
        "copies of one recording stand on both sides" in line
        for line in split(twice, condition=apart).warnings
    )
    pieces = replace(sound, recording=np.array([f"long@{60 * i:04d}s" for i in range(16)]))
    assert any(
        "pieces of one long recording stand on both sides: 'long'" in line for line in split(pieces).warnings
    )
    alone = replace(sound, label=np.where(np.arange(16) == 0, "rare", "normal"))
    assert split(alone).warnings == ["not in the test set: the class 'rare'"]
