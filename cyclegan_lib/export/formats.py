"""Generators in the formats of other runtimes: ONNX, which needs no torch, and safetensors."""

import itertools
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import Normalizer
from cyclegan_lib.models import Generator

if TYPE_CHECKING:
    from onnx import ModelProto

FORMATS = ("onnx", "safetensors", "edge")
COMPARED_SIZES = tuple(
    itertools.product((1, 7, 64), (50, 1, 173))
)  # (batch, slices) on which ONNX is compared
TOLERANCE = 1e-4  # standard deviations of the target
NEEDED = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "safetensors": ("safetensors",)}
NEEDED["edge"] = NEEDED["onnx"]


class RawUnits(nn.Module):
    """A generator between its normalisation and denormalisation: dB in, dB out, (batch, slices, 40)."""

    def __init__(self, generator: Generator, normalizer: Normalizer, direction: str) -> None:
        super().__init__()
        self.generator = generator
        for name, domain in zip(("source", "target"), direction, strict=True):
            for moment, values in zip(("mean", "std"), normalizer.moments(domain), strict=True):
                self.register_buffer(f"{moment}_{name}", torch.from_numpy(values.astype(np.float32)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        z = (features - self.mean_source) / self.std_source  # (batch, slices, 40)
        return self.generator(z) * self.std_target + self.mean_target


def parse_formats(text: str) -> tuple[str, ...]:
    """The formats in a comma-separated list, each once, in a fixed order.

    Raises InputError if one is unknown, or a package that writes it is not installed.
    """
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    for name in sorted(wanted - {*FORMATS, "pth"}):  # .pth is always written
        raise InputError(f"the format '{name}' is unknown; give {', '.join(FORMATS)}, or some with commas")
    chosen = tuple(name for name in FORMATS if name in wanted)
    for name in chosen:
        for package in NEEDED[name]:
            try:
                import_module(package)
            except ImportError as error:
                raise InputError(
                    f"the format {name} needs the package {package}; install it with"
                    " pip install 'cyclegan-lib[formats]', or leave the format out"
                ) from error
    return chosen


def write_onnx(model: RawUnits, graph: "ModelProto", path: str | Path) -> Path:
    """Write the graph of one generator, and compare it with torch.

    Raises InputError if onnxruntime computes anything else than torch, by more than 1e-4 standard deviations.
    """
    path = Path(path)
    save_onnx(graph, path)
    difference = onnx_difference(model, path)
    if difference > TOLERANCE:
        raise InputError(
            f"{path}: onnxruntime differs from torch by {difference:.1e} standard deviations"
            f" (at most {TOLERANCE:g} are accepted); leave onnx out of --formats"
        )
    return path


def generator_graph(model: RawUnits) -> "ModelProto":
    """One generator as ONNX, with normalisation inside.

    The graph takes `features` and gives `translated`, both (batch, slices, 40) float32 in dB, for any number
    of sequences and slices.
    """
    shapes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("slices")}
    # sizes other than 1, which would become constants
    return to_onnx(model, torch.zeros(2, 3, len(model.mean_source)), "features", "translated", shapes)


def to_onnx(model: nn.Module, example: torch.Tensor, given: str, gives: str, shapes: Any) -> "ModelProto":
    """A network as ONNX, from an input called `given` to an output (batch, slices, bands) called `gives`."""
    with _quiet():
        program = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            dynamic_shapes=(shapes,),
            input_names=[given],
            output_names=[gives],
            verbose=False,
        )
    proto = program.model_proto
    graph = proto.graph
    values = *graph.value_info, *graph.input, *graph.output, *graph.initializer
    for part in (proto, graph, *graph.node, *values):
        del part.metadata_props[:]  # the exporter's notes: source lines and paths of this machine
    graph.output[0].type.tensor_type.shape.dim[1].dim_param = "slices"  # however many the input gives
    return proto


def save_onnx(proto: "ModelProto", path: Path) -> None:
    """Check a graph and write it in one file."""
    import onnx

    onnx.checker.check_model(proto, full_check=True)
    onnx.save_model(proto, path, save_as_external_data=False)


def onnx_difference(model: RawUnits, path: str | Path) -> float:
    """The largest difference between onnxruntime and torch, in standard deviations of the target."""
    import onnxruntime

    # its bytes: onnxruntime opens no name that is not UTF-8
    session = onnxruntime.InferenceSession(Path(path).read_bytes(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    mean, std = model.mean_source.numpy(), model.std_source.numpy()
    worst = 0.0
    for batch, slices in COMPARED_SIZES:
        x = (mean + 2 * std * rng.standard_normal((batch, slices, len(mean)))).astype(np.float32)
        with torch.inference_mode():
            expected = model(torch.from_numpy(x)).numpy()
        (computed,) = session.run(None, {"features": x})
        worst = max(worst, float(np.abs((computed - expected) / model.std_target.numpy()).max()))
    return worst


def file_name(network: str, suffix: str) -> str:
    """What a network, "generator_AB" for one, is called in a format: edge_AB.onnx, or with the suffix."""
    return f"{network.replace('generator', 'edge')}.onnx" if suffix == "edge" else f"{network}.{suffix}"


def write_safetensors(generator: Generator, path: Path) -> None:
    """Write a generator's weights as safetensors, under the names of its state dict.

    A header of shapes and offsets, then the numbers; no code: https://huggingface.co/docs/safetensors.
    """
    from safetensors.torch import save

    path.write_bytes(save({name: value.contiguous() for name, value in generator.state_dict().items()}))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch's exporter says about its own insides (a missing torchvision, for one)."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec.*")
            yield
    finally:
        log.setLevel(level)
