"""The networks: `Generator`, `Discriminator` and the Lightning module `CycleGANModule` that trains them.

`CycleGANModule` is imported when it is first asked for, because Lightning takes seconds to import and
inference does not need it.
"""

from typing import Any

from cyclegan_lib.models.discriminator import Discriminator
from cyclegan_lib.models.generator import Generator

# under the names the guide gives them
NETWORKS = {
    "generator_AB": Generator,
    "generator_BA": Generator,
    "discriminator_A": Discriminator,
    "discriminator_B": Discriminator,
}
# the generators that are used and exported: averages of the trained ones over the last steps
AVERAGES = {"generator_AB": "average_AB.module", "generator_BA": "average_BA.module"}

__all__ = ["CycleGANModule", "Discriminator", "Generator"]


def network_settings(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """What the network called `name` is built with: its own settings, and the number of restarts."""
    return {**settings[name.split("_")[0]], "members": settings["restarts"]}


def new_network(settings: dict[str, Any], name: str) -> Generator | Discriminator:
    """The network called `name`, untrained, of `TrainingSettings` as a dictionary."""
    return NETWORKS[name](**network_settings(settings, name))


def __getattr__(name: str) -> type:
    if name == "CycleGANModule":
        from cyclegan_lib.models.cyclegan import CycleGANModule

        return CycleGANModule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
