"""The same moments in two sets: for errors against what the target really heard."""

import numpy as np

from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.evaluation.checks import match_by_name
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.lengths import common_length, usual_length
from cyclegan_lib.features.pairs import check_moments


def paired_truth(source: FeatureSet, paired: FeatureSet) -> FeatureSet:
    """The sequences of `paired` in the source's order; longer ones are cut: the source may begin within them.

    Raises InputError if one is missing.
    """
    length = usual_length(source)
    return match_by_name(source, paired.cut(length) if usual_length(paired) > length else paired, "paired")


def doubts(source: FeatureSet, truth: FeatureSet) -> list[str]:
    """Raise InputError if pairs, row by row, are clearly none; a sentence where that cannot be told."""
    length = common_length(source, truth)
    long = np.minimum(source.lengths, truth.lengths) >= length
    return check_moments(*(part.select(long).first(length) for part in (source, truth)))


def pairs_in(source: FeatureSet, target: FeatureSet) -> FeatureSet | None:
    """The target, if it holds the source's moments: the same names, and not by chance, which is printed.

    Raises InputError if it has the names, but not all of the sequences.
    """
    if set(source.recording) != set(target.recording):
        return None
    truth = paired_truth(source, target)
    try:
        doubts(source, truth)
    except InputError as error:
        print(printable(f"no pairs: {error}"))
        return None
    return target
