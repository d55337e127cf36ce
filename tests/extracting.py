"""How the tests of extraction call it, and what they look at."""

import csv

import pytest
import sounds
from sounds import rng

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.extract import extract

SETTINGS = FeatureSettings(sample_rate=8000)


def extracted(source, settings=SETTINGS, **options):
    return extract(source, "cpc006", settings, progress=False, **options)


def write(path, seconds=10.0, rate=8000, seed=0, channels=1):
    return sounds.write(path, 0.1 * rng(seed).standard_normal((round(seconds * rate), channels)), rate)


def refused(*words, **arguments):
    with pytest.raises(InputError) as error:
        extracted(**arguments)
    text = str(error.value)
    assert "\n" not in text
    assert all(word in text for word in words), text


def rows(output):
    """The table beside an output, by recording."""
    with open(f"{output}.report.csv", newline="", encoding="utf-8") as file:
        return {row["recording"]: row for row in csv.DictReader(file)}
