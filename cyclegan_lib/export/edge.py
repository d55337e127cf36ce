"""Sound in, translated features out: the extraction of features as a network, to stand before a generator."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.export.formats import RawUnits, save_onnx, to_onnx
from cyclegan_lib.features import log_mel

if TYPE_CHECKING:
    from onnx import ModelProto

BLOCK = (
    128  # samples that are filtered together: the fewer, the smaller the file; the more, the fewer products
)
FORGOTTEN = 1e-15  # what is left of a state when it no longer counts
TOLERANCE_DB = 0.05
COMPARED_S = (1.0, 10.0, 3.17)  # sounds on which the graph is compared


class HighPass(nn.Module):
    """A filter in sections of second order, in products of matrices instead of sample by sample.

    A block's output follows from its samples and from the filter's state before it; all states follow from
    what each block puts into the next one's, summed over 1, 2, 4, ... blocks. The matrices are what the
    filter makes of single samples and single states.
    """

    def __init__(self, sections: np.ndarray) -> None:
        from scipy.signal import sosfilt, sosfilt_zi

        super().__init__()
        count, states = len(sections), 2 * len(sections)
        within, into = sosfilt(sections, np.eye(BLOCK), zi=np.zeros((count, BLOCK, 2)))
        single = np.eye(states).reshape(states, count, 2).swapaxes(0, 1)
        out_of, onward = sosfilt(sections, np.zeros((states, BLOCK)), zi=single)
        powers = [onward.swapaxes(0, 1).reshape(states, states)]
        while np.abs(powers[-1]).max() > FORGOTTEN:
            powers.append(powers[-1] @ powers[-1])
        arrays = {"within": within, "into": into.swapaxes(0, 1).reshape(BLOCK, states), "out_of": out_of}
        arrays |= {"constant": sosfilt_zi(sections).reshape(states), "powers": np.stack(powers[:-1])}
        for name, values in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Filter sounds, float64 (batch, samples), as if each had always been what its first sample is."""
        samples = x.shape[1]
        count = samples // BLOCK + 1
        blocks = functional.pad(x, (0, BLOCK))[:, : count * BLOCK].reshape(-1, count, BLOCK)
        put = torch.cat([(x[:, :1] * self.constant)[:, None], blocks @ self.into], dim=1)
        state = put[:, :count]  # (batch, blocks, states), before each block
        for doubling, power in enumerate(self.powers):
            state = state + functional.pad(state, (0, 0, 2**doubling, 0))[:, :count] @ power
        return (blocks @ self.within + state @ self.out_of).reshape(-1, count * BLOCK)[:, :samples]


