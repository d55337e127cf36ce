"""Splits and folds that keep all sequences of one recording together."""

import numpy as np

from cyclegan_lib.errors import InputError


def split_by_recording(recording: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split sequences in two so that no recording stands on both sides.

    Parameters
    ----------
    recording : str array, (sequences,)
    fraction : float
        The part of the *recordings* that goes to the second side, at least one of them.
    seed : int

    Returns
    -------
    first, second : bool arrays, (sequences,)

    Raises
    ------
    InputError
        With fewer than two recordings, which cannot be split.
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

    Parameters
    ----------
    recording : str array, (sequences,)
    folds : int
        With fewer recordings than folds, as many folds as recordings.
    seed : int

    Returns
    -------
    int array, (sequences,), 0 to folds - 1
        The same for all sequences of a recording.
    """
    names, place = np.unique(recording, return_inverse=True)
    dealt = np.empty(len(names), dtype=int)
    dealt[np.random.default_rng(seed).permutation(len(names))] = np.arange(len(names)) % folds
    return dealt[place]
