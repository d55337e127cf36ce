"""A rotating machine's sound at its source: shaft, bearing fault and flow.

The model is the one of the bearing-diagnostics literature [1]_ [2]_ [3]_: a local fault is struck each time
a rolling contact passes it; the strikes slip by a percent or two, are modulated by the load on the contact,
and ring the structure between the fault and the outside. What tells the faults apart here is what tells them
apart on a machine: how often and how regularly they strike, and through which path they are heard.

References
----------
.. [1] P. D. McFadden and J. D. Smith, "Model for the vibration produced by a single point defect in a rolling
   element bearing", Journal of Sound and Vibration 96(1), 1984, 69-82.
.. [2] R. B. Randall and J. Antoni, "Rolling element bearing diagnostics - a tutorial", Mechanical Systems and
   Signal Processing 25(2), 2011, 485-520.
.. [3] J. Antoni and R. B. Randall, "A stochastic model for simulation and diagnostics of rolling element
   bearings with localized faults", Journal of Vibration and Acoustics 125(3), 2003, 282-289.
.. [4] W. K. Blake, "Mechanics of Flow-Induced Sound and Vibration", Academic Press, 1986.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from cyclegan_lib.simulation.bearing import BEARINGS, Bearing, bpfi, bpfo, bsf, ftf, load_zone

FAULTS = ("normal", "ball", "inner_race", "outer_race")

# Synchronous speeds of 4-pole induction motors on 50 and 60 Hz mains or an inverter between them, in rpm;
# widened a little. Much wider, and the cube of the speed would drown all other differences in flow noise.
RPM_RANGE = (1400.0, 1800.0)
FULL_LOAD_SLIP = 0.04  # an induction motor turns about 4 % slower at full load
JITTER = 0.015  # strikes slip by 1 to 2 % of their period [2]_
SEVERITY_RANGE = (0.1, 1.0)

# Ringing paths from the fault to the outside: (frequency Hz, damping ratio, gain). An outer-race fault sits
# in the housing and rings its high modes directly. An inner-race fault is heard through balls and oil film,
# which take the high frequencies away, and through the shaft's bending modes. A ball meets both races and
# rings something of both.
PATHS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "outer_race": ((1150.0, 0.05, 0.5), (3300.0, 0.03, 1.0), (5200.0, 0.03, 0.7)),
    "inner_race": ((780.0, 0.05, 0.7), (2150.0, 0.04, 1.0), (4300.0, 0.05, 0.3)),
    "ball": ((980.0, 0.06, 0.6), (2700.0, 0.05, 0.8), (6100.0, 0.04, 0.5)),
}
# Brings a severe fault some 25 dB above the machine's other noise at its modes, and the slightest near its
# level: slight faults are mistaken for each other and for normal machines, as in practice.
STRIKE_GAIN = 2.5
# Spread (standard deviation of the logarithm) of single strikes: a ball also turns about other axes, so that
# its fault often misses the races.
SCATTER = {"outer_race": 0.15, "inner_race": 0.25, "ball": 0.6}


@dataclass(frozen=True)
class Moment:
    """One machine at one moment: what a recording hears."""

    fault: str  # one of FAULTS
    rpm: float  # speed without load, in revolutions a minute
    load: float  # mean load, 0 to 1, as a part of full load
    severity: float  # size of the fault, 0 to 1; 0 for a normal machine
    bearing: Bearing


def draw_moment(fault: str, rng: np.random.Generator) -> Moment:
    """Draw a machine with `fault` at a random speed, load and severity."""
    rpm = rng.uniform(*RPM_RANGE)
    load = rng.uniform(0.1, 1.0)
    severity = np.exp(rng.uniform(*np.log(SEVERITY_RANGE)))
    bearing = BEARINGS[rng.integers(len(BEARINGS))]
    return Moment(fault, rpm, load, 0.0 if fault == "normal" else severity, bearing)


def machine_sound(moment: Moment, seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Sound pressure one metre from the machine, float64 (samples,), `sample_rate` in Hz.

    In arbitrary units: a normal machine at full load has a standard deviation near 1. What the moment leaves
    open is drawn from `rng`: phases, jitter, this machine's own modes, noise.
    """
    samples = round(seconds * sample_rate)
    load = load_course(moment.load, samples, sample_rate, rng)  # (samples,)
    shaft_hz = moment.rpm / 60 * (1 - FULL_LOAD_SLIP * load)
    turns = np.cumsum(shaft_hz) / sample_rate + rng.uniform()  # (samples,) revolutions
    sound = shaft_harmonics(turns, load, rng)
    sound += flow_noise(shaft_hz, load, sample_rate, rng)
    if moment.fault != "normal":
        strikes = moment.severity * strike_train(moment, turns, load, rng)
        sound += ring(strikes, PATHS[moment.fault], sample_rate, rng)
    return sound


