"""Feature sets on disk, splits by recording, normalisation, pairs."""

from cyclegan_lib.features.feature_set import FeatureSet, check_same_settings
from cyclegan_lib.features.normalization import Normalizer
from cyclegan_lib.features.pairs import Pairs
from cyclegan_lib.features.splits import split_by_recording

__all__ = ["FeatureSet", "Normalizer", "Pairs", "check_same_settings", "split_by_recording"]
