"""How the tests of lakes make one, and what they look at."""

import numpy as np
from extracting import SETTINGS

from cyclegan_lib.features.lake_extraction import extract_lake


def lake_of(recordings, output, **options):
    return extract_lake(recordings, "cpc006", SETTINGS, output, progress=False, **{"workers": 1, **options})


def files(lake):
    """The parts of a lake: their bytes by their paths."""
    return {path.relative_to(lake).as_posix(): path.read_bytes() for path in sorted(lake.rglob("*.parquet"))}


def assert_equal(x, y):
    assert x.arrays().keys() == y.arrays().keys()
    for name, value in y.arrays().items():
        np.testing.assert_array_equal(x.arrays()[name], value, strict=True)
