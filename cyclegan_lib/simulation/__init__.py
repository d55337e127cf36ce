"""Sound from inside: two simulated devices that hear the same machines, and measured microphones."""

from cyclegan_lib.simulation.dataset import simulate
from cyclegan_lib.simulation.machine import FAULTS

__all__ = ["FAULTS", "simulate"]