def load_course(mean: float, samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Load over time, as a part of full load: `mean` with slow fluctuations of the process.

    An Ornstein-Uhlenbeck process with a memory of one second, drawn ten times a second and joined by lines:
    float64 (samples,), within 0 to 1.3.
    """
    steps = int(samples / sample_rate * 10) + 2
    memory = np.exp(-0.1 / 1.0)
    kicks = rng.standard_normal(steps) * np.sqrt(1 - memory**2)
    kicks[0] /= np.sqrt(1 - memory**2)  # start in the stationary state
    course = mean * (1 + 0.2 * lfilter([1.0], [1.0, -memory], kicks))
    return np.interp(np.arange(samples) / sample_rate * 10, np.arange(steps), np.clip(course, 0.0, 1.3))


def shaft_harmonics(turns: np.ndarray, load: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tones at multiples of the shaft speed: unbalance, misalignment, looseness.

    `turns` in revolutions, `load` in parts of full load, and what is returned are (samples,).
    """
    orders = np.arange(1, 16)
    amplitudes = rng.lognormal(0.0, 0.5, len(orders)) * 0.9 / orders**0.8
    phases = rng.uniform(0, 2 * np.pi, len(orders))
    # all orders are powers of the first: one complex exponential instead of fifteen cosines
    turning = np.exp(2j * np.pi * turns)  # (samples,)
    power = np.ones_like(turning)
    sound = np.zeros(len(turns))
    for amplitude, phase in zip(amplitudes, phases, strict=True):
        power *= turning
        sound += amplitude * (power.real * np.cos(phase) - power.imag * np.sin(phase))
    return sound * (0.4 + 0.6 * load)


def flow_noise(
    shaft_hz: np.ndarray, load: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Broadband noise of the moved air or liquid.

    The power of dipole sound grows with the sixth power of the flow's speed [4]_ (amplitude: the third), and
    its spectrum falls by 12 dB an octave above a corner that rises with the speed. `shaft_hz`, `load` (in
    parts of full load) and what is returned are (samples,).
    """
    white = rng.standard_normal(len(shaft_hz))
    corner_hz = 400 * float(np.mean(shaft_hz)) / 30 * rng.lognormal(0.0, 0.12)
    pole = np.exp(-2 * np.pi * corner_hz / sample_rate)
    # two equal poles: 6 dB an octave each
    coloured = lfilter([1.0], [1, -2 * pole, pole**2], white)
    coloured /= np.std(coloured)
    hiss = 0.01 * np.sqrt(sample_rate / 16000) * white  # the floor keeps its density at any sample rate
    strength = 0.5 * rng.lognormal(0.0, 0.2) * (shaft_hz / 30) ** 3 * (0.5 + 0.5 * load)
    return strength * (coloured + hiss)


def strike_train(moment: Moment, turns: np.ndarray, load: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Impulses of the fault: one each time a rolling contact passes it, slipping, weighted by its load.

    A strike between two samples is shared by them, so that its time is not rounded to a sample. `turns`, the
    rising revolutions of the shaft, and `load`, in parts of full load, are (samples,), and so are the
    impulses that are returned. They are of about the load's size: multiply by the severity.
    """
    bearing = moment.bearing
    per_turn = {
        "outer_race": bpfo(bearing, 1.0),
        "inner_race": bpfi(bearing, 1.0),
        "ball": 2 * bsf(bearing, 1.0),
    }
    spacing = 1 / per_turn[moment.fault]  # revolutions between strikes
    count = int((turns[-1] - turns[0]) / spacing * 1.1) + 10
    # slips add up: the strikes keep no memory of a perfect grid, as in [3]_
    gaps = spacing * (1 + JITTER * rng.standard_normal(count))
    at_turns = turns[0] + rng.uniform() * spacing + np.cumsum(gaps)
    at_turns = at_turns[at_turns < turns[-1]]
    at = np.interp(at_turns, turns, np.arange(len(turns)))  # samples, fractional
    size = rng.lognormal(0.0, SCATTER[moment.fault], len(at_turns))
    if moment.fault == "inner_race":  # the fault turns with the shaft, in and out of the load zone
        size *= load_zone(2 * np.pi * at_turns, 0.6)
    elif moment.fault == "ball":  # the fault turns with the cage; it strikes the inner race harder
        size *= load_zone(2 * np.pi * at_turns * ftf(bearing, 1.0), 0.6)
        size[::2] *= 0.7
    size *= 0.4 + 0.6 * np.interp(at, np.arange(len(load)), load)
    first = np.minimum(at.astype(int), len(turns) - 2)
    part = at - first
    train = np.bincount(first, size * (1 - part), minlength=len(turns))
    return train + np.bincount(first + 1, size * part, minlength=len(turns))


def ring(
    strikes: np.ndarray,
    path: tuple[tuple[float, float, float], ...],
    sample_rate: int,
    rng: np.random.Generator,
    spread: float = 0.06,
) -> np.ndarray:
    """Let `strikes` ring the modes of a path; a machine's own modes lie a few percent from the nominal.

    Each mode is the sampled impulse response of a damped oscillator, exp(-z w t) sin(w_d t). `path` holds the
    modes as (frequency Hz, damping ratio, gain); `spread` is the standard deviation of the logarithm of their
    frequencies, and that of the gains is five times it. `strikes` and what is returned are (samples,).
    """
    sound = np.zeros(len(strikes))
    for hz, damping, gain in path:
        hz = hz * rng.lognormal(0.0, spread)
        gain = gain * rng.lognormal(0.0, 5 * spread)
        if hz > 0.45 * sample_rate:
            continue  # above what the recording can hold
        angle = 2 * np.pi * hz / sample_rate
        radius = np.exp(-damping * angle)
        turn = angle * np.sqrt(1 - damping**2)
        coefficients = [1.0, -2 * radius * np.cos(turn), radius**2]
        sound += gain * lfilter([0.0, radius * np.sin(turn)], coefficients, strikes)
    return sound * STRIKE_GAIN
