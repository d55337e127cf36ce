"""Distilled generators in 8 bits, for processors that multiply small integers faster than other numbers."""

from pathlib import Path

import numpy as np
import torch

CALIBRATED = 100  # sequences of slices like the training recordings', of which ranges are taken
PREPARED = "onnx.quant.pre_process"  # says that the graph is as simple as it can be: the exporter saw to it


def write_int8(small: Path, path: Path, ranges: torch.Tensor) -> None:
    """Quantise the products of matrices of a distilled generator's ONNX, `small`, into the file `path`.

    Weights and what they are multiplied with become 8-bit integers; the ranges of the latter are those on
    `ranges`, (n, slices, 40) dB, sequences like the training recordings' (static quantisation).
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Sequences(CalibrationDataReader):
        def __init__(self, sequences: np.ndarray) -> None:
            self.left = iter(sequences)

        def get_next(self) -> dict[str, np.ndarray] | None:
            sequence = next(self.left, None)
            return None if sequence is None else {"features": sequence[None]}

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


def run_onnx(path: Path, features: torch.Tensor) -> torch.Tensor:
    """What an ONNX generator makes of features, (n, slices, 40) dB."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"features": features.numpy()})[0])
