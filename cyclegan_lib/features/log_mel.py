"""Sound to features: log mel energies of slices.

References
----------
.. [1] S. B. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word
   recognition in continuously spoken sentences", IEEE Transactions on Acoustics, Speech, and Signal
   Processing 28(4), 1980, 357-366.
.. [2] M. Slaney, "Auditory Toolbox, version 2", Interval Research Corporation, 1998: librosa's filters.
"""

from functools import lru_cache

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError

FLOOR = 1e-10  # power added before the logarithm: silence is -100 dB, not minus infinity


def log_mel_slices(sound: np.ndarray, settings: FeatureSettings) -> tuple[np.ndarray, np.ndarray, float]:
    """Log mel energies [1]_ of every slice of every whole sequence in `sound`.

    Windows are weighted by a Hann window, padded with zeros to the next power of two, and never reach beyond
    their slice; the mel energies of each are turned to dB, then averaged over the slice. Sequence k begins at
    k times 10 s and needs 9.96 s.

    `sound` is mono, float (samples,), at ``settings.sample_rate``. Returns the features, float32 (sequences,
    slices, n_features) in dB, with no sequences if the sound is too short for one; where each begins, float64
    (sequences,) in seconds; and the seconds of sound at the end that no sequence reads. Raises InputError if
    the settings contradict each other (see `mel_filters` and `window_starts`).
    """
    rate = settings.sample_rate
    filters = mel_filters(settings)  # (n_features, bins)
    starts = window_starts(settings)  # (slices, windows)
    samples = round(settings.window_s * rate)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)  # periodic, as spectra need it
    n_fft = fft_length(settings)
    needed = int(starts.max()) + samples
    step = round(settings.sequence_s * rate)
    count = 0 if len(sound) < needed else (len(sound) - needed) // step + 1
    features = np.empty((count, settings.slices, settings.n_features), dtype=np.float32)
    for k in range(count):  # one sequence at a time: its windows overlap and take about 2 MB
        places = k * step + starts[..., None] + np.arange(samples)  # (slices, windows, samples)
        power = np.abs(np.fft.rfft(sound[places] * hann, n_fft)) ** 2  # (slices, windows, bins)
        features[k] = (10 * np.log10(power @ filters.T + FLOOR)).mean(axis=1)  # (slices, n_features)
    read = 0 if count == 0 else (count - 1) * step + round(settings.needed_s * rate)
    left_over = max(0, len(sound) - read) / rate
    return features, np.arange(count) * settings.sequence_s, left_over


def fft_length(settings: FeatureSettings) -> int:
    """The next power of two at or above the window's samples."""
    return 1 << (round(settings.window_s * settings.sample_rate) - 1).bit_length()


@lru_cache(maxsize=8)
def mel_filters(settings: FeatureSettings) -> np.ndarray:
    """Triangular mel filters of unit area [2]_ from ``f_min`` to half the sample rate, (n_features, bins).

    Raises InputError if ``f_min`` is too high, or the window so short that a band would hold no frequency.
    """
    import librosa.filters  # takes more than a second, which commands that hear nothing should not wait for

    nyquist = settings.sample_rate / 2
    if settings.f_min >= nyquist:
        raise InputError(
            f"f_min is {settings.f_min:g} Hz; it must lie below half the sample rate, {nyquist:g} Hz"
        )
    edges = librosa.mel_frequencies(settings.n_features + 2, fmin=settings.f_min, fmax=nyquist)
    bins = np.fft.rfftfreq(fft_length(settings), 1 / settings.sample_rate)
    within = (bins > edges[:-2, None]) & (bins < edges[2:, None])  # (n_features, bins)
    if not within.any(axis=1).all():
        raise InputError(
            f"windows of {settings.window_s:g} s are too short to tell {settings.n_features} mel bands apart"
            f" at {settings.sample_rate} Hz; lengthen window_s or ask for fewer n_features"
        )
    return librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=fft_length(settings),
        n_mels=settings.n_features,
        fmin=settings.f_min,
        fmax=nyquist,
        dtype=np.float64,
    )


def band_frequencies(settings: FeatureSettings) -> np.ndarray:
    """Centre frequency of each mel band in Hz, (40,)."""
    import librosa

    edges = librosa.mel_frequencies(
        settings.n_features + 2, fmin=settings.f_min, fmax=settings.sample_rate / 2
    )
    return edges[1:-1]


def window_starts(settings: FeatureSettings) -> np.ndarray:
    """First sample of every window of every slice of a sequence, from its start, int (slices, windows).

    Raises InputError if not even one window fits into a slice.
    """
    rate = settings.sample_rate
    samples, room = round(settings.window_s * rate), round(settings.slice_s * rate)
    if room < samples:
        raise InputError(
            f"a window of {settings.window_s:g} s does not fit into a slice of {settings.slice_s:g} s;"
            " shorten window_s or lengthen slice_s"
        )
    hop = max(1, round(settings.hop_s * rate))
    inside = np.arange(0, room - samples + 1, hop)  # (windows,)
    slices = np.round(np.arange(settings.slices) * settings.slice_hop_s * rate).astype(int)  # (slices,)
    return slices[:, None] + inside
