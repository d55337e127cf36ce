"""The networks: `Generator`, `Discriminator` and the Lightning module `CycleGANModule` that trains them.

`CycleGANModule` is imported when it is first asked for, because Lightning takes seconds to import and
inference does not need it.
"""

from typing import TYPE_CHECKING

from cyclegan_lib.models.discriminator import Discriminator
from cyclegan_lib.models.generator import Generator

if TYPE_CHECKING:
    from cyclegan_lib.models.cyclegan import CycleGANModule

__all__ = ["CycleGANModule", "Discriminator", "Generator"]


def __getattr__(name: str) -> type:
    if name == "CycleGANModule":
        from cyclegan_lib.models.cyclegan import CycleGANModule

        return CycleGANModule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
