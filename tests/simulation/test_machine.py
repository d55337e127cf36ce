"""The machine's sound: what the physics promises must be found in the waveform."""

import numpy as np
import pytest
from sounds import RATE, rng

from cyclegan_lib.simulation import machine
from cyclegan_lib.simulation.bearing import BEARINGS, bpfi, bpfo, bsf
from cyclegan_lib.simulation.machine import FAULTS, PATHS, Moment, draw_moment, machine_sound


def steady(samples, hz=25.0):
    """Turns of a shaft that keeps its speed, and a constant load."""
    return np.arange(samples) * hz / RATE, np.ones(samples)


@pytest.mark.parametrize(
    ("fault", "strikes_at"),
    [("outer_race", bpfo), ("inner_race", bpfi), ("ball", lambda b, hz: 2 * bsf(b, hz))],
)
def test_strikes_come_at_the_characteristic_frequency(fault, strikes_at, monkeypatch):
    monkeypatch.setattr(machine, "load_zone", lambda angle, extent: np.ones_like(angle))
    turns, load = steady(10 * RATE)
    moment = Moment(fault, 1500.0, 1.0, 1.0, BEARINGS[0])
    train = machine.strike_train(moment, turns, load, rng())
    struck = np.flatnonzero((train > 0) & (np.roll(train, 1) == 0))  # a strike fills two samples
    assert len(struck) / 10 == pytest.approx(strikes_at(BEARINGS[0], 25.0), rel=0.02)
    gaps = np.diff(struck) / np.mean(np.diff(struck))
    assert 0.01 < np.std(gaps) < 0.025  # slips by 1 to 2 %


def test_only_an_outer_race_fault_is_struck_alike_all_the_time():
    turns, load = steady(10 * RATE)
    spread = {}
    for fault in FAULTS[1:]:
        train = machine.strike_train(Moment(fault, 1500.0, 1.0, 1.0, BEARINGS[0]), turns, load, rng())
        assert np.count_nonzero(train > 0) > 100
        blocks = train.reshape(-1, RATE // 100).sum(axis=1)  # sums over 10 ms
        spread[fault] = np.std(blocks) / np.mean(blocks)
    assert spread["outer_race"] < 0.6 * min(spread["inner_race"], spread["ball"])


def test_a_strike_rings_at_its_paths_modes_but_not_above_what_the_recording_holds():
    impulse = np.eye(1, RATE)[0]
    for path in PATHS.values():
        spectrum = np.abs(np.fft.rfft(machine.ring(impulse, path, RATE, rng(), spread=0.0)))  # 1 Hz bins
        # a sampled exp(-z w t) sin(w t) peaks at gain / (2 z w)
        loudest = max(path, key=lambda mode: mode[2] / (mode[1] * mode[0]))[0]
        assert np.argmax(spectrum) == pytest.approx(loudest, rel=0.03)
    assert not machine.ring(impulse, ((3900.0, 0.05, 1.0),), 8000, rng(), spread=0.0).any()


def test_the_speed_falls_with_the_load():
    def first_harmonic(load):
        moment = Moment("normal", 1500.0, load, 0.0, BEARINGS[0])
        spectrum = np.abs(np.fft.rfft(machine_sound(moment, 20.0, RATE, rng(3))))
        bins = slice(int(23 * 20), int(26 * 20))
        return (np.argmax(spectrum[bins]) + bins.start) / 20

    assert first_harmonic(0.0) == pytest.approx(25.0, abs=0.1)
    assert first_harmonic(1.0) == pytest.approx(25.0 * (1 - machine.FULL_LOAD_SLIP), abs=0.25)


def test_a_fault_is_more_impulsive_the_more_severe_it_is():
    def kurtosis(severity):
        sound = machine_sound(Moment("outer_race", 1500.0, 0.8, severity, BEARINGS[0]), 5.0, RATE, rng(1))
        high = np.diff(sound, n=2)  # the ringing lies above the shaft's tones
        return np.mean(high**4) / np.mean(high**2) ** 2

    assert kurtosis(1.0) > kurtosis(0.1) + 1


@pytest.mark.parametrize("rate", [8000, 48000])
def test_the_level_does_not_depend_on_the_sample_rate(rate):
    moment = Moment("normal", 1500.0, 0.8, 0.0, BEARINGS[0])
    levels = [np.std(machine_sound(moment, 5.0, r, rng(seed))) for r in (RATE, rate) for seed in range(6)]
    assert np.mean(levels[:6]) == pytest.approx(np.mean(levels[6:]), rel=0.35)


def test_a_drawn_moment_stays_in_its_ranges_and_a_normal_one_has_no_severity():
    for seed in range(50):
        moment = draw_moment("ball", rng(seed))
        assert machine.RPM_RANGE[0] <= moment.rpm <= machine.RPM_RANGE[1]
        assert machine.SEVERITY_RANGE[0] <= moment.severity <= machine.SEVERITY_RANGE[1]
        assert 0 < moment.load <= 1
    assert draw_moment("normal", rng()).severity == 0
