"""Judge a translation: every measure, beside the target itself and beside every baseline."""

from pathlib import Path

import numpy as np

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.baselines import BASELINES, Identity
from cyclegan_lib.evaluation.cautions import cautions, remarks, trained_on, without_copies
from cyclegan_lib.evaluation.checks import check_sets, match_by_name
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.evaluation.downstream import Downstream, classified, in_every_way
from cyclegan_lib.evaluation.halvings import distances_over_halvings, halvings
from cyclegan_lib.evaluation.intervals import nmse_interval
from cyclegan_lib.evaluation.measures import TRANSLATED, UNTRAINED
from cyclegan_lib.evaluation.model import Model
from cyclegan_lib.evaluation.pairing import doubts, paired_truth
from cyclegan_lib.evaluation.report import Evaluation, Row
from cyclegan_lib.features import FeatureSet, Normalizer
from cyclegan_lib.features.lengths import common_length, left_out, shared_slices


def evaluate(
    source: FeatureSet,
    translated: FeatureSet,
    target: FeatureSet,
    *,
    paired: FeatureSet | None = None,
    labelled: FeatureSet | None = None,
    fit_source: FeatureSet | None = None,
    fit_target: FeatureSet | None = None,
    model: str | Path | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Evaluation:
    """Measure how near `translated` comes to the target, beside the null and the baselines.

    Every distance is computed between k recordings of a row and k *other* recordings of the target (k is
    half of the target's, or fewer where the source has fewer), so that the null, one half of the target
    against the other, has the same sample sizes and the same bias as every other row. A name that is in
    both sets is never on both sides. The means over 4 seeded halvings are reported. Features are z-scored
    with the target's mean and deviation, so that loud and quiet bands weigh the same. Sequences with equal
    features are one. Where sequences differ in length, distances and accuracies are those of equally many
    slices, the first of each sequence; errors and baselines take all.

    Raises InputError if a set has fewer than 2 recordings, other settings, a wrong device or classes that
    `labelled` lacks, if sequences cannot be matched or the pairs are of other moments, or if one of
    `fit_source` and `fit_target` is missing.

    Parameters
    ----------
    source : FeatureSet
        The source, untranslated.
    translated : FeatureSet
        The same sequences, translated; matched by recording and start, in any order.
    target : FeatureSet
        Real recordings of the target device, not used in training.
    paired : FeatureSet, optional
        The same sounds as the source heard by the target device, for NMSE; matched like `translated`.
    labelled : FeatureSet, optional
        The target's training recordings with fault labels. Accuracies need the source's labels as well,
        recoveries also those of the target; what has no labels is left out.
    fit_source, fit_target : FeatureSet, optional
        What the baselines (and, with `fit_target`, the z-scores) are fitted on: the recordings that the
        CycleGAN was trained on. Without them the source and target themselves, which flatters the baselines.
    model : path, optional
        Exported folder that translated: where it was trained on the source or the target, the result says so.
        Adds the row *CycleGAN, untrained*, its linear start with its gains; and, with `labelled`, every way
        of use (`faults.ways`), the accuracy to expect without labels of the source, and its class shares.

    Every accuracy and NMSE has a 95 % interval, over recordings (`evaluation.intervals`).
    """
    given = {"source": source, "translated": translated, "target": target, "paired": paired}
    given |= {"labelled": labelled, "fit_source": fit_source, "fit_target": fit_target}
    given = {name: feature_set for name, feature_set in given.items() if feature_set is not None}
    check_sets(given)
    if (fit_source is None) != (fit_target is None):
        raise InputError("only one of the sets to fit the baselines on is given; give both or neither")
    matched = {"translated": match_by_name(source, translated, "translated")}
    if not np.array_equal(matched["translated"].lengths, source.lengths):
        raise InputError(
            "the translated set has sequences of other lengths than the source; translate it again"
        )
    if paired is not None:
        matched["paired"] = paired_truth(source, paired)
    given = without_copies(before := {**given, **matched})
    source, translated, target, truth = map(given.get, ("source", "translated", "target", "paired"))
    network = None if model is None else Model.load(model, source, translated)
    trained = trained_on(given, network and network.facts)

    fit_a, fit_b = (source, target) if fit_source is None else (fit_source, fit_target)
    sets = {f"real {target.device}": target}
    for name, baseline in BASELINES.items():
        moved = baseline().fit(fit_a.real_slices(), fit_b.real_slices()).transform(source.features)
        sets[name] = source.with_features(moved, source.device if baseline is Identity else target.device)
    if network is not None:
        sets[UNTRAINED] = network.untrained(source)
    sets[TRANSLATED] = translated.with_features(translated.features, target.device)

    null, *others = sets
    doubtful, said, error, interval = [], [], {}, {}
    if truth is not None:
        doubtful = doubts(source, truth)
        shared = int(np.minimum(source.lengths, truth.lengths).sum())
        if shared < source.lengths.sum():
            said.append(
                f"NMSE: of {shared} of the source's {source.lengths.sum()} slices; pairs have no more."
            )
        shared = {name: shared_slices(sets[name], truth) for name in others}
        of = np.repeat(source.recording, np.minimum(source.lengths, truth.lengths))
        error = {null: 0.0, **{name: nmse(*pair) for name, pair in shared.items()}}
        interval = {name: {"nmse": nmse_interval(*pair, of, seed)} for name, pair in shared.items()}
    slices_a, slices_b = fit_a.real_slices(), fit_b.real_slices()
    normalizer = Normalizer.fit(slices_b, slices_b, mode="per-domain")
    # from here on all sequences have one length
    parts = [part for part in (source, target, labelled) if part is not None]
    length = common_length(*parts)
    said += _remarks_on_length(parts, length)
    source, target = source.first(length), target.first(length)
    sets = {null: target, **{name: sets[name].first(length) for name in others}}
    halves = list(halvings(source.recording, target.recording, seed))
    downstream = Downstream()
    if labelled is not None:
        downstream = classified(
            sets, source, fit_source and fit_source.first(length), labelled.first(length), seed
        )
        if network is not None and len(labelled.classes) > 1:
            fitted_on = (slices_a, slices_b)
            in_every_way(source, sets, labelled, fitted_on, network.translators, length, downstream, seed)
    distances = distances_over_halvings(sets, target, normalizer, halves, seed, progress)
    compared = len(np.unique(target.recording[halves[0][0]]))
    rows = []
    for name in sets:
        known = {key: values for key, values in distances[name].items() if values}
        means = {key: float(np.mean(values)) for key, values in known.items()}
        deviation = {key: float(np.std(values, ddof=1)) for key, values in known.items()}
        faults = downstream.rows.pop(name, {})
        intervals = interval.get(name, {}) | faults.pop("interval", {})
        rows.append(
            Row(
                name,
                nmse=error.get(name),
                deviation=deviation,
                interval=intervals,
                baseline=name in BASELINES,
                **means,
                **faults,
            )
        )
    rows[1:1] = [Row(name, **values) for name, values in downstream.rows.items()]  # own labels
    return Evaluation(
        rows=rows,
        source_device=source.device,
        target_device=target.device,
        sequences={name: len(feature_set) for name, feature_set in given.items()},
        recordings_compared=compared,
        halvings=len(halves),
        baselines_fitted_on=(
            "the evaluated source and target themselves"
            + ", unlike the CycleGAN" * (network is not None and network.remembers and not trained)
            if fit_source is None
            else f"{len(fit_a)} and {len(fit_b)} {'' if trained else 'separate '}training sequences"
        ),
        seed=seed,
        cautions=[*([trained] if trained else []), *doubtful, *cautions(before, given, compared)],
        remarks=[*said, *downstream.remarks, *remarks(given)],
        ways=downstream.ways,
        expected=downstream.expected,
        shares=downstream.shares,
        epoch=network and network.facts.epoch,
        training=network.said if network else [],
        recordings={name: len(np.unique(feature_set.recording)) for name, feature_set in given.items()},
    )


def _remarks_on_length(parts: list[FeatureSet], length: int) -> list[str]:
    """Say how many slices are compared where sequences differ in length, and how many sequences lack them."""
    if all(part.slices is None and part.features.shape[1] == length for part in parts):
        return []
    said = [f"Distances and accuracies: of the first {length} slices of each sequence."]
    for part, title in zip(parts, ("the source", "the target", "the labelled set"), strict=False):
        said += [f"{line}." for line in left_out(part, length, title)]
    return said
