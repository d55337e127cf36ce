"""Features against a slow direct computation, known tones, silence, offset and drift."""

import librosa
import numpy as np
import pytest
from sounds import rng, tone

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features.log_mel import band_frequencies, frequency_ranges, hertz, log_mel_slices, slices_of

SETTINGS = FeatureSettings()
AS_IT_IS = FeatureSettings(f_stop=0)  # with offset and drift


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
    settings = FeatureSettings(sample_rate=rate, f_stop=0)
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
    features, _, _ = log_mel_slices(sound, AS_IT_IS)
    assert np.flatnonzero((features[0] > -99).any(axis=1)).tolist() == [3]


@pytest.mark.parametrize(
    ("seconds", "shape"),
    [(0.9, (0, 50)), (0.96, (1, 5)), (5.0, (1, 25)), (9.95, (1, 49)), (9.96, (1, 50)), (19.95, (1, 50))]
    + [(19.96, (2, 50)), (35.0, (3, 50))],
)
def test_sequences_of_10_s_tile_and_a_shorter_sound_is_one_of_what_it_has(seconds, shape):
    features, start_s, left_over_s = log_mel_slices(noise(seconds), SETTINGS)
    assert features.shape == (*shape, 40) and start_s.tolist() == [10.0 * k for k in range(shape[0])]
    read = (shape[0] - 1) * 10 + (shape[1] - 1) * 0.2 + 0.16 if shape[0] else 0.0
    assert left_over_s == pytest.approx(seconds - read, abs=1e-6)


def test_sequences_of_another_length_hold_the_same_slices():
    sound = noise(20.0)
    whole, start_s, left_over_s = log_mel_slices(sound, FeatureSettings(slices=7))
    assert whole.shape == (14, 7, 40) and start_s == pytest.approx(1.4 * np.arange(14))
    assert left_over_s == pytest.approx(20 - 97 * 0.2 - 0.16)
    assert np.array_equal(whole.reshape(-1, 40), log_mel_slices(sound, SETTINGS)[0].reshape(-1, 40)[: 14 * 7])


@pytest.mark.parametrize("settings", [SETTINGS, AS_IT_IS])
def test_slices_do_not_depend_on_the_blocks_that_sound_comes_in(settings):
    sound = noise(12.0)
    whole = np.concatenate(list(slices_of([sound], settings)))
    assert whole.shape == (60, 40)
    for size in (37, 999, 16000, 70000):
        blocks = (sound[start : start + size] for start in range(0, len(sound), size))
        assert np.array_equal(np.concatenate(list(slices_of(blocks, settings))), whole)


@pytest.mark.parametrize("seconds", [1, 1.4, 10])
@pytest.mark.parametrize("level", [0.01, 0.05])
@pytest.mark.parametrize("rate", [2000, 16000, 44100])
def test_offset_and_drift_move_no_feature_of_any_slice(seconds, level, rate):
    settings, times = FeatureSettings(sample_rate=rate), np.arange(round(seconds * rate)) / rate
    sound = level * (0.1 * rng().normal(size=len(times)) + np.sin(2 * np.pi * 123 * times))
    wanted = log_mel_slices(sound.astype(np.float32), settings)[0]
    drifts = [0.8 * np.sin(2 * np.pi * hz * times + 0.7) for hz in (0.03, 1.0, 9.9)]
    for added in (0.8, -0.8, 0.8 * times / seconds, *drifts):
        features = log_mel_slices((sound + added).astype(np.float32), settings)[0]
        assert np.abs(features - wanted).max() < 0.1


def test_what_is_removed_ends_below_the_lowest_band():
    """A tone at f_min is 0.1 dB quieter; white noise differs in the lowest bands only, by less than 1 dB."""
    lowest = tone(60.0, 0.1, 10)
    kept, heard = (log_mel_slices(lowest, settings)[0][..., :2] for settings in (AS_IT_IS, SETTINGS))
    assert 0 <= (kept - heard).mean() < 0.11
    kept, heard = (log_mel_slices(noise(60.0), settings)[0] for settings in (AS_IT_IS, SETTINGS))
    apart = np.abs(kept - heard).mean(axis=(0, 1))
    assert apart[0] < 1 and apart[10:].max() < 0.01


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"f_min": 9000.0}, "f_min"),
        ({"f_min": 10.0}, "above f_stop"),
        ({"sample_rate": 1000}, "too short"),
        ({"window_s": 0.2}, "does not fit"),
        ({"window_s": 0.002, "hop_s": 0.001}, "too short"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values, word):
    with pytest.raises(InputError, match=word):
        log_mel_slices(noise(10.0), FeatureSettings(**values))


def test_ranges_of_frequencies_are_written_for_people():
    settings = FeatureSettings()
    written = [hertz(f) for f in band_frequencies(settings)]
    alike = next(i for i in range(39) if written[i] == written[i + 1])
    for bands, text in (
        ([], ""),
        ([0, 1, 2, 30], f"{written[0]} to {written[2]}, {written[30]}"),
        ([alike, alike + 1], written[alike]),
    ):
        assert frequency_ranges(np.isin(np.arange(40), bands), settings) == text
