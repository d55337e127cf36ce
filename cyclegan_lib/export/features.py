"""Log mel energies of a recording, as the models of this folder take them; needs numpy and soundfile only.

    from features import extract

    arrays = extract("recording.wav")  # of device A; extract("recording.wav", "b"): of device B
    arrays["features"]  # (sequences, slices, 40) in dB
    numpy.savez("recording.npz", **arrays)  # for inference_example.py, or cyclegan_lib

The settings are those of model_config.json beside this file.

References
----------
.. [1] M. Slaney, "Auditory Toolbox, version 2", Interval Research Corporation, 1998.
.. [2] L. R. Rabiner and B. Gold, "Theory and Application of Digital Signal Processing", 1975, chapter 4.
"""

import json
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).resolve().parent
FLOOR = 1e-10  # power added before the logarithm
STOP_DB, PASS_DB = 100.0, 0.1  # what the high-pass takes at least at `f_stop`, and at most at `f_min`
AT_ONCE = 100  # slices that are in memory together
LEAST_SLICES = 5  # of a sequence that is shorter than the others


def extract(path, domain="a"):
    """Read a WAV or FLAC file; the arrays of a feature set. Raises ValueError if it cannot be used."""
    config = json.loads((HERE / "model_config.json").read_text(encoding="utf-8"))
    settings = config["training"]["data"][domain]["settings"] or config["feature_settings"]
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)  # (samples, channels)
    if rate != settings["sample_rate"]:
        raise ValueError(f"it has {rate} Hz and the model needs {settings['sample_rate']} Hz; convert it")
    channel = settings["channel"]
    if sound.shape[1] == 1 and channel in (None, "mean"):
        settings["channel"] = channel = 1
    if channel in (None, "mean"):
        sound = sound.mean(axis=1)
    elif isinstance(channel, int) and channel <= sound.shape[1]:
        sound = sound[:, channel - 1]
    else:
        raise ValueError(f"it has {sound.shape[1]} channels and the model needs channel {channel}")
    if not np.isfinite(sound).all():
        raise ValueError("it has samples that are no numbers; record it again")
    slices = log_mel(sound * np.float32(settings["scale"]), settings)
    length = settings["slices"]
    if min(LEAST_SLICES, length) <= len(slices) < length:
        length = len(slices)
    count = len(slices) // length
    if not count:
        raise ValueError("it is too short for a sequence; record a second or more")
    return {
        "features": slices[: count * length].reshape(count, length, -1),
        "recording": np.array([Path(path).stem] * count),
        "start_s": np.arange(count) * (length * settings["slice_hop_s"]),
        "device": np.str_(config[f"device_{domain}"]),
        "settings": np.str_(json.dumps(settings)),
    }


def log_mel(sound, settings):
    """All slices of a sound, float (samples,) at the settings' rate: float32 (slices, 40) in dB."""
    rate = settings["sample_rate"]
    window, room = round(settings["window_s"] * rate), round(settings["slice_s"] * rate)
    inside = np.arange(0, room - window + 1, max(1, round(settings["hop_s"] * rate)))  # windows of a slice
    read = inside[:, None] + np.arange(window)  # (windows, samples)
    reach = inside[-1] + window
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    n_fft = 1 << (window - 1).bit_length()
    filters = mel_filters(n_fft, settings)  # (40, bins)

    def levels(x, starts):
        power = np.abs(np.fft.rfft(x[starts[:, None, None] + read] * hann, n_fft)) ** 2
        return (10 * np.log10(power @ filters.T + FLOOR)).mean(axis=1).astype(np.float32)

    hop = settings["slice_hop_s"] * rate
    starts = np.round(np.arange(len(sound) // hop + 1) * hop).astype(int)
    starts = starts[starts + reach <= len(sound)]
    # the filter needs half a second to settle: what comes before is filtered from the end of the first second
    first = sound[:rate]
    half = len(first) // 2
    early = starts[starts + reach <= half]
    found = [levels(high_passed(first[::-1], settings)[::-1][:half], early)]
    for i in range(len(early), len(starts), AT_ONCE):
        some = starts[i : i + AT_ONCE]
        begin = max(0, some[0] - rate)
        found.append(levels(high_passed(sound[begin : some[-1] + reach], settings), some - begin))
    return np.concatenate(found)


def mel_filters(n_fft, settings):
    """Triangular mel filters of unit area [1]_, (40, bins)."""

    def hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    nyquist = settings["sample_rate"] / 2
    ends = np.array([settings["f_min"], nyquist])
    first, last = np.where(ends < 1000, ends * 3 / 200, 15 + 27 * np.log(ends / 1000) / np.log(6.4))
    edges = hertz(np.linspace(first, last, settings["n_features"] + 2))[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.linspace(0, nyquist, n_fft // 2 + 1)
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return np.maximum(0, triangles) * 2 / (high - low)


def high_passed(x, settings):
    """Filter a sound as if it had always been what its first sample is; by its spectrum, with room to end."""
    if not settings["f_stop"] or not len(x):
        return x
    n = len(x) + settings["sample_rate"]
    gains = response(np.fft.rfftfreq(n), settings)
    return np.fft.irfft(np.fft.rfft(x - x[0], n) * gains, n)[: len(x)] + gains[0].real * x[0]


def response(frequencies, settings):
    """Chebyshev's second high-pass [2]_ of the least order, at frequencies in parts of the sample rate."""
    rate = settings["sample_rate"]
    passed, stopped = (np.tan(np.pi * settings[name] / rate) for name in ("f_min", "f_stop"))
    depth = np.arccosh(np.sqrt((10 ** (STOP_DB / 10) - 1) / (10 ** (PASS_DB / 10) - 1)))
    order = int(np.ceil(depth / np.arccosh(passed / stopped)))
    edge = passed / np.cosh(depth / order)
    angles = np.pi * np.arange(1 - order, order, 2) / (2 * order)
    width = np.arcsinh(np.sqrt(10 ** (STOP_DB / 10) - 1)) / order
    poles = -1 / (np.sinh(width) * np.cos(angles) + 1j * np.cosh(width) * np.sin(angles))
    zeros = 1j / np.sin(angles[np.abs(angles) > 1e-9])
    s = 1j * np.tan(np.pi * frequencies) / edge
    level = (np.prod(-poles) / np.prod(-zeros)).real * s ** (order % 2)
    factors = [1 - zero * s for zero in zeros], [1 - pole * s for pole in poles]
    return level * np.prod(factors[0], axis=0) / np.prod(factors[1], axis=0)
