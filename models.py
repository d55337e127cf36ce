"""The names of the guide: `from models import Generator, Discriminator, CycleGANModule`."""

# `__getattr__` imports CycleGANModule when it is asked for: Lightning takes seconds
from cyclegan_lib.models import Discriminator, Generator, __getattr__

__all__ = ["CycleGANModule", "Discriminator", "Generator", "__getattr__"]
