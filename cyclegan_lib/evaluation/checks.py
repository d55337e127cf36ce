"""What must be true of the sets before numbers computed from them mean anything."""

import numpy as np

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet, check_same_settings

# starts of sequences are compared in milliseconds: one program may have written 0.6, another 0.6000000001
START_DIGITS = 3
MATCHED = ("translated", "paired")  # to the source, sequence by sequence
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


def check_sets(sets: dict[str, FeatureSet], titles: dict[str, str] = TITLES) -> None:
    """Check that the sets, by argument of `evaluate`, can be compared and are from the right devices.

    Raises InputError, which calls them by their `titles`, if a set has fewer than 2 recordings, was extracted
    with other settings, holds NaN, comes from a wrong device, or has classes that the labelled set lacks.
    Files without settings are named after no device: theirs are not compared.
    """
    source = sets["source"]
    for name, given in sets.items():
        recordings = len(np.unique(given.recording))
        if recordings < 2:
            raise InputError(
                f"{titles[name]} has {recordings} recording{'s' * (recordings != 1)}; at least 2 are needed,"
                " because recordings are held out"
            )
        if not np.isfinite(given.real_slices()).all():
            raise InputError(f"{titles[name]} has NaN or infinite features; extract or translate it again")
        check_same_settings(source, given, titles["source"], titles[name])
    known = {name: given.device for name, given in sets.items() if given.settings is not None}
    if known.get("source", 0) == known.get("target", 1):
        raise InputError(
            f"{titles['source']} and {titles['target']} are both from {source.device}; give two devices'"
        )
    # caught here because its numbers would look wonderful: a source taken for the truth has NMSE 0
    for name, device in known.items():
        of = "source" if name in ("source", "fit_source") else "target"
        if of in known and device != known[of]:
            hint = "; are source and target swapped?" * (name == "translated" and device == source.device)
            raise InputError(
                f"{titles[name]} is from {device}; it must be from {known[of]}, as {titles[of]} is{hint}"
            )
    if "labelled" in sets and sets["labelled"].classes and source.classes:
        from cyclegan_lib.faults.models import check_classes  # which needs scikit-learn

        others = {titles[name]: sets[name] for name in ("source", "target")}
        check_classes(sets["labelled"], others, titles["labelled"])


def _keys(given: FeatureSet) -> list[tuple[str, float]]:
    """Return (recording, start in seconds) of each sequence, in order."""
    starts = np.round(given.start_s, START_DIGITS)
    return [(str(name), float(start)) for name, start in zip(given.recording, starts, strict=True)]
