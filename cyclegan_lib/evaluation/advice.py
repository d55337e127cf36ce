"""What to do next about two devices: which recordings to look at and hear, and what to record more of."""

import numpy as np

from cyclegan_lib.config import FEW_RECORDINGS
from cyclegan_lib.errors import count
from cyclegan_lib.export.translator import Translator
from cyclegan_lib.features import FeatureSet

FARTHEST = "farthest from the training recordings: novelty {:.1f}, 1 is usual"
NAMED = 3  # recordings of those that are unlike the training's


def to_hear(translator: Translator, source: FeatureSet) -> dict[int, str]:
    """Three sequences of the source and why: the most doubtful one, the strangest one, and a usual one.

    {row: the reason}; fewer where the source has fewer. No truth is needed. Where there is one restart, what
    is strange is doubtful.
    """
    apart, novelty = translator.disagreements(source), _novelties(translator, source)
    doubt, most = apart, "the restarts disagree most: {:.2f} z-scores"
    usual = "as doubtful as most: disagreement of the restarts {:.2f} z-scores"
    if not apart.any():
        doubt, most, usual = novelty, FARTHEST, "as far from the training recordings as most: novelty {:.1f}"
    order = np.argsort(doubt, kind="stable").tolist()
    from_middle = sorted(range(len(order)), key=lambda place: abs(place - len(order) // 2))
    why: dict[int, str] = {}
    for rows, values, reason in (
        (order[::-1], doubt, most),
        (np.argsort(-novelty, kind="stable").tolist(), novelty, FARTHEST),
        ([order[place] for place in from_middle], doubt, usual),
    ):
        if left := [row for row in rows if row not in why]:
            others = "" if left[0] == rows[0] else "of the others, "
            why[left[0]] = others + reason.format(values[left[0]])
    return why


def to_record(
    translator: Translator, source: FeatureSet, train_a: FeatureSet, train_b: FeatureSet
) -> list[str]:
    """What more recordings would help with, a sentence each, every figure with its number of recordings."""
    said = []
    for device in (train_a, train_b):
        n = len(np.unique(device.recording))
        if n < FEW_RECORDINGS:
            said.append(
                f"Record more with {device.device}: {count(n, 'training recording')}, and below some"
                f" {FEW_RECORDINGS} of a device training seldom improves on the linear maps it starts at."
            )
    if train_b.classes:
        recorded = {
            fault: len(np.unique(train_b.recording[train_b.label == fault])) for fault in train_b.classes
        }
        least = min(recorded, key=recorded.__getitem__)
        said.append(
            f"Of the faults that {train_b.device} recorded, {least} has fewest recordings, {recorded[least]}"
            f" of {sum(recorded.values())}: a classifier gains most from more of it."
        )
    if seen := translator.seen:
        apart, novelty = translator.disagreements(source), _novelties(translator, source)
        strange = np.flatnonzero((novelty > seen.novelty) | (apart > seen.disagreement))
        names = list(dict.fromkeys(source.recording[strange[np.argsort(-novelty[strange], kind="stable")]]))
        more = f"Record more with {source.device} of what is in {', '.join(names[:NAMED])}: " if names else ""
        of_all = count(len(np.unique(source.recording)), "test recording")
        said.append(
            f"{more}{len(names)} of {of_all} of {source.device} lie beyond what 99 % of its training"
            " recordings do."
        )
    return said


def _novelties(translator: Translator, source: FeatureSet) -> np.ndarray:
    """Of each sequence, (sequences,); zeros where the model does not know its training recordings."""
    return translator.seen.novelties(source.mean_spectra()) if translator.seen else np.zeros(len(source))
