"""Distilled generators in 8 bits, for processors that multiply small integers faster than other numbers."""

from pathlib import Path

import numpy as np
import torch

from cyclegan_lib.config import SLICES
from cyclegan_lib.export.distillation import drawn_slices
from cyclegan_lib.export.formats import RawUnits

CALIBRATED = 100  # sequences of slices like the training recordings', of which ranges are taken
PREPARED = "onnx.quant.pre_process"  # says that the graph is as simple as it can be: the exporter saw to it


def write_int8(
    large: RawUnits, small: Path, path: Path, mean: torch.Tensor, covariance: torch.Tensor, seed: int
) -> dict[str, float]:
    """Quantise the products of matrices of a distilled generator's ONNX, `small`, into the file `path`.

    Weights and what they are multiplied with become 8-bit integers; the ranges of the latter are those on
    slices like the training recordings' (static quantisation): `mean`, (40,), and `covariance`, (40, 40), in
    z-scores. Returns the squared error against the large generator as a part of its output's variance, of
    "float", before, and of "int8", on others of such slices.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Sequences(CalibrationDataReader):
        def __init__(self, sequences: np.ndarray) -> None:
            self.left = iter(sequences)

        def get_next(self) -> dict[str, np.ndarray] | None:
            sequence = next(self.left, None)
            return None if sequence is None else {"features": sequence[None]}

    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(seed)
        drawn = [drawn_slices(mean, covariance).reshape(-1, SLICES, len(mean)) for _ in range(2)]
        ranges, judged = (z * large.std_source + large.mean_source for z in drawn)  # dB
        expected = large(judged).numpy()
    model = onnx.load_model_from_string(small.read_bytes())
    model.metadata_props.add(key=PREPARED, value="onnxruntime.quant")
    quantize_static(
        model,
        path,
        Sequences(ranges[:CALIBRATED].numpy()),
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul"],
    )
    variance = np.square(expected - expected.mean(axis=(0, 1))).sum()
    found = {"float": _run(small, judged.numpy()), "int8": _run(path, judged.numpy())}
    return {kind: float(np.square(y - expected).sum() / variance) for kind, y in found.items()}


def _run(path: Path, features: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, {"features": features})[0]
