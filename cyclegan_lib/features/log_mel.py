"""Sound to features: log mel energies of slices.

References
----------
.. [1] S. B. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word
   recognition in continuously spoken sentences", IEEE Transactions on Acoustics, Speech, and Signal
   Processing 28(4), 1980, 357-366.
.. [2] M. Slaney, "Auditory Toolbox, version 2", Interval Research Corporation, 1998: librosa's filters.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

import numpy as np

from cyclegan_lib.config import MIN_SLICES, FeatureSettings
from cyclegan_lib.errors import InputError

FLOOR = 1e-10  # power added before the logarithm: silence is -100 dB, not minus infinity
FLOOR_DB, NEAR_FLOOR_DB = -100.0, -99.0  # below the latter hardly anything is left of the power itself
STOP_DB, PASS_DB = 100.0, 0.1  # what the high-pass takes at least at `f_stop`, and at most at `f_min`
SETTLED_S = 1.0  # after half of it the high-pass no longer knows how it began
AT_ONCE = 10  # slices whose windows are in memory together: half a megabyte, which caches hold
BLOCK = 1 << 18  # samples of a sound in memory that are filtered at a time


def log_mel_slices(sound: np.ndarray, settings: FeatureSettings) -> tuple[np.ndarray, np.ndarray, float]:
    """Log mel energies [1]_ of every slice of every whole sequence in `sound`.

    Windows are weighted by a Hann window, padded with zeros to the next power of two, and never reach beyond
    their slice; the mel energies of each are turned to dB, then averaged over the slice. Offset and drift up
    to ``settings.f_stop`` are removed before. Sequence k begins at k times 10 s and needs 9.96 s; a sound too
    short for one, but of at least a second, is one sequence of the slices it has.

    `sound` is mono, float (samples,), at ``settings.sample_rate``. Returns the features, float32 (sequences,
    slices, n_features) in dB, with no sequences if the sound is too short for one; where each begins, float64
    (sequences,) in seconds; and the seconds of sound at the end that no sequence reads. Raises InputError if
    the settings contradict each other (see `mel_filters`, `window_starts` and `high_pass`).
    """
    blocks = (sound[start : start + BLOCK] for start in range(0, len(sound), BLOCK))
    slices = np.concatenate([np.empty((0, settings.n_features), np.float32), *slices_of(blocks, settings)])
    return in_sequences(slices, len(sound), settings)


def in_sequences(
    slices: np.ndarray, samples: int, settings: FeatureSettings
) -> tuple[np.ndarray, np.ndarray, float]:
    """Cut all slices (m, n_features) of a recording of so many samples into what `log_mel_slices` returns."""
    length = settings.slices
    if least_slices(settings) <= len(slices) < length:
        length = len(slices)
    count, rate = len(slices) // length, settings.sample_rate
    features = slices[: count * length].reshape(count, length, settings.n_features)
    last_s = (count * length - 1) * settings.slice_hop_s  # where the last slice that is used starts
    read = round((last_s + settings.slice_s) * rate) if count else 0
    return features, np.arange(count) * (length * settings.slice_hop_s), max(0, samples - read) / rate


def least_slices(settings: FeatureSettings) -> int:
    """Slices of the shortest sequence."""
    return min(MIN_SLICES, settings.slices)


def least_s(settings: FeatureSettings) -> float:
    """Seconds of the shortest recording that gives a sequence."""
    return (least_slices(settings) - 1) * settings.slice_hop_s + settings.slice_s


def check_settings(settings: FeatureSettings) -> None:
    """Raise InputError if the settings contradict each other (see the functions below)."""
    mel_filters(settings)
    window_starts(settings)
    if settings.f_stop:
        high_pass(settings)


def slices_of(blocks: Iterable[np.ndarray], settings: FeatureSettings) -> Iterator[np.ndarray]:
    """Log mel energies of all slices of a recording whose sound comes in `blocks`, float (samples,) each.

    Slice k begins at k times 0.20 s. Gives the slices one after the other, some at a time, float32 (k,
    n_features) in dB; they do not depend on how the sound is divided, and memory not on its length. Raises
    InputError as `log_mel_slices` does.
    """
    check_settings(settings)
    if not settings.f_stop:
        yield from _slices(blocks, settings)
        return
    beginning, whole = _without_drift(blocks, settings)
    count = 0
    for features in _slices([beginning], settings):
        count += len(features)
        yield features
    yield from _slices(whole, settings, count)


def _slices(blocks: Iterable[np.ndarray], settings: FeatureSettings, first: int = 0) -> Iterator[np.ndarray]:
    """The slices from number `first` on, as `slices_of` gives them, of sound as it is."""
    hop = settings.slice_hop_s * settings.sample_rate
    filters = mel_filters(settings)  # (n_features, bins)
    inside = window_starts(settings)  # (windows,)
    samples, n_fft = round(settings.window_s * settings.sample_rate), fft_length(settings)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)  # periodic, as spectra need it
    reach = int(inside[-1]) + samples  # what of a slice is read
    room = np.zeros((AT_ONCE, len(inside), n_fft))  # windows, with zeros behind
    held, begin = np.empty(0), 0  # the sound that later slices read, and where it begins
    for block in blocks:
        held = np.concatenate([held, block]) if len(held) else block
        while True:
            starts = np.round(np.arange(first, first + AT_ONCE) * hop).astype(int) - begin
            ready = starts[starts + reach <= len(held)]  # (slices,)
            if not len(ready):
                break
            windows = np.lib.stride_tricks.sliding_window_view(held, samples)[ready[:, None] + inside]
            padded = room[: len(ready)]  # (slices, windows, n_fft)
            np.multiply(windows, hann, out=padded[..., :samples])
            spectra = np.fft.rfft(padded)  # (slices, windows, bins)
            power = np.square(spectra.real)
            power += np.square(spectra.imag)
            levels = 10 * np.log10(power @ filters.T + FLOOR)  # (slices, windows, n_features)
            yield levels.mean(axis=1).astype(np.float32)
            first += len(ready)
        passed = min(len(held), max(0, int(starts[0])))
        held, begin = held[passed:], begin + passed


def _without_drift(
    blocks: Iterable[np.ndarray], settings: FeatureSettings
) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    """The same sound, high-pass filtered, float64: its first half second, and all of it in blocks.

    A filter needs time to settle, and what begins with drift would be heard as a thud. So the first half
    second is filtered from the end of the first second back to its start: magnitudes are the same, and the
    thud lies behind what is used. The other slices are those of the sound filtered forwards, settled by then.
    """
    from scipy.signal import sosfilt, sosfilt_zi  # only what hears sound waits for it

    blocks, taken, rate = iter(blocks), [np.empty(0, np.float32)], settings.sample_rate
    while sum(map(len, taken)) < round(SETTLED_S * rate) and (block := next(blocks, None)) is not None:
        taken.append(block)
    head = np.concatenate(taken)
    first = head[: round(SETTLED_S * rate)]
    if not len(first):
        return first, iter(())
    sections = high_pass(settings)
    of_constant = sosfilt_zi(sections)  # an offset that has been there for ever

    def forwards() -> Iterator[np.ndarray]:
        state = of_constant * first[0]
        for block in chain([head], blocks):
            sound, state = sosfilt(sections, block, zi=state)
            yield sound

    backwards = sosfilt(sections, first[::-1], zi=of_constant * first[-1])[0][::-1]
    return backwards[: len(first) // 2], forwards()


@lru_cache(maxsize=8)
def high_pass(settings: FeatureSettings) -> np.ndarray:
    """Chebyshev's second high-pass: 100 dB less at ``f_stop``, flat from ``f_min``, (sections, 6).

    Raises InputError if ``f_min`` does not lie above ``f_stop``.
    """
    from scipy.signal import cheb2ord, cheby2

    f_min, f_stop, rate = settings.f_min, settings.f_stop, settings.sample_rate
    if f_min <= f_stop:
        raise InputError(f"f_min is {f_min:g} Hz; it must lie above f_stop, {f_stop:g} Hz")
    order, edge = cheb2ord(f_min, f_stop, PASS_DB, STOP_DB, fs=rate)
    return cheby2(order, STOP_DB, edge, "highpass", output="sos", fs=rate)


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
            f" at {settings.sample_rate} Hz; ask for a higher sample rate, longer windows or fewer bands"
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


def hertz(frequency: float) -> str:
    """A frequency for people: 421 Hz, 2.4 kHz."""
    return f"{frequency:.0f} Hz" if frequency < 1000 else f"{frequency / 1000:.1f} kHz"


def frequency_ranges(bands: np.ndarray, settings: FeatureSettings) -> str:
    """The frequencies of the bands that are chosen, (40,) bool, neighbours as a range; "" for none."""
    centres = band_frequencies(settings)
    edges = np.flatnonzero(np.diff(np.r_[0, bands, 0]))
    ends = ((hertz(centres[low]), hertz(centres[high - 1])) for low, high in edges.reshape(-1, 2))
    return ", ".join(" to ".join(dict.fromkeys(both)) for both in ends)


def window_starts(settings: FeatureSettings) -> np.ndarray:
    """First sample of every window of a slice, from its start, int (windows,).

    Raises InputError if not even one window fits into a slice.
    """
    rate = settings.sample_rate
    samples, room = round(settings.window_s * rate), round(settings.slice_s * rate)
    if room < samples:
        raise InputError(
            f"a window of {settings.window_s:g} s does not fit into a slice of {settings.slice_s:g} s;"
            " shorten window_s or lengthen slice_s"
        )
    return np.arange(0, room - samples + 1, max(1, round(settings.hop_s * rate)))
