"""What a feature set holds that training should not take for sound: copies, silence, what lies far away."""

import hashlib
from collections.abc import Iterator

import numpy as np

from cyclegan_lib.features.feature_set import FeatureSet
from cyclegan_lib.features.log_mel import FLOOR
from cyclegan_lib.features.normalization import CONSTANT_DB

SILENT_DB = 10 * np.log10(FLOOR) + 1  # features this low are the floor's
# A recording is far from all others if its mean spectrum is so many times as far from the median one as is
# usual, and so many dB: machines of one device differ by less, silence and other units by more.
FAR_TIMES, FAR_DB = 6.0, 20.0
FEW = 5  # of fewer recordings none can be called usual
SILENT_PART = 0.1  # of a recording's slices, from which on it is named


def by_recording(feature_set: FeatureSet) -> Iterator[tuple[str, FeatureSet]]:
    """Each recording, in the order of the names, with its sequences in the order of their starts."""
    order = np.lexsort((feature_set.start_s, feature_set.recording))
    names, first = np.unique(feature_set.recording[order], return_index=True)
    for name, index in zip(names, np.split(order, first[1:]), strict=True):
        yield str(name), feature_set.select(index)


def copies(*feature_sets: FeatureSet) -> list[tuple[str, ...]]:
    """Names of recordings that hold the same features, bit by bit, as groups of two or more.

    Recordings of one name in several sets are one where they are equal. Silent ones are no copies.
    """
    groups: dict[bytes, list[str]] = {}
    for feature_set in feature_sets:
        for name, recording in by_recording(feature_set):
            slices = recording.real_slices()  # (slices, 40) dB
            if slices.max() > SILENT_DB:
                digest = hashlib.sha256(np.ascontiguousarray(slices)).digest()
                groups.setdefault(digest, []).append(name)
    unique = (tuple(dict.fromkeys(names)) for names in groups.values())
    return [names for names in unique if len(names) > 1]


def outliers(feature_set: FeatureSet) -> dict[str, str]:
    """Recordings that are silent, constant or farther from all others than anything plausible; why, by name.

    How far a recording is: the root mean square over the 40 bands, in dB, of its mean spectrum less the
    median of all recordings' mean spectra.
    """
    found, spectra = {}, {}
    for name, recording in by_recording(feature_set):
        slices = recording.real_slices()  # (slices, 40) dB
        silent = (slices.max(axis=1) <= SILENT_DB).mean()
        if silent > SILENT_PART:
            found[name] = "silent" if silent == 1 else f"silent in {silent:.0%} of its slices"
        elif len(slices) > 1 and (np.ptp(slices, axis=0) < CONSTANT_DB).all():
            found[name] = "the same in every slice"
        else:
            spectra[name] = slices.mean(axis=0, dtype=np.float64)
    if len(spectra) < FEW:
        return found
    apart = np.stack(list(spectra.values()))  # (recordings, 40) dB
    apart = np.sqrt(np.square(apart - np.median(apart, axis=0)).mean(axis=1))  # (recordings,) dB
    usual = float(np.median(apart))
    for name, distance in zip(spectra, apart, strict=True):
        if distance > max(FAR_DB, FAR_TIMES * usual):
            found[name] = f"{distance:.0f} dB from the others, of which half are within {usual:.1f} dB"
    return found
