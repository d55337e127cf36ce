"""Going on from a checkpoint: which one, and with which settings."""

import sys
from pathlib import Path
from typing import Any

from cyclegan_lib.checkpoint.reading import LAST
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.training.checkpoints import Written, checkpoints_in

AUTO = "auto"
# what may change from one start to the next: how long to train, and on what
FREE = ("max_epochs", "max_minutes", "threads", "accelerator")


def newest(folder: Path) -> Written | None:
    """The checkpoint in `folder` with the most completed epochs; None where none can be read.

    One that cannot be read is named in a line on stderr and passed over.
    """
    found = None
    # the newest is nearly always this one: first, so that it is taken where others hold the same epoch
    for path in sorted(checkpoints_in(folder), key=lambda path: path.name != LAST):
        try:
            candidate = Written.read(path)
        except InputError as error:
            print(f"passed over: {error}", file=sys.stderr)
            continue
        if found is None or candidate.epoch > found.epoch:
            found = candidate
    return found


def settings_to_go_on(found: Written, asked: TrainingSettings | None) -> TrainingSettings:
    """The checkpoint's settings, but for those that may change, where settings are asked for."""
    free = {} if asked is None else {name: getattr(asked, name) for name in FREE}
    return TrainingSettings.checked(str(found.path), **{**found.hyperparameters["settings"], **free})


def check_same(found: Written, asked: TrainingSettings) -> None:
    """Raise InputError if a setting is asked for that `found` was not trained with."""
    own, wanted = _flat(found.hyperparameters["settings"]), _flat(asked.model_dump())
    for name, value in wanted.items():
        if name not in FREE and own.get(name) != value:
            raise InputError(
                f"{found.path} was trained with {name} = {own.get(name)}, and {value} is asked for; ask for"
                " the same to go on from it, or give another folder for checkpoints to train anew"
            )


def _flat(settings: dict[str, Any], before: str = "") -> dict[str, Any]:
    found = {}
    for name, value in settings.items():
        found |= _flat(value, f"{before}{name}_") if isinstance(value, dict) else {before + name: value}
    return found
