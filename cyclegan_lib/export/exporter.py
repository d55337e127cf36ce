"""Taking a checkpoint apart into the files of the guide."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cyclegan_lib.checkpoint.reading import build_network, read_checkpoint
from cyclegan_lib.checkpoint.torch_file import write_tensors
from cyclegan_lib.errors import InputError, printable
from cyclegan_lib.export.card import write_card
from cyclegan_lib.export.distillation import SIZES, distil, drawn_sequences, nmse
from cyclegan_lib.export.edge import edge_settings, write_edge
from cyclegan_lib.export.formats import (
    FORMATS,
    RawUnits,
    file_name,
    generator_graph,
    parse_formats,
    write_onnx,
    write_safetensors,
)
from cyclegan_lib.export.manifest import CARD, CONFIG, NORMALIZATION, describe, distilled_name, sealed
from cyclegan_lib.export.quantization import run_onnx, write_int8
from cyclegan_lib.export.standalone import generator_source
from cyclegan_lib.features import Normalizer
from cyclegan_lib.files import not_an_input, replacing_folder
from cyclegan_lib.models import NETWORKS, Generator

SCRIPT, SOURCE = "inference_example.py", "models.py"
FRONT_END = "features.py"
EXAMPLES = {"A": "example_A.npy", "B": "example_B.npy"}
# every name that an export may write: what an earlier one wrote and this one does not is removed
GENERATORS = [name for name in NETWORKS if name.startswith("generator")]
EXPORTED_NETWORKS = (*NETWORKS, *map(distilled_name, GENERATORS))
NAMES = {file_name(network, suffix) for network in EXPORTED_NETWORKS for suffix in ("pth", *FORMATS)}
INT8 = {name: f"{distilled_name(name)}_int8.onnx" for name in GENERATORS}
NAMES |= {*INT8.values(), CARD, CONFIG, NORMALIZATION, SCRIPT, SOURCE, FRONT_END, *EXAMPLES.values()}


@dataclass(frozen=True)
class ExportedFile:
    """One written file: its path, its size in bytes and, for a network, its number of parameters."""

    path: Path
    size: int
    parameters: int | None = None


def export(
    checkpoint: str | Path,
    output_dir: str | Path = "exported_models",
    discriminators: bool = True,
    inference_script: bool = False,
    formats: str | Iterable[str] = (),
    distilled: bool = False,
    int8: bool = False,
) -> list[ExportedFile]:
    """Write the networks of a checkpoint as files of their own.

    The generators written are the averaged ones, which `CycleGANModule.convert_A_to_B` uses too. All files
    are written into a folder beside, which then takes the place of `output_dir` in one step: whoever looks
    finds the old export or the new one. Files there that no export writes are taken over.

    Inference does not need the `discriminators`; `inference_script` writes inference_example.py as well.
    `formats` are further ones of the generators: "onnx", "safetensors", "edge" (ONNX from sound on), or some
    of them (as a list or with commas).
    `distilled` distils each generator into a small one as well, which takes some seconds, and `int8`
    quantises those as well; it asks for `distilled` and "onnx" too.

    Raises InputError if the checkpoint cannot be used or does not keep what distilling needs, lies in
    `output_dir`, the folder cannot be written, or it holds a file of somebody else's under a name that an
    export writes.
    """
    wanted = [formats] if isinstance(formats, str) else formats
    formats = parse_formats(",".join([*wanted, *["onnx"] * int8]))
    folder = Path(output_dir)
    _check_folder(folder, checkpoint)
    content = read_checkpoint(checkpoint)
    networks = {
        name: build_network(content, name)
        for name in NETWORKS
        if discriminators or name.startswith("generator")
    }
    values = describe(content)
    normalizer = Normalizer.from_dict(content["hyper_parameters"]["normalization"])
    if distilled or int8:
        small, values["distilled"] = _distilled(content, networks, normalizer, checkpoint)
        networks |= small
    with replacing_folder(folder, NAMES) as beside:
        for name, network in networks.items():
            write_tensors(network.state_dict(), beside / f"{name}.pth")
            if isinstance(network, Generator):
                _write_formats(network, name, normalizer, values, formats, beside)
        if int8:
            _write_int8(content, networks, normalizer, values["distilled"]["nmse"], beside)
        normalizer.save(beside / NORMALIZATION)
        (beside / SOURCE).write_text(generator_source(), encoding="utf-8", newline="\n")
        scripts = [SCRIPT] * inference_script + [FRONT_END] * (values["feature_settings"] is not None)
        for name in scripts:
            shutil.copyfile(Path(__file__).with_name(name), beside / name)
        for domain, sequence in content.get("example", {}).items():
            np.save(beside / EXAMPLES[domain], sequence.numpy()[None])  # (1, slices, 40)
        write_card(beside, values, list(beside.iterdir()))
        (beside / CONFIG).write_text(sealed(values, list(beside.iterdir())), encoding="utf-8", newline="\n")
        written = sorted(path.name for path in beside.iterdir())
    counts = {
        f"{name}.pth": sum(p.numel() for p in network.parameters()) for name, network in networks.items()
    }
    return [ExportedFile(folder / name, (folder / name).stat().st_size, counts.get(name)) for name in written]


def _write_formats(
    generator: Generator,
    name: str,
    normalizer: Normalizer,
    values: dict[str, Any],
    formats: tuple[str, ...],
    folder: Path,
) -> None:
    paths = {wanted: folder / file_name(name, wanted) for wanted in formats}
    model = RawUnits(generator, normalizer, _direction(name)).eval()
    if "edge" in paths:  # what cannot be is said before graphs are made, which takes seconds
        own = values["training"]["data"][_direction(name)[0].lower()]["settings"]
        settings = edge_settings(own or values["feature_settings"])
    graph = generator_graph(model) if paths.keys() & {"onnx", "edge"} else None
    if "onnx" in paths:
        write_onnx(model, graph, paths["onnx"])
    if "safetensors" in paths:
        write_safetensors(generator, paths["safetensors"])
    if "edge" in paths:
        write_edge(model, graph, settings, paths["edge"])


def _distilled(
    content: dict[str, Any], networks: dict[str, Any], normalizer: Normalizer, checkpoint: str | Path
) -> tuple[dict[str, Generator], dict[str, Any]]:
    """A small generator for each large one, by name; and what the configuration says of them."""
    moments = content.get("slice_moments")
    if moments is None:
        raise InputError(
            f"{checkpoint} was written by an earlier version, and does not keep what distilling needs; train"
            " again, or export without --distilled"
        )
    seed = content["hyper_parameters"]["settings"]["seed"]
    generators, difference, errors = {}, {}, {}
    for name in GENERATORS:
        direction = _direction(name)
        small, difference[direction] = distil(networks[name], **moments[direction[0]], seed=seed)
        generators[distilled_name(name)] = small
        large, _, judged = _judged(content, networks, normalizer, name)
        errors[direction] = {"float": nmse(large, RawUnits(small, normalizer, direction), judged)}
    return generators, {"generator_config": SIZES, "difference": difference, "nmse": errors}


def _write_int8(
    content: dict[str, Any],
    networks: dict[str, Any],
    normalizer: Normalizer,
    errors: dict[str, dict[str, float]],
    folder: Path,
) -> None:
    """Quantise the small generators in `folder`, and add to `errors` how far they are from the large ones."""
    for name, file in INT8.items():
        large, ranges, judged = _judged(content, networks, normalizer, name)
        write_int8(folder / f"{distilled_name(name)}.onnx", folder / file, ranges)
        errors[_direction(name)]["int8"] = nmse(large, partial(run_onnx, folder / file), judged)


def _judged(
    content: dict[str, Any], networks: dict[str, Any], normalizer: Normalizer, name: str
) -> tuple[RawUnits, torch.Tensor, torch.Tensor]:
    """A large generator, in dB, and sequences to fit a smaller one to and to judge it on."""
    large = RawUnits(networks[name], normalizer, _direction(name)).eval()
    moments = content["slice_moments"][_direction(name)[0]]
    seed = content["hyper_parameters"]["settings"]["seed"]
    return large, *drawn_sequences(large, **moments, seed=seed)


def _direction(name: str) -> str:
    return name.split("_")[1]


def _check_folder(folder: Path, checkpoint: str | Path) -> None:
    """Raise InputError if an export to `folder` would replace the checkpoint, or what no export wrote."""
    if os.path.realpath(folder) == os.path.dirname(os.path.realpath(checkpoint)):
        raise InputError(f"{folder} is the folder of the checkpoint; give another folder to export to")
    there = [folder / name for name in sorted(NAMES) if os.path.lexists(folder / name)]
    for path in there:
        not_an_input(path, checkpoint, remedy="give another folder to export to")
    if there and not _is_export(folder):
        raise InputError(
            f"{there[0]} would be replaced, and is not of an earlier export; give another folder to export to"
        )


def _is_export(folder: Path) -> bool:
    try:
        return b"generator_config" in (folder / CONFIG).read_bytes()  # even where it was damaged since
    except OSError:
        return False


def saved_part(checkpoint: str | Path, files: list[ExportedFile]) -> float:
    """The part of a checkpoint's size that is saved by keeping the generators and what they need, 0 to 1."""
    needed = {"generator_AB.pth", "generator_BA.pth", CONFIG, NORMALIZATION}
    return 1 - sum(file.size for file in files if file.path.name in needed) / Path(checkpoint).stat().st_size


def size_table(checkpoint: str | Path, files: list[ExportedFile]) -> str:
    """The guide's table of sizes, with the figures of this export, and what it saves."""
    whole = Path(checkpoint)
    rows = [(printable(whole.name), whole.stat().st_size, "4 networks, averages, optimizers, history")]
    for file in files:
        rows.append((file.path.name, file.size, f"{file.parameters:,} parameters" if file.parameters else ""))
    width = max(len(name) for name, _, _ in rows)
    lines = [f"{name:{width}s}{size / 1e6:9.3f} MB   {holds}".rstrip() for name, size, holds in rows]
    saved = f"generators only: {saved_part(checkpoint, files):.0%} smaller than the checkpoint"
    return "\n".join([*lines, saved])
