"""Distances between halves of recordings: to one half of the target, as its other half (the null) has."""

from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from cyclegan_lib.evaluation.distances import (
    frechet_distance,
    median_distance,
    mmd2,
    sliced_wasserstein,
)
from cyclegan_lib.evaluation.measures import DISTANCES
from cyclegan_lib.evaluation.two_sample import classifier_two_sample_test
from cyclegan_lib.features import FeatureSet, Normalizer

# 4 halvings: the mean over them scatters half as much as one
HALVINGS = 4
# slices of each side for MMD² and the classifier: with tens of recordings it is their number that limits
# the precision, not that of their slices, which resemble each other; more would only take longer
SLICES_COMPARED = 1000


def halvings(
    source_names: np.ndarray, target_names: np.ndarray, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Draw HALVINGS times three bool masks: the target's reference half, its other half, the source's part.

    All hold the same number of recordings. Names in the reference half are in neither of the others.
    """
    sources, targets = np.unique(source_names), np.unique(target_names)
    shared = np.intersect1d(sources, targets).size > 0
    k = min(len(targets) // 2, len(sources) // 2 if shared else len(sources))
    rng = np.random.default_rng(seed)
    for _ in range(HALVINGS):
        order = rng.permutation(targets)
        reference, others = order[:k], order[k : 2 * k]
        # where both hold the same recordings, the source's part are those of the null's other half
        free = rng.permutation(np.setdiff1d(sources, reference))
        chosen = free[np.argsort(~np.isin(free, others), kind="stable")][:k]
        yield (
            np.isin(target_names, reference),
            np.isin(target_names, others),
            np.isin(source_names, chosen),
        )


def distances_over_halvings(
    sets: dict[str, FeatureSet],
    target: FeatureSet,
    normalizer: Normalizer,
    halves: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
    seed: int,
    progress: bool,
) -> dict[str, dict[str, list[float]]]:
    """Compute the distances to the target's reference halves: row -> distance -> one for each halving.

    Of `sets`, the rows to measure, the one that *is* `target` is the null: its other halves against the
    reference. Domain B of the normalizer gives the z-scores; `halves` are (reference, others, chosen) each,
    from `halvings`.
    """
    z_target = normalizer.normalize(target.features, "B")  # (sequences, slices, 40)
    bandwidth = median_distance(z_target, seed)  # one kernel for the whole table
    distances: dict[str, dict[str, list[float]]] = {}
    for name, feature_set in tqdm(sets.items(), desc="evaluate", unit="row", disable=not progress):
        z = normalizer.normalize(feature_set.features, "B")
        values = distances[name] = {distance: [] for distance in DISTANCES}
        for reference, others, chosen in halves:
            part = others if feature_set is target else chosen
            x, y = z[part], z_target[reference]
            values["mmd2"].append(mmd2(x, y, bandwidth, seed, max_points=SLICES_COMPARED))
            values["frechet"].append(frechet_distance(x, y))
            values["sliced_wasserstein"].append(sliced_wasserstein(x, y, seed))
            names, target_names = feature_set.recording[part], target.recording[reference]
            # with one recording on each side there is none to hold out
            if len(np.unique(target_names)) > 1:
                values["c2st"].append(
                    classifier_two_sample_test(x, names, y, target_names, seed, max_slices=SLICES_COMPARED)
                )
    return distances
