"""Features against a slow direct computation, known tones and silence."""

import librosa
import numpy as np
import pytest
from sounds import rng, tone

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.log_mel import log_mel_slices

SETTINGS = FeatureSettings()


def noise(seconds, rate=16000):
    return (0.1 * rng().standard_normal(round(seconds * rate))).astype(np.float32)


def direct(sound, settings, sequence, place):
    """One slice, window by window, by the definition."""
    rate = settings.sample_rate
    length, hop = round(settings.window_s * rate), round(settings.hop_s * rate)
    n_fft = 2 ** int(np.ceil(np.log2(length)))
    filters = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=40, fmin=60.0, fmax=rate / 2, dtype=np.float64)
    begin = round((sequence * 10 + place * 0.2) * rate)
    end = begin + round(0.16 * rate)
    levels = []
    while begin + length <= end:
        window = sound[begin : begin + length].astype(np.float64) * np.hanning(length + 1)[:-1]
        power = np.abs(np.fft.fft(np.pad(window, (0, n_fft - length)))[: n_fft // 2 + 1]) ** 2
        levels.append(10 * np.log10(filters @ power + 1e-10))
        begin += hop
    return np.mean(levels, axis=0)


@pytest.mark.parametrize("rate", [8000, 12000, 16000, 44100])
def test_features_equal_the_direct_computation(rate):
    settings = FeatureSettings(sample_rate=rate)
    sound = noise(20.0, rate)
    features, start_s, left_over_s = log_mel_slices(sound, settings)
    assert features.shape == (2, 50, 40) and features.dtype == np.float32
    assert start_s.tolist() == [0.0, 10.0]
    assert left_over_s == pytest.approx(0.04, abs=1e-3)
    for sequence, place in ((0, 0), (0, 49), (1, 7)):
        assert features[sequence, place] == pytest.approx(direct(sound, settings, sequence, place), abs=1e-3)


def test_silence_is_the_floor():
    features, _, _ = log_mel_slices(np.zeros(160000, dtype=np.float32), SETTINGS)
    assert features == pytest.approx(np.full((1, 50, 40), -100.0))


@pytest.mark.parametrize("hz", [150.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_is_loudest_in_the_band_around_it(hz):
    features, _, _ = log_mel_slices(tone(hz, seconds=10), SETTINGS)
    edges = librosa.mel_frequencies(42, fmin=60.0, fmax=8000.0)
    band = int(np.argmax(features.mean(axis=(0, 1))))
    assert edges[band] < hz < edges[band + 2]


def test_a_click_is_heard_by_its_own_slice_only():
    sound = np.zeros(160000, dtype=np.float32)
    sound[3 * 3200 + 1000] = 1.0  # in slice 3; slices begin every 3200 samples and are 2560 long
    sound[7 * 3200 + 2800] = 1.0  # in the pause after slice 7
    features, _, _ = log_mel_slices(sound, SETTINGS)
    assert np.flatnonzero((features[0] > -99).any(axis=1)).tolist() == [3]


@pytest.mark.parametrize(("seconds", "sequences"), [(9.95, 0), (9.96, 1), (19.95, 1), (19.96, 2), (35.0, 3)])
def test_a_sequence_needs_9_96_seconds_and_what_is_left_over_is_counted(seconds, sequences):
    features, start_s, left_over_s = log_mel_slices(noise(seconds), SETTINGS)
    assert len(features) == len(start_s) == sequences
    read = (sequences - 1) * 10 + 9.96 if sequences else 0.0
    assert left_over_s == pytest.approx(seconds - read, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"f_min": 9000.0}, "f_min"),
        ({"window_s": 0.2}, "does not fit"),
        ({"window_s": 0.002, "hop_s": 0.001}, "too short"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values, word):
    with pytest.raises(InputError, match=word):
        log_mel_slices(noise(10.0), FeatureSettings(**values))
