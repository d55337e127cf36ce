"""Splits and folds that keep all sequences of one recording together."""

import numpy as np

from cyclegan_lib.errors import InputError


def split_by_recording(recording: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split sequences in two so that no recording stands on both sides.

    `recording` names that of each sequence, (sequences,). The part `fraction` of the *recordings* goes to the
    second side, at least one of them. Returns which sequences are on the first and on the second side, bool
    (sequences,) each. Raises InputError with fewer than two recordings, which cannot be split.
    """
    names = np.unique(recording)
    if len(names) < 2:
        raise InputError(
            f"all sequences come from one recording ('{names[0]}');"
            " at least 2 recordings are needed to hold one out"
        )
    held_out = min(max(1, round(fraction * len(names))), len(names) - 1)
    chosen = np.random.default_rng(seed).permutation(names)[:held_out]
    second = np.isin(recording, chosen)
    return ~second, second


def fold_of_recordings(recording: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal recordings into folds of equal size, as near as can be.

    `recording` names that of each sequence, (sequences,). Returns the fold of each, int (sequences,), 0 to
    `folds` - 1, the same for all sequences of a recording; with fewer recordings there are as many folds.
    """
    names, place = np.unique(recording, return_inverse=True)
    dealt = np.empty(len(names), dtype=int)
    dealt[np.random.default_rng(seed).permutation(len(names))] = np.arange(len(names)) % folds
    return dealt[place]
