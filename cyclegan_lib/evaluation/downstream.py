"""Fault classifiers of the target, asked about the source: in every way, and without the source's labels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.evaluation.baselines import Affine, Baseline, Identity, MeanShift
from cyclegan_lib.evaluation.intervals import wilson
from cyclegan_lib.evaluation.measures import TRANSLATED
from cyclegan_lib.evaluation.report import WayRow
from cyclegan_lib.export.translator import Translator
from cyclegan_lib.faults.expected import expected_accuracy, held_out_probabilities
from cyclegan_lib.faults.models import FaultModels, fault_measures
from cyclegan_lib.faults.shares import estimated_shares
from cyclegan_lib.faults.ways import FORWARD, RECOMMENDED, WAYS, probabilities, trained_by, versions
from cyclegan_lib.features import FeatureSet

OWN_LABELS = "own labels of {}"
# the linear maps that the CycleGAN is compared with in every way
LINEAR = (MeanShift, Affine)


@dataclass
class Downstream:
    """What classifiers say, as far as there are labels; all empty without."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)  # values of each `Row`, by name
    ways: list[WayRow] = field(default_factory=list)
    expected: dict[str, dict[str, float]] = field(default_factory=dict)
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def classified(
    sets: dict[str, FeatureSet], source: FeatureSet, own: FeatureSet | None, labelled: FeatureSet, seed: int
) -> Downstream:
    """Compute accuracies, their intervals and recoveries of the rows' `sets`, the target's own first.

    `own` is the training set of the source: where it has labels, a row says what a classifier that learned
    from them scores, which is what the source's sound holds. Recoveries count from no translation to that or
    to real recordings of the target, whichever is more. Nothing without labels of the source.
    """
    found = Downstream()
    if not labelled.classes or not source.classes:
        return found
    models = FaultModels(seed).fit(labelled)
    # a translated file may have lost its labels, but its sequences are the source's, in the same order
    accuracy = {
        name: models.accuracy(feature_set if i == 0 else source.with_features(feature_set.features, name))
        for i, (name, feature_set) in enumerate(sets.items())
        if i > 0 or feature_set.classes
    }
    null, untranslated = next(iter(sets)), accuracy[Identity.name]
    ceilings = [accuracy[null]] if null in accuracy else []
    missing = sorted(set(source.classes) - set(own.classes)) if own is not None else []
    if own is not None and missing and own.classes:
        found.remarks.append(
            f"No row of {OWN_LABELS.format(source.device)}: the set to fit the source on lacks"
            f" {shown(missing)}."
        )
    elif own is not None and len(own.classes) > 1:
        name = OWN_LABELS.format(source.device)
        accuracy[name] = FaultModels(seed).fit(own).accuracy(source)
        ceilings.append(accuracy[name])
    real = {model: max(each[model] for each in ceilings) for model in untranslated} if ceilings else None
    for name, values in accuracy.items():
        tested = sets[null] if name == null else source
        found.rows[name] = fault_measures(values, untranslated, real) | {
            "interval": _intervals(values, tested)
        }
    return found


def in_every_way(
    source: FeatureSet,
    asked: dict[str, FeatureSet],
    labelled: FeatureSet,
    fitted_on: tuple[np.ndarray, np.ndarray],
    translators: tuple[Translator, Translator],
    length: int,
    found: Downstream,
    seed: int,
) -> None:
    """Use the CycleGAN and the linear maps in each way; add accuracies, and what needs no labels of `source`.

    `asked` are the translations of the source by their names, `fitted_on` the slices of both devices that the
    linear maps are fitted on, in both directions. Classifiers see the first `length` slices of a sequence;
    translations, which see whole ones, come before. Without labels of the source there is only the expected
    accuracy, and its class shares.
    """
    labelled = labelled.select(labelled.labelled)
    for name in (*(kind.name for kind in LINEAR if source.classes), TRANSLATED):
        if name == TRANSLATED:
            # what came back is not checked: it has the settings of where it was recorded, its channel for one
            there, back = translators[0].translated, translators[1].translate_set
        else:
            kind = next(kind for kind in LINEAR if kind.name == name)
            there, back = (_mapped(kind().fit(*sets)) for sets in (fitted_on, fitted_on[::-1]))
        trained_on = versions(labelled, back, there, seed)
        trained_on = {version: each.first(length) for version, each in trained_on.items()}
        classes, by_way = probabilities(trained_on, {"A": source, "AB": asked[name]}, seed)
        if source.classes:
            forward = {model: found.rows[name][f"accuracy_{model}"] for model in by_way[RECOMMENDED]}
            each = {FORWARD: forward} | {way: _accuracy(p, classes, source) for way, p in by_way.items()}
            found.ways += [
                WayRow(
                    name,
                    way,
                    **{f"accuracy_{model}": value for model, value in values.items()},
                    interval=_intervals(values, source),
                    baseline=name != TRANSLATED,
                )
                for way, values in each.items()
            ]
    _without_labels(trained_on, by_way[RECOMMENDED], source, classes, found, seed)


def _without_labels(
    trained_on: dict[str, FeatureSet],
    asked: dict[str, np.ndarray],
    source: FeatureSet,
    classes: list[str],
    found: Downstream,
    seed: int,
) -> None:
    """Expected accuracy and class shares in the recommended way; `trained_on` of the labelled set."""
    sets = [trained_on[WAYS[way][0]] for way in trained_by(RECOMMENDED)]
    labelled = sets[0]
    truth = np.searchsorted(classes, labelled.label)
    try:
        votes = [held_out_probabilities(each, seed) for each in sets]
    except InputError as error:  # too few recordings to hold some out
        found.remarks.append(f"No expected accuracy: {error}.")
        votes = []
    for model, answers in asked.items() if votes else ():
        held_out = np.mean([vote[model] for vote in votes], axis=0)  # (sequences, classes)
        right, groups = held_out.argmax(axis=1) == truth, (labelled.recording, source.recording)
        found.expected[model] = expected_accuracy(held_out, right, answers, groups, seed)._asdict()
    prior = np.bincount(truth, minlength=len(classes)) / len(truth)
    shares = estimated_shares(np.mean(list(asked.values()), axis=0), prior)
    found.shares = {
        name: {"source": float(share), "target": float(of_target)}
        for name, share, of_target in zip(classes, shares, prior, strict=True)
    }


def _mapped(baseline: Baseline):
    return lambda given: given.with_features(baseline.transform(given.features), given.device)


def _accuracy(asked: dict[str, np.ndarray], classes: list[str], source: FeatureSet) -> dict[str, float]:
    known, names = source.labelled, np.array(classes)
    return {
        model: float(np.mean(names[answers.argmax(axis=1)][known] == source.label[known]))
        for model, answers in asked.items()
    }


def _intervals(accuracy: dict[str, float], tested: FeatureSet) -> dict[str, tuple[float, float]]:
    recordings = len(np.unique(tested.recording[tested.labelled]))
    return {f"accuracy_{model}": wilson(value, recordings) for model, value in accuracy.items()}
