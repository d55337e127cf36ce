"""Fault frequencies against closed forms and the published multiples of a real bearing."""

import numpy as np
import pytest

from cyclegan_lib.simulation.bearing import Bearing, bpfi, bpfo, bsf, ftf, load_zone

# The drive-end bearing of the CWRU test stand, SKF 6205, with the multiples of shaft speed that its web page
# gives: cage 0.39828, outer race 3.5848, inner race 5.4152, rolling element (twice the spin) 4.7135.
SKF_6205 = Bearing(9, 0.3126 * 0.0254, 1.537 * 0.0254)


@pytest.mark.parametrize(
    ("frequency", "multiple"), [(ftf, 0.39828), (bpfo, 3.5848), (bpfi, 5.4152), (bsf, 4.7135 / 2)]
)
def test_the_multiples_are_those_published_for_the_6205(frequency, multiple):
    assert frequency(SKF_6205, 1.0) == pytest.approx(multiple, abs=2e-3)
    assert frequency(SKF_6205, 29.95) == pytest.approx(29.95 * frequency(SKF_6205, 1.0))


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_both_races_together_are_passed_once_a_turn_by_every_ball(angle):
    bearing = Bearing(11, 0.008, 0.04, angle)
    assert bpfo(bearing, 25.0) + bpfi(bearing, 25.0) == pytest.approx(11 * 25.0)
    assert bpfo(bearing, 25.0) == pytest.approx(11 * ftf(bearing, 25.0))
    assert ftf(Bearing(8, 1e-9, 0.04, angle), 30.0) == pytest.approx(15.0)  # of a point ball: half the speed


def test_the_load_zone_is_one_under_the_load_and_zero_outside():
    angles = np.array([0.0, np.pi / 3, np.pi, 2 * np.pi])
    assert load_zone(angles, 0.5) == pytest.approx([1.0, 0.5**1.5, 0.0, 1.0])
    assert load_zone(np.array([np.pi]), 2.0)[0] == pytest.approx(0.5**1.5)  # preloaded: loaded all round
