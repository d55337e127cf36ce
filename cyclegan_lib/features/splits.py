"""Splits that keep all sequences of one recording together."""

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
