"""What must be true of the sets before numbers computed from them mean anything."""

import numpy as np

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, check_same_settings

# starts of sequences are compared in milliseconds: one program may have written 0.6, another 0.6000000001
START_DIGITS = 3
# what messages call the arguments of `evaluate`
TITLES = {
    "source": "the source",
    "translated": "the translated set",
    "target": "the target",
    "paired": "the paired set",
    "labelled": "the labelled set",
    "fit_source": "the set to fit the source on",
    "fit_target": "the set to fit the target on",
}


def match_by_name(source: FeatureSet, other: FeatureSet, name: str) -> FeatureSet:
    """Return the sequences of `other` in the order of the source, matched by recording and start.

    `other`, the argument `name` of `evaluate`, may hold more sequences than the source, in any order. Raises
    InputError if it lacks a sequence of the source, naming how many are there, or one set holds one twice.
    """
    keys = _keys(source)
    if len(set(keys)) < len(keys):
        raise InputError("the source holds a recording's sequence twice; give each sequence once")
    places: dict[tuple[str, float], int] = {}
    for place, key in enumerate(_keys(other)):
        if key in places:
            raise InputError(
                f"{TITLES[name]} holds recording '{key[0]}' at {key[1]:g} s twice; give each sequence once"
            )
        places[key] = place
    missing = [key for key in keys if key not in places]
    if missing:
        recording, start = missing[0]
        raise InputError(
            f"{TITLES[name]} matches {len(keys) - len(missing)} of the {len(keys)} sequences of the source"
            f" (recording '{recording}' at {start:g} s is missing); both must hold the same recordings,"
            " under the same names"
        )
    return other.select(np.array([places[key] for key in keys]))


def check_sets(sets: dict[str, FeatureSet]) -> None:
    """Check that the sets, by argument of `evaluate`, can be compared and are from the right devices.

    Raises InputError if a set has fewer than 2 recordings, was extracted with other settings, holds NaN, or
    comes from the other device.
    """
    for name, given in sets.items():
        recordings = len(np.unique(given.recording))
        if recordings < 2:
            raise InputError(
                f"{TITLES[name]} has {recordings} recording{'s' * (recordings != 1)}; at least 2 are needed,"
                " because recordings are held out"
            )
        if not np.isfinite(given.real_slices()).all():
            raise InputError(f"{TITLES[name]} has NaN or infinite features; extract or translate it again")
        check_same_settings(sets["source"], given, TITLES["source"], TITLES[name])
    source, target = sets["source"].device, sets["target"].device
    if source == target:
        return
    # caught here because its numbers would look wonderful: a source taken for the truth has NMSE 0
    for name in ("paired", "labelled", "fit_source", "fit_target"):
        right, wrong = (source, target) if name == "fit_source" else (target, source)
        if name in sets and sets[name].device == wrong:
            raise InputError(f"{TITLES[name]} is from {wrong}; it must be from {right}")


def _keys(given: FeatureSet) -> list[tuple[str, float]]:
    """Return (recording, start in seconds) of each sequence, in order."""
    starts = np.round(given.start_s, START_DIGITS)
    return [(str(name), float(start)) for name, start in zip(given.recording, starts, strict=True)]
