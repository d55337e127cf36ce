"""Taking a checkpoint apart into the files of the guide."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import Normalizer
from cyclegan_lib.files import writable_folder
from cyclegan_lib.models import Discriminator, Generator
from cyclegan_lib.models.checkpoint import NETWORKS, network_settings, network_state, read_checkpoint

CONFIG, NORMALIZATION, EXAMPLE = "model_config.json", "normalization_params.json", "inference_example.py"
TEMPLATE = Path(__file__).with_name("inference_example.py")


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
) -> list[ExportedFile]:
    """Write the networks of a checkpoint as files of their own.

    The generators written are the averaged ones, which `CycleGANModule.convert_A_to_B` uses too. All files
    are written into a folder beside and moved in at the end, the configuration last; files of an earlier
    export that this one does not write (discriminators, say) are removed, so that the folder never mixes
    two exports. Other files there are left alone.

    Parameters
    ----------
    checkpoint : path
    output_dir : path
    discriminators : bool
        Inference does not need them.
    inference_script : bool
        Write inference_example.py as well.

    Returns
    -------
    list of ExportedFile

    Raises
    ------
    InputError
        If the checkpoint cannot be used or the folder cannot be written.
    """
    content = read_checkpoint(checkpoint)
    networks = {
        name: build_network(content, name, str(checkpoint))
        for name in NETWORKS
        if discriminators or name.startswith("generator")
    }
    folder = writable_folder(output_dir)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as temporary:
        beside = Path(temporary)
        for name, network in networks.items():
            torch.save(network.state_dict(), beside / f"{name}.pth")
        Normalizer.from_dict(content["hyper_parameters"]["normalization"]).save(beside / NORMALIZATION)
        if inference_script:
            shutil.copyfile(TEMPLATE, beside / EXAMPLE)
        config = _config(content, {path.name: sha256(path) for path in sorted(beside.iterdir())})
        (beside / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        written = sorted(path.name for path in beside.iterdir() if path.name != CONFIG) + [CONFIG]
        for name in {f"{network}.pth" for network in NETWORKS} | {EXAMPLE}:
            if name not in written:
                (folder / name).unlink(missing_ok=True)
        for name in written:
            os.replace(beside / name, folder / name)
    return [
        ExportedFile(folder / name, (folder / name).stat().st_size, _count(networks.get(Path(name).stem)))
        for name in written
    ]


def saved_part(checkpoint: str | Path, files: list[ExportedFile]) -> float:
    """The part of the checkpoint's size that the exported folder saves, 0 to 1."""
    return 1 - sum(file.size for file in files) / Path(checkpoint).stat().st_size


def build_network(content: dict[str, Any], name: str, where: str) -> torch.nn.Module:
    """Build one network of a checkpoint and load its weights; InputError if they do not fit."""
    kind = Generator if name.startswith("generator") else Discriminator
    network = kind(**network_settings(content["hyper_parameters"]["settings"], name))
    try:
        network.load_state_dict(network_state(content, name))
    except RuntimeError as error:
        raise InputError(
            f"{where}: the weights of {name} do not fit its settings; give a whole checkpoint"
        ) from error
    return network.eval()


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _config(content: dict[str, Any], hashes: dict[str, str]) -> dict[str, Any]:
    ours = content["hyper_parameters"]
    return {
        "input_dim": ours["settings"]["generator"]["input_dim"],
        "generator_config": network_settings(ours["settings"], "generator_AB"),
        "discriminator_config": network_settings(ours["settings"], "discriminator_A"),
        "device_a": ours["device_a"],
        "device_b": ours["device_b"],
        "feature_settings": ours["feature_settings"],
        "training": {
            "epoch": completed_epochs(content),
            "seed": ours["settings"]["seed"],
            "data": ours["data"],
        },
        "sha256": hashes,
    }


def completed_epochs(content: dict[str, Any]) -> int:
    """How many epochs a checkpoint was trained for; 0 is the untrained model."""
    return int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])


def _count(network: torch.nn.Module | None) -> int | None:
    return None if network is None else sum(p.numel() for p in network.parameters())
