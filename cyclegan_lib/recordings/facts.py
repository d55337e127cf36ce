"""What can be said of a recording once it was read: length, level, and what is odd about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cyclegan_lib.errors import listed

STILL_S = 0.01  # a stretch this long without a change is digital silence, a dropout or a stuck converter
STILL = 3e-4  # of the recording's range: less than the dither of a converter is no change
LEAST_STILL = 10  # samples
OCTAVES = 300  # of ranges of float32, from its smallest
NEAR_PEAK = 0.02  # of the range: sound that is not clipped is as often so close to its peak as at it
LEVELS = 100  # sound of fewer steps of its converter is at its peak often
DEAD = 1e-6  # of the power of the loudest channel
AGAINST = -0.5  # correlation with the mean of all channels
CANCELLED = 0.25  # of the power that channels with nothing in common have in the mean
CLIPPED, HALF_SILENT = 0.001, 0.2  # parts of a recording from which on it is said


@dataclass
class Facts:
    """Of one recording: its file, and the mono sound that is used of it, at the file's rate, after scaling.

    `remarks` (about its file and channels) and `faults` (about its sound) are short phrases "kind" or "kind:
    numbers": the kinds of many files can be counted.
    """

    sample_rate: int  # Hz, the file's own
    channels: int  # of the file
    averaged: int = 1  # channels that the mono sound is the mean of
    seconds: float = 0.0
    peak: float = 0.0
    rms: float = 0.0  # about the offset
    offset: float = 0.0
    clipped: float = 0.0  # part of samples at a peak that is cut off; of several channels the worst
    still: float = 0.0  # part of the sound in stretches of 0.01 s that hardly change
    silent: bool = False  # all of it is 0
    constant: bool = False  # all of it is one value
    remarks: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """What makes the sound doubtful: silent, constant, half silent, clipped."""
        if self.silent or self.constant:
            return ["silent" if self.silent else f"constant: all samples are {self.offset:g}"]
        found = []
        if self.still >= HALF_SILENT:
            found.append(f"half silent: {self.still:.0%} of it hardly changes at all")
        if self.clipped >= CLIPPED:
            found.append(f"clipped: {self.clipped:.1%} of its samples are at the peak")
        return found


class Meter:
    """Listens to a recording block by block; memory does not grow with its length."""

    def __init__(self, sample_rate: int, channels: int, scale: float, used: Sequence[str]) -> None:
        """`used` are the names, or else the numbers, of those of its `channels` that are heard."""
        self.sample_rate, self.channels, self.scale, self.used = sample_rate, channels, scale, used
        self.remarks: list[str] = []
        self._width = max(LEAST_STILL, round(STILL_S * sample_rate))  # samples
        self._ranges = np.zeros(OCTAVES, int)  # stretches by the power of two that their range is below
        self._mono: _Moments | None = None
        self._each: _Moments | None = None
        self._tops: list[_Top] = []

    @np.errstate(all="ignore")  # squares of huge numbers are infinite
    def hear(self, columns: np.ndarray, mono: np.ndarray) -> None:
        """Take in (channels used, k) and their mean, (k,), as they are in the file."""
        if not len(mono):
            return
        if self._mono is None:
            self._mono = _Moments(mono[:1])
            self._each = self._mono if len(columns) == 1 else _Moments(columns[:, 0])
            self._tops = [_Top(channel, sign) for channel in range(len(columns)) for sign in (1, -1)]
        whole = len(mono) // self._width
        stretches = mono[: whole * self._width].reshape(whole, self._width)
        if whole:
            ranges = stretches.max(axis=1) - stretches.min(axis=1)
            self._ranges += np.bincount(_octave(ranges), minlength=OCTAVES)
        self._mono.add(mono[None])
        if self._each is not self._mono:
            self._each.add(columns, mono - self._mono.first)
        for top in self._tops:
            top.add(columns[top.channel], self._each)

    @np.errstate(all="ignore")
    def facts(self) -> Facts:
        """What is known so far."""
        facts = Facts(self.sample_rate, self.channels, remarks=list(self.remarks))
        mono, each, scale = self._mono, self._each, self.scale
        if mono is None or each is None:
            return facts
        low, high = float(mono.low[0]), float(mono.high[0])
        facts.averaged = len(each.low)
        facts.seconds = mono.count / self.sample_rate
        facts.peak, facts.offset = scale * max(-low, high), scale * float(mono.mean[0])
        facts.rms = scale * float(np.sqrt(mono.variance[0]))
        facts.constant, facts.silent = low == high, low == high == 0
        facts.still = float(facts.constant)
        if self._ranges.any():
            still = self._ranges[: max(1, int(_octave(np.float64(STILL * (high - low)))))].sum()
            facts.still = float(still / self._ranges.sum())
        cut = np.reshape([top.cut() for top in self._tops], (-1, 2)).sum(axis=1)  # (channels used,)
        facts.clipped = 0.0 if facts.constant else float(cut.max()) / mono.count
        if facts.averaged > 1:
            facts.remarks += _about_channels(self.used, each.variance, float(mono.variance[0]))
            along = each.along / each.count - (each.mean - each.first) * (mono.sum / mono.count)
            against = along < AGAINST * np.sqrt(each.variance * mono.variance)  # (channels used,)
            if against.any() and not facts.remarks:
                named = listed([name for name, turned in zip(self.used, against, strict=True) if turned])
                facts.remarks.append(f"channels turned against the mean of all: {named} of {len(against)}")
        return facts


def _octave(ranges: np.ndarray) -> np.ndarray:
    """The power of two that ranges lie below, from 0 for those that are 0."""
    return np.where(ranges > 0, np.frexp(ranges)[1] + OCTAVES // 2, 0).clip(0, OCTAVES - 1)


class _Moments:
    """Count, extremes, mean and variance of channels."""

    def __init__(self, first: np.ndarray) -> None:
        self.first = first.copy()  # sums are taken about it: an offset must not swallow a faint sound
        self.count = 0
        self.low, self.high = first.copy(), first.copy()
        self.sum = np.zeros(len(first))
        self.squares = np.zeros(len(first))
        self.along = np.zeros(len(first))  # products with the mean of the channels

    def add(self, columns: np.ndarray, mean: np.ndarray | None = None) -> None:
        self.count += columns.shape[1]
        self.low = np.minimum(self.low, columns.min(axis=1))
        self.high = np.maximum(self.high, columns.max(axis=1))
        for channel, column in enumerate(columns):
            about = column - self.first[channel]  # float32, as the blocks are
            self.sum[channel] += about.sum()
            self.squares[channel] += np.dot(about, about)
            if mean is not None:
                self.along[channel] += np.dot(about, mean)

    @property
    def mean(self) -> np.ndarray:
        return self.first + self.sum / self.count

    @property
    def variance(self) -> np.ndarray:
        return np.maximum(0, self.squares / self.count - (self.sum / self.count) ** 2)


class _Top:
    """How often one channel is at its highest value (with `sign` -1: its lowest), and how often near."""

    def __init__(self, channel: int, sign: int) -> None:
        self.channel, self.sign = channel, sign
        self.value, self.at, self.near, self.coarse = -np.inf, 0, 0, False

    def add(self, column: np.ndarray, moments: _Moments) -> None:
        low, high = float(moments.low[self.channel]), float(moments.high[self.channel])
        value, band = (high if self.sign > 0 else -low), NEAR_PEAK * (high - low)
        if value > self.value:
            close = self.value >= value - band
            self.near = self.near + self.at if close else 0
            self.value, self.at = value, 0
        at = np.count_nonzero(column == self.sign * value)
        near = np.count_nonzero(column >= value - band if self.sign > 0 else column <= band - value) - at
        self.at, self.near = self.at + at, self.near + near
        if at > near and len(column) > 1:
            steps = np.abs(np.diff(column[: 1 << 14]))
            self.coarse = (high - low) < LEVELS * steps[steps > 0].min(initial=np.inf)

    def cut(self) -> int:
        """Samples that are cut off: more are at the peak than near it."""
        return self.at if self.at > max(2, self.near) and not self.coarse else 0


def _about_channels(names: Sequence[str], powers: np.ndarray, of_mean: float) -> list[str]:
    """Remarks about the mean of channels of these names and powers, which has the power `of_mean`."""
    remarks = []
    if not powers.max() > 0:
        return remarks
    dead = [name for name, power in zip(names, powers, strict=True) if power < DEAD * powers.max()]
    if len(dead):
        lost = -20 * np.log10((len(powers) - len(dead)) / len(powers))
        remarks.append(
            f"channels without sound: {listed(dead)} of {len(powers)}, which makes the mean {lost:.0f} dB"
            " quieter"
        )
    live = len(powers) - len(dead)
    if live > 1 and of_mean < CANCELLED * powers.sum() / len(powers) ** 2:
        below = 10 * np.log10(max(of_mean, 1e-20 * powers.max()) / powers.mean())
        remarks.append(f"channels that cancel: their mean is {-below:.0f} dB below them")
    return remarks