class FrontEnd(nn.Module):
    """`features.log_mel.slices_of` as a network: sounds of a second or more as one sequence each.

    Raises InputError if slices do not begin at whole samples.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        super().__init__()
        rate, self.scale = settings.sample_rate, settings.scale
        self.second, self.hop = rate, round(settings.slice_hop_s * rate)
        if abs(self.hop - settings.slice_hop_s * rate) > 1e-6:
            raise InputError(
                "the format edge needs slices that begin at whole samples, which"
                f" {settings.slice_hop_s:g} s at {rate} Hz are not; leave edge out of --formats"
            )
        self.high_pass = HighPass(log_mel.high_pass(settings)) if settings.f_stop else None
        window, self.n_fft = round(settings.window_s * rate), log_mel.fft_length(settings)
        read = log_mel.window_starts(settings)[:, None] + np.arange(window)  # (windows, samples of one)
        self.reach = int(read.max()) + 1
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        self.register_buffer("read", torch.from_numpy(read))
        self.register_buffer("hann", torch.from_numpy(hann))
        self.register_buffer("filters", torch.from_numpy(log_mel.mel_filters(settings).T.astype(np.float32)))

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Sounds, float32 (batch, samples), a second or more, to dB, float32 (batch, slices, 40)."""
        x = samples.double() * self.scale
        count = (x.shape[1] - self.reach) // self.hop + 1
        if self.high_pass is None:
            windows = self.windows(x, torch.arange(count))
        else:
            half = self.second // 2
            early = max(0, (half - self.reach) // self.hop + 1)  # slices in the first half second
            # a filter needs time to settle: these are filtered from the end of the first second
            beginning = self.high_pass(x[:, : self.second].flip(1)).flip(1)[:, :half]
            later = self.windows(self.high_pass(x), torch.arange(early, count))
            windows = torch.cat([self.windows(beginning, torch.arange(early)), later], dim=1)
        spectra = torch.view_as_real(torch.fft.rfft(windows, self.n_fft))  # (batch, slices, windows, bins, 2)
        levels = 10 * torch.log10(spectra.square().sum(dim=-1) @ self.filters + log_mel.FLOOR)
        return levels.mean(dim=2)

    def windows(self, x: torch.Tensor, slices: torch.Tensor) -> torch.Tensor:
        """Weighted windows of the slices with these numbers, float32 (batch, slices, windows, samples)."""
        return (x[:, slices[:, None, None] * self.hop + self.read] * self.hann).float()


def edge_settings(values: dict[str, Any] | None) -> FeatureSettings:
    """The settings of the source's features; InputError if there are none, or `FrontEnd` refuses them."""
    if values is None:
        raise InputError(
            "the model was trained on features without settings, and the format edge cannot know how to"
            " extract them; leave edge out of --formats"
        )
    settings = FeatureSettings(**values)
    FrontEnd(settings)  # which refuses
    return settings


def write_edge(model: RawUnits, graph: "ModelProto", settings: FeatureSettings, path: Path) -> None:
    """Write one generator as ONNX from sound to translated features, and compare it with the library.

    `graph` is the generator's, and `settings` are those of the source's features. The file takes `samples`,
    float32 (batch, samples) at the model's rate, a second or more, and gives `translated`, float32
    (batch, slices, 40) in dB: each sound is one sequence. Raises InputError if onnxruntime gives anything
    else than the library's extraction and the generator in torch, by more than 0.05 dB.
    """
    from onnx import compose

    whole = compose.merge_models(front_end_graph(settings), graph, [("heard", "features")])
    save_onnx(whole, path)
    difference = edge_difference(model, settings, path)
    if difference > TOLERANCE_DB:
        raise InputError(
            f"{path}: onnxruntime differs from the library by {difference:.1e} dB (at most {TOLERANCE_DB:g}"
            " are accepted); leave edge out of --formats"
        )


@lru_cache(maxsize=2)  # a graph takes seconds, and four generators may stand behind the same
def front_end_graph(settings: FeatureSettings) -> "ModelProto":
    """The front end as ONNX: `samples` in, `heard` out, all other names such that no generator has them."""
    from onnx import compose

    shapes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("samples", min=settings.sample_rate)}
    example = torch.zeros(2, 2 * settings.sample_rate + 7)
    graph = to_onnx(FrontEnd(settings).eval(), example, "samples", "heard", shapes)
    return compose.add_prefix(graph, "sound/", rename_inputs=False, rename_outputs=False)


def edge_difference(
    model: RawUnits, settings: FeatureSettings, path: Path, seconds: Iterable[float] = COMPARED_S
) -> float:
    """The largest difference between onnxruntime and the library, in dB, on noise with offset and drift."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    rng, rate, worst = np.random.default_rng(0), settings.sample_rate, 0.0
    for length in seconds:
        samples = round(length * rate)
        drift = 0.3 + 0.2 * np.sin(2 * np.pi * 2 * np.arange(samples) / rate)
        sounds = rng.standard_normal((2, samples)) * [[0.1], [0.001]] + drift
        sounds = (sounds / settings.scale).astype(np.float32)
        blocks = (list(log_mel.slices_of([sound * settings.scale], settings)) for sound in sounds)
        features = torch.from_numpy(np.stack([np.concatenate(parts) for parts in blocks]))
        with torch.inference_mode():
            expected = model(features).numpy()
        (computed,) = session.run(None, {"samples": sounds})
        worst = max(worst, float(np.abs(computed - expected).max()))
    return worst
