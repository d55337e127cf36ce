"""Sound from inside: two simulated devices that hear the same machines, and measured microphones."""

from cyclegan_lib.simulation.machine import FAULTS
from cyclegan_lib.simulation.simulate import simulate

__all__ = ["FAULTS", "simulate"]
