"""Splits and folds that keep all sequences of one recording together."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan_lib.errors import InputError, printable, some
from cyclegan_lib.features.check import copies
from cyclegan_lib.features.feature_set import FeatureSet
from cyclegan_lib.features.labels import read_labels
from cyclegan_lib.files import writable_npz

BY_RECORDING = "recording"
PIECE = re.compile(r"@\d+s$")  # ends the name of a piece of a long recording (`extract --split-every`)


def split_by_recording(
    recording: np.ndarray, fraction: float, seed: int, label: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split sequences in two so that no recording stands on both sides.

    `recording` names that of each sequence, (sequences,), or the group that is to stay together. The part
    `fraction` of the *recordings* goes to the second side, at least one of them; with `label`, (sequences,),
    the part of each class (of each mixture, where a group has several), at least one where it has two.
    Returns which sequences are on the first and on the second side, bool (sequences,) each. Raises InputError
    with fewer than two recordings, which cannot be split.
    """
    names = np.unique(recording)
    if len(names) < 2:
        raise InputError(
            f"all sequences come from one recording ('{names[0]}');"
            " at least 2 recordings are needed to hold one out"
        )
    rng = np.random.default_rng(seed)
    chosen: list[np.ndarray] = []
    for alike in _of_one_class(recording, label):
        if len(alike) > 1:
            held_out = min(max(1, round(fraction * len(alike))), len(alike) - 1)
            chosen.append(rng.permutation(alike)[:held_out])
    if not chosen:  # no class has two: any of them
        return split_by_recording(recording, fraction, seed)
    second = np.isin(recording, np.concatenate(chosen))
    return ~second, second


def _of_one_class(recording: np.ndarray, label: np.ndarray | None) -> Iterator[np.ndarray]:
    """The names of the recordings of each class, or of each mixture of classes."""
    if label is None:
        yield np.unique(recording)
        return
    classes: dict[str, set[str]] = defaultdict(set)
    for name, of_class in np.unique(np.stack([recording, label]), axis=1).T:
        classes[name].add(of_class)
    mixtures: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, of_recording in classes.items():
        mixtures[tuple(sorted(of_recording))].append(name)
    for mixture in sorted(mixtures):
        yield np.array(sorted(mixtures[mixture]))


