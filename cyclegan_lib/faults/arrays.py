"""Fitted fault models as plain arrays: to be kept in a file that runs no code, and computed by numpy."""

from collections.abc import Mapping

import numpy as np

from cyclegan_lib.faults.models import N_STATISTICS, FaultModels

# forest: the nodes of all trees, one after the other; a leaf has no children, -1
FOREST = ("roots", "left", "right", "feature", "threshold", "value")
LOGISTIC = ("weight", "bias")
NAMES = FOREST + LOGISTIC
CHUNK = 250  # sequences that go down all trees at a time
# of a file: what was fitted is far below
MOST_TREES, MOST_WEIGHT = 1000, 1e9

Arrays = Mapping[str, np.ndarray]


def arrays_of(models: FaultModels) -> dict[str, np.ndarray]:
    """What the probabilities of fitted models are computed from."""
    trees = [tree.tree_ for tree in models.models["forest"].estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    scaler, regression = (step for _, step in models.models["logistic"].steps)
    weight, bias = regression.coef_, regression.intercept_
    if len(weight) == 1:  # of two classes one is given: the other has 0
        weight, bias = (np.concatenate([np.zeros_like(x), x]) for x in (weight, bias))
    weight = weight / scaler.scale_  # of raw statistics

    def joined(name: str, after: bool = False) -> np.ndarray:
        parts = [getattr(tree, name) for tree in trees]
        if after:  # places in the tree become places among all nodes
            parts = [np.where(x < 0, -1, x + root) for x, root in zip(parts, roots, strict=True)]
        return np.concatenate(parts)

    return {
        "roots": roots,
        "left": joined("children_left", after=True),
        "right": joined("children_right", after=True),
        "feature": joined("feature"),
        "threshold": joined("threshold"),
        "value": joined("value")[:, 0],  # (nodes, classes): parts of the training sequences there
        "weight": weight,
        "bias": bias - weight @ scaler.mean_,
    }


def probabilities(arrays: Arrays, statistics: np.ndarray) -> np.ndarray:
    """The mean of forest and logistic regression: statistics (n, 80) in, (n, classes) out.

    Trees compare in float32, as scikit-learn's do.
    """
    scores = statistics @ arrays["weight"].T + arrays["bias"]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    logistic = scores / scores.sum(axis=1, keepdims=True)
    return (logistic + _forest(arrays, statistics.astype(np.float32))) / 2


def _forest(arrays: Arrays, x: np.ndarray) -> np.ndarray:
    found = np.empty((len(x), arrays["value"].shape[1]))
    for start in range(0, len(x), CHUNK):
        rows = x[start : start + CHUNK]
        nodes = np.tile(arrays["roots"], (len(rows), 1))  # (rows, trees)
        while (inner := arrays["left"][nodes] >= 0).any():
            row, at = np.nonzero(inner)[0], nodes[inner]
            down = rows[row, arrays["feature"][at]] <= arrays["threshold"][at]
            nodes[inner] = np.where(down, arrays["left"][at], arrays["right"][at])
        leaves = arrays["value"][nodes]  # (rows, trees, classes)
        found[start : start + CHUNK] = (leaves / leaves.sum(axis=2, keepdims=True)).mean(axis=1)
    return found


def as_computed(arrays: Arrays) -> dict[str, np.ndarray]:
    """Arrays of any precision in the one that is computed with."""
    return {name: x.astype(np.int64 if x.dtype.kind == "i" else np.float64) for name, x in arrays.items()}


def wrong_with(arrays: Arrays, classes: int) -> str:
    """What cannot be true of arrays that were read, in words; nothing where they can be used."""
    nodes, trees = len(arrays["left"]), len(arrays["roots"])
    shapes = {
        "roots": (trees,),
        **dict.fromkeys(("left", "right", "feature", "threshold"), (nodes,)),
        "value": (nodes, classes),
        "weight": (classes, N_STATISTICS),
        "bias": (classes,),
    }
    for name, shape in shapes.items():
        whole = name in ("roots", "left", "right", "feature")
        if arrays[name].shape != shape or arrays[name].dtype.kind != ("i" if whole else "f"):
            return f"'{name}' is not {'whole numbers' if whole else 'numbers'} of shape {shape}"
        if not np.isfinite(arrays[name]).all():
            return f"'{name}' holds NaN or infinite numbers"
    inner = arrays["left"] >= 0
    at = np.flatnonzero(inner)
    children = np.stack([arrays["left"][inner], arrays["right"][inner]])
    feature, roots, value = arrays["feature"][inner], arrays["roots"], arrays["value"]
    if not (0 < trees <= MOST_TREES and (0 <= roots).all() and (roots < nodes).all()):
        return "its trees have no roots"
    if not ((children > at).all() and (children < nodes).all()):  # so that each way down has an end
        return "its trees have no ends"
    if not ((0 <= feature).all() and (feature < N_STATISTICS).all()):
        return "its trees look at features that there are not"
    if not ((value >= 0).all() and (value <= 1).all() and (value.sum(axis=1) > 0.5).all()):
        return "its trees have leaves without probabilities"
    if max(np.abs(arrays[name]).max() for name in LOGISTIC) > MOST_WEIGHT:
        return "its weights are too large"
    return ""
