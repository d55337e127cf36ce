"""A rolling-element bearing: its geometry and the frequencies at which a local fault is struck.

References
----------
.. [1] P. D. McFadden and J. D. Smith, "Model for the vibration produced by a single point defect in a rolling
   element bearing", Journal of Sound and Vibration 96(1), 1984, 69-82.
.. [2] R. B. Randall and J. Antoni, "Rolling element bearing diagnostics - a tutorial", Mechanical Systems and
   Signal Processing 25(2), 2011, 485-520.
.. [3] T. A. Harris, "Rolling Bearing Analysis", Wiley.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bearing:
    """Geometry of a bearing whose outer ring stands still, in metres and radians."""

    balls: int
    ball_diameter_m: float
    pitch_diameter_m: float
    contact_angle_rad: float = 0.0

    @property
    def ratio(self) -> float:
        """Ball diameter over pitch diameter, projected on the contact angle: d cos(phi) / D."""
        return self.ball_diameter_m / self.pitch_diameter_m * float(np.cos(self.contact_angle_rad))


# Deep-groove bearings: the 6205 of the CWRU test stand (0.3126 and 1.537 inches) and neighbours of its kind.
BEARINGS = (
    Bearing(9, 0.00794, 0.03904),
    Bearing(8, 0.00953, 0.04650),
    Bearing(9, 0.01191, 0.05850),
    Bearing(8, 0.00675, 0.02850),
)


def ftf(bearing: Bearing, shaft_hz: float) -> float:
    """Fundamental train (cage) frequency in Hz [2]_: f/2 (1 - d cos(phi)/D)."""
    return shaft_hz / 2 * (1 - bearing.ratio)


def bpfo(bearing: Bearing, shaft_hz: float) -> float:
    """Ball-pass frequency of the outer race in Hz [2]_: n f/2 (1 - d cos(phi)/D)."""
    return bearing.balls * ftf(bearing, shaft_hz)


def bpfi(bearing: Bearing, shaft_hz: float) -> float:
    """Ball-pass frequency of the inner race in Hz [2]_: n f/2 (1 + d cos(phi)/D)."""
    return bearing.balls * shaft_hz / 2 * (1 + bearing.ratio)


def bsf(bearing: Bearing, shaft_hz: float) -> float:
    """Ball spin frequency in Hz [2]_: f D/(2d) (1 - (d cos(phi)/D)^2).

    A spot on a ball strikes a race twice a spin, once each race, so impacts come at twice this frequency.
    """
    return shaft_hz * bearing.pitch_diameter_m / (2 * bearing.ball_diameter_m) * (1 - bearing.ratio**2)


def load_zone(angle_rad: np.ndarray, extent: float) -> np.ndarray:
    """Load on a contact at `angle_rad` from the direction of the load, relative to the largest.

    Stribeck's distribution [3]_, used for the modulation of fault impulses by McFadden and Smith [1]_:
    (1 - (1 - cos(angle)) / (2 extent))^1.5, and 0 outside the load zone. `extent`, above 0, is the load
    distribution factor: 0.5 loads half the circumference (no clearance), above 1 all of it.
    """
    inside = 1 - (1 - np.cos(angle_rad)) / (2 * extent)
    return np.clip(inside, 0, None) ** 1.5