def fold_of_recordings(recording: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal recordings into folds of equal size, as near as can be.

    `recording` names that of each sequence, (sequences,). Returns the fold of each, int (sequences,), 0 to
    `folds` - 1, the same for all sequences of a recording; with fewer recordings there are as many folds.
    """
    return dealt(recording, seed) % folds


def dealt(recording: np.ndarray, seed: int) -> np.ndarray:
    """In which order the seed deals the recordings, from 0: of each sequence, int (sequences,)."""
    names, place = np.unique(recording, return_inverse=True)
    order = np.empty(len(names), dtype=int)
    order[np.random.default_rng(seed).permutation(len(names))] = np.arange(len(names))
    return order[place]


@dataclass(frozen=True)
class Split:
    """Two parts of a feature set, and what makes the second a worse test than it looks."""

    train: FeatureSet
    test: FeatureSet
    warnings: list[str]

    def __str__(self) -> str:
        lines = [f"{'':16s}  training  test"]
        counts = [_recordings_of(part) for part in (self.train, self.test)]
        for name in dict.fromkeys(["recordings", *counts[0], *counts[1]]):
            lines.append(f"{name:16s}  {counts[0].get(name, 0):8d}  {counts[1].get(name, 0):4d}")
        return "\n".join(lines + [f"warning: {warning}" for warning in self.warnings])


def split(
    feature_set: FeatureSet,
    fraction: float = 0.25,
    seed: int = 0,
    condition: Mapping[str, str] | None = None,
    by_condition: bool = True,
) -> Split:
    """Split a set for training and test, the part `fraction` of the recordings for the test.

    Recordings stay whole, and with their copies; with the `condition` of each (load, speed, machine, by
    recording) all of one condition stay together, unless `by_condition` is False: then those on both sides
    are only named. Of each class, where there are labels, the same part is for the test. Raises InputError
    if there is but one recording or condition.
    """
    group_of = {str(name): str(name) for name in np.unique(feature_set.recording)}
    if condition is not None and by_condition:
        group_of = {name: condition[name] for name in group_of}
        if len(conditions := set(group_of.values())) < 2:
            raise InputError(
                f"all recordings are of one condition, '{conditions.pop()}'; at least 2 are needed to hold"
                " one out, or split --by recording"
            )
    else:
        for names in copies(feature_set):
            group_of |= dict.fromkeys(names, names[0])
    group = np.array([group_of[name] for name in feature_set.recording])
    first, second = split_by_recording(group, fraction, seed, feature_set.label)
    train, test = feature_set.select(first), feature_set.select(second)
    return Split(train, test, list(_warnings(train, test, condition)))


def split_devices(a: FeatureSet, b: FeatureSet, fraction: float = 0.25, seed: int = 0) -> tuple[Split, Split]:
    """Split the sets of two devices; what both heard, by its name, is on one side, training or test, of both.

    Where they have names in common these alone are for the test, the part `fraction` of them: a translation
    can then be compared with the same moments. Raises InputError as `split` does.
    """
    common = np.intersect1d(a.recording, b.recording)
    if len(common) < 2:
        return split(a, fraction, seed), split(b, fraction, seed)
    dealt = b if b.label is not None else a
    chosen = split(dealt.select(np.isin(dealt.recording, common)), fraction, seed).test.recording
    sides = []
    for heard in (a, b):
        test = np.isin(heard.recording, chosen)
        train, test = heard.select(~test), heard.select(test)
        sides.append(Split(train, test, list(_warnings(train, test, None))))
    return sides[0], sides[1]


def split_file(
    path: Path,
    output_dir: Path,
    by: str = BY_RECORDING,
    fraction: float = 0.25,
    table: Path | None = None,
    column: str | None = None,
    encoding: str | None = None,
    seed: int = 0,
) -> tuple[Split, Path, Path]:
    """Split the feature set at `path` into ``NAME_train.npz`` and ``NAME_test.npz`` in `output_dir`.

    ``cyclegan split SET --output-dir DIR`` runs this. `by` is "recording", or the column of `table` with each
    recording's condition; `column` is one whose conditions are only looked at. Returns the split and both
    paths. Raises InputError as `split` and `read_labels` do, if a recording has no condition, or the files
    cannot be written or are inputs.
    """
    if not 0 < fraction < 1:
        raise InputError(f"--test {fraction:g} is no part of the recordings; give one above 0 and below 1")
    column = column if by == BY_RECORDING else by
    if column is not None and table is None:
        raise InputError(f"the conditions '{column}' are a column of a table; give it with --labels FILE")
    feature_set = FeatureSet.load(path)
    outputs = [Path(output_dir) / f"{Path(path).stem}_{part}.npz" for part in ("train", "test")]
    for output in outputs:
        writable_npz(output, path, table)
    condition = None
    if column is not None:
        names = [str(name) for name in np.unique(feature_set.recording)]
        condition = read_labels(table, column, names, Path(path), encoding).of
        if missing := [name for name in names if not condition[name]]:
            raise InputError(f"{table} has no {column} for the recording {some(missing)}; add a row for it")
    parts = split(feature_set, fraction, seed, condition, by != BY_RECORDING)
    parts.train.save(outputs[0])
    parts.test.save(outputs[1])
    return parts, *outputs


def _warnings(train: FeatureSet, test: FeatureSet, condition: Mapping[str, str] | None) -> Iterator[str]:
    sides = [set(map(str, part.recording)) for part in (train, test)]
    for group in copies(train, test):
        if sides[0] & set(group) and sides[1] & set(group):
            yield f"copies of one recording stand on both sides: {some(group)}"
        else:
            yield f"copies of one recording, kept together: {some(group)}"
    longer = [{PIECE.sub("", name) for name in side if PIECE.search(name)} for side in sides]
    if both := sorted(longer[0] & longer[1]):
        yield f"pieces of one long recording stand on both sides: {some(both)}"
    if condition is not None:
        both = sorted({condition[name] for name in sides[0]} & {condition[name] for name in sides[1]})
        if both:
            yield f"the same conditions stand on both sides: {some(both)}"
    counts = [_recordings_of(part) for part in (train, test)]
    for here, there, which in ((*counts, "test"), (*counts[::-1], "training")):
        if alone := sorted(here.keys() - there.keys()):
            yield f"not in the {which} set: the class {some(alone)}"


def _recordings_of(feature_set: FeatureSet) -> dict[str, int]:
    """How many recordings there are, and of each class."""
    names, first = np.unique(feature_set.recording, return_index=True)
    counts = {"recordings": len(names)}
    if feature_set.label is not None:
        classes, number = np.unique(feature_set.label[first], return_counts=True)
        counts |= {
            printable(str(name)) or "(no label)": int(n) for name, n in zip(classes, number, strict=True)
        }
    return counts
