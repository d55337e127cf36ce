"""What to say of sets that can be compared: copies, what was trained on, too few, missing labels."""

import numpy as np

from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.checks import MATCHED, TITLES
from cyclegan_lib.export.manifest import TrainingFacts
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.fingerprints import fingerprint, recognised

ENOUGH = 5  # recordings on each side of a distance: with fewer it is mostly chance which ones they are


def without_copies(sets: dict[str, FeatureSet]) -> dict[str, FeatureSet]:
    """The sets, of the source's and the target's sequences with equal features the first only.

    Those of `MATCHED` are in the source's order. Raises InputError if all that is left is of one recording.
    """
    kept = {}
    for name in ("source", "target"):
        kept[name] = np.sort(np.unique(sets[name].fingerprints, return_index=True)[1])
        if len(np.unique(sets[name].recording[kept[name]])) < 2:
            raise InputError(f"{TITLES[name]} holds copies of one recording; at least 2 others are needed")
    kept |= dict.fromkeys(MATCHED, kept["source"])
    return {name: given.select(kept[name]) if name in kept else given for name, given in sets.items()}


def trained_on(sets: dict[str, FeatureSet], model: TrainingFacts | None) -> str:
    """A sentence if sequences of the source or the target were trained on; nothing if none is known to be.

    Known are those that the exported `model` remembers, and the training sets that are given.
    """
    facts = model.data.values() if model is not None else ()
    training = [sets[name].fingerprints for name in ("labelled", "fit_source", "fit_target") if name in sets]
    found = []
    for name in ("source", "target"):
        own = sets[name]
        seen = np.isin(own.fingerprints, np.concatenate(training)) if training else np.zeros(len(own), bool)
        for domain in facts:
            seen |= recognised(own, domain.remembered) | (fingerprint(own) == domain.fingerprint)
        if seen.any():
            least = "" if seen.all() else "at least "  # of large sets a part is remembered
            found.append(f"{least}{seen.sum()} of {len(own)} sequences of {TITLES[name]}")
    return f"Trained on these recordings: {' and '.join(found)}; new ones may fare worse." if found else ""


def cautions(before: dict[str, FeatureSet], sets: dict[str, FeatureSet], compared: int) -> list[str]:
    """Sentences on sets that can be compared, and tell less than their table seems to.

    `before` they lost their copies; distances are between `compared` recordings and as many others.
    """
    said = [
        f"{len(before[name]) - len(sets[name])} of {len(before[name])} sequences of {TITLES[name]} are"
        " copies of others and were left out."
        for name in ("source", "target")
        if len(before[name]) > len(sets[name])
    ]
    if compared < ENOUGH:
        of_source, of_target = (len(np.unique(sets[name].recording)) for name in ("source", "target"))
        said.append(
            f"Too few recordings to tell: {of_source} of the source and {of_target} of the target, {compared}"
            f" on each side of a distance; below {ENOUGH} a side all numbers are mostly chance."
        )
    if np.array_equal(sets["source"].real_slices(), sets["translated"].real_slices()):
        said.append("The translated set is the source, unchanged.")
    return said


def remarks(sets: dict[str, FeatureSet]) -> list[str]:
    """Sentences on what is missing in the files, and so in the table or in what was checked."""
    said = []
    silent = [TITLES[name] for name, given in sets.items() if given.settings is None]
    if silent:
        said.append(f"No feature settings in the files of {', '.join(silent)}: they were not compared.")
    if "labelled" not in sets:
        return said
    for name in ("labelled", "source", "target"):
        unlabelled = len(sets[name]) - int(sets[name].labelled.sum())
        if unlabelled == len(sets[name]):
            missing = "recoveries" if name == "target" else "accuracies"
            set_name = TITLES[name].removeprefix("the ")
            return [*said, f"No {missing}, because the {set_name} has no labels."]
        if unlabelled:
            said.append(f"{unlabelled} of {len(sets[name])} sequences of {TITLES[name]} have no label.")
    return said
