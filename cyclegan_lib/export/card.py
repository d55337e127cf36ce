"""The model card: README.md of an exported folder, for people."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cyclegan_lib.checkpoint.inspection import untrained_in_words
from cyclegan_lib.errors import InputError
from cyclegan_lib.export.manifest import CARD, CONFIG, Manifest, sealed
from cyclegan_lib.export.translator import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.files import replacing_folder

SAME_DB = 0.01  # rounding differs between machines
DESCRIPTIONS = {
    "generator_AB": "generator, {device_a} to {device_b}",
    "generator_BA": "generator, {device_b} to {device_a}",
    "generator_AB_distilled": "the same, distilled: smaller and faster",
    "generator_BA_distilled": "the same, distilled: smaller and faster",
    "generator_AB_distilled_int8": "the same in 8 bits",
    "generator_BA_distilled_int8": "the same in 8 bits",
    "edge_AB": "sound of {device_a} to features of {device_b}",
    "edge_BA": "sound of {device_b} to features of {device_a}",
    "edge_AB_distilled": "the same, distilled: smaller and faster",
    "edge_BA_distilled": "the same, distilled: smaller and faster",
    "discriminator_A": "discriminator of {device_a}, for training only",
    "discriminator_B": "discriminator of {device_b}, for training only",
    "example_A": "a sequence of {device_a}, dB",
    "example_B": "a sequence of {device_b}, dB",
    "features": "sound to features, with numpy and soundfile only",
    "models": "the generator's source",
    "inference_example": "translates with numpy and torch only",
    "normalization_params": "mean and deviation of each feature",
}


def write_card(folder: Path, values: dict[str, Any], files: list[Path]) -> Path:
    """Write README.md into `folder`, about `files` and what `values`, the configuration, says of them."""
    loader = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    listed = {
        path.name: {"size": path.stat().st_size, "what": DESCRIPTIONS.get(path.stem, "").format(**values)}
        for path in sorted(files)
    }
    card = folder / CARD
    untrained = untrained_in_words(values["training"]["epoch"])
    text = template.get_template("card.md.j2").render(**values, files=listed, untrained=untrained)
    card.write_text(text, encoding="utf-8", newline="\n")
    return card


def check_translated(folder: str | Path, source: FeatureSet, translated: FeatureSet) -> str:
    """Which of a folder's generators makes `translated` of `source`: "AB", "BA", or one of these "distilled".

    Raises InputError if the folder is not as it was exported, does not translate from the source's device, or
    gives another translation than `translated`.
    """
    manifest = Manifest.load(folder)
    devices = {manifest.device_a: "AB", manifest.device_b: "BA"}
    if source.device not in devices:
        raise InputError(
            f"{folder} translates between {' and '.join(devices)}, and the source was recorded by"
            f" {source.device}; give the folder of the model that translated it"
        )
    direction = devices[source.device]
    for distilled in (False, True) if manifest.distilled else (False,):
        again = Translator.load(folder, direction, distilled).translate_set(source).features
        if again.shape == translated.features.shape and np.abs(again - translated.features).max() <= SAME_DB:
            return f"{direction} distilled" if distilled else direction
    raise InputError(
        f"{folder} makes another translation of the source than the one that was evaluated; evaluate what"
        f" `cyclegan translate --model {folder} --direction {direction}` writes"
    )


def add_evaluation(folder: str | Path, source: FeatureSet, translated: FeatureSet, table: str) -> Path:
    """Put an evaluation's table, in Markdown, into the model card of an exported folder; return its path.

    `source` are recordings of one of the two devices, `translated` is what this folder makes of them. The
    table replaces an earlier one of the same generator. Raises InputError as `check_translated` does, or if
    the folder cannot be written.
    """
    folder = Path(os.path.realpath(folder))
    generator = check_translated(folder, source, translated)
    values = Manifest.load(folder).model_dump()
    values["evaluation"] |= {generator: table}
    kept = [path for path in folder.iterdir() if path.name in values["sha256"] and path.name != CARD]
    with replacing_folder(folder, {CARD, CONFIG}) as beside:
        card = write_card(beside, values, kept)
        (beside / CONFIG).write_text(sealed(values, [card, *kept]), encoding="utf-8", newline="\n")
    return folder / CARD
