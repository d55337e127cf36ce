"""The sound of a set's sequences: found again, and not taken for another's."""

from dataclasses import replace

import numpy as np
import pytest
from sounds import RATE, rng, write

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.features.extract import extract
from cyclegan_lib.features.sounds import Sounds

SETTINGS = FeatureSettings(channel=2, scale=2.0)


@pytest.fixture
def recordings(tmp_path):
    """Two recordings with two channels, of 25 and 6 s, the first at a rate of its own; the folder."""
    folder = tmp_path / "recordings"
    for name, seconds, rate in (("long", 25, 22050), ("short", 6, RATE)):
        sound = rng(seconds).normal(size=(seconds * rate, 2)) / 10 + 0.1  # off zero, as cheap recorders are
        write(folder / "machine" / f"{name}.wav", sound, rate)
    return folder


@pytest.fixture
def heard(recordings):
    return extract(recordings, "phone", SETTINGS, progress=False)[0]


def test_each_sequence_has_its_own_sound(recordings, heard):
    sounds = Sounds(heard, recordings)
    assert heard.start_s.tolist() == [0, 10, 0] and heard.lengths.tolist() == [50, 50, 30]
    first, second, short = (sounds.sequence(row) for row in range(3))
    assert [len(sound) for sound in (first, second, short)] == [10 * RATE, 10 * RATE, 6 * RATE]
    whole = rng(6).normal(size=(6 * RATE, 2))[:, 1] / 5 + 0.2  # the second channel, scaled
    np.testing.assert_allclose(short, whole, atol=1e-4)
    assert not np.allclose(first, second)


def test_other_sounds_are_not_taken_for_it(recordings, heard, tmp_path):
    assert Sounds(heard, tmp_path / "no such folder").sequence(0) is None
    assert Sounds(replace(heard, settings=None), recordings).sequence(0) is None
    assert Sounds(heard.with_features(heard.features + 1, "phone"), recordings).sequence(0) is None
    long, short = recordings / "machine" / "long.wav", recordings / "machine" / "short.wav"
    short.rename(long)  # of which there is less, too
    sounds = Sounds(heard, recordings)
    assert [sounds.sequence(row) for row in range(3)] == [None, None, None]
    long.write_bytes(b"RIFF")
    assert sounds.sequence(0) is None
