"""Matching recordings against a translation that is known."""

from dataclasses import replace

import numpy as np
import pytest

from cyclegan_lib.evaluation.baselines import GaussianOT
from cyclegan_lib.training.matching import (
    Described,
    MatchSettings,
    _class_cost,
    matched_gain,
    matched_map,
    soft_matches,
)

N = 30
SEEDS = pytest.mark.parametrize("seed", range(3))
SETTINGS = MatchSettings(ridge=0.3, entropy=0.05, mass=0.1, gain=0.5, distance=0.0)
SHIFT = np.random.default_rng(5).normal(0, 1.5, 40)
# each feature has a gain of its own, and some of its neighbour leaks into it
NEAR_DIAGONAL = np.diag(np.random.default_rng(3).uniform(0.8, 1.2, 40)) + 0.3 * np.eye(40, k=1)
TRUTHS = {"shift": np.eye(40), "near-diagonal": NEAR_DIAGONAL}


def machines(n, seed):
    """Return n recordings of ten slices, each a blend of eight spectra at its own level and steadiness."""
    rng = np.random.default_rng(seed)
    spectra = np.random.default_rng(7).normal(size=(8, 40))
    means = 2 * rng.dirichlet(np.full(8, 0.3), size=n) @ spectra + rng.normal(0, 0.3, size=(n, 1))  # (n, 40)
    return means[:, None] + rng.uniform(0.1, 0.6, size=(n, 1, 1)) * rng.normal(size=(n, 10, 40))


def described(x, label=None):
    return Described.describe(x, np.array([f"{i:03d}" for i in range(len(x))]), label)


def devices(truth, seed):
    """Return the same machines as a noisy device and, in another order, as a clean one heard them."""
    rng = np.random.default_rng(seed)
    x = machines(N, 100 + seed)
    return x + 0.5 * rng.normal(size=x.shape), (x @ truth.T + SHIFT)[rng.permutation(N)]


def fitted(a, b, paired=None, label=None, settings=SETTINGS):
    return matched_map(described(a), described(b, label), settings, paired)


def transported(a, b):
    """The map that optimal transport fits."""
    transport = GaussianOT().fit(a, b)
    return transport.weight, transport.bias


def error(weight_and_bias, truth):
    """Return the NMSE on machines that nothing was fitted on."""
    weight, bias = weight_and_bias
    x = machines(N, 50)
    wanted = x @ truth.T + SHIFT
    return np.mean((x @ weight.T + bias - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=(0, 1))) ** 2)


@pytest.mark.parametrize(("name", "part"), [("shift", 0.6), ("near-diagonal", 0.7)])
@SEEDS
def test_a_known_map_is_found_where_optimal_transport_fits_the_noise(name, part, seed):
    a, b = devices(TRUTHS[name], seed)
    of_matches = error(fitted(a, b), TRUTHS[name])
    assert of_matches < 0.03
    assert of_matches < part * error(transported(a, b), TRUTHS[name])
    x = machines(N, 100 + seed)  # what the noisy device heard
    if name == "near-diagonal":  # is not symmetric: found better even without noise
        assert error(fitted(x, b), NEAR_DIAGONAL) < error(transported(x, b), NEAR_DIAGONAL)


@pytest.mark.parametrize(
    ("name", "same_machines", "part"),
    [("shift", True, 1.05), ("near-diagonal", True, 1.05), ("shift", False, 0.8)],
)
@SEEDS
def test_a_few_pairs_do_not_make_it_worse_and_help_where_the_machines_differ(name, same_machines, part, seed):
    truth, both = TRUTHS[name], machines(4, 77)
    a, b = machines(N, 100 + seed), machines(N, 200 + seed) + SHIFT
    if same_machines:
        a, b = devices(truth, seed)
    paired = described(both).mean, described(both @ truth.T + SHIFT).mean
    assert error(fitted(a, b, paired), truth) <= part * error(fitted(a, b), truth)


@pytest.mark.parametrize(("of_a", "of_b"), [(N, 6), (6, N)])
@SEEDS
def test_where_one_device_recorded_fewer_of_a_class_wrong_matches_are_not_forced(of_a, of_b, seed):
    rng = np.random.default_rng(seed)
    x = machines(2 * N, 100 + seed)
    x[N:] += 2 * rng.normal(size=40)  # of one class
    b = np.concatenate([x[:N], x[2 * N - of_b :]]) + SHIFT
    a = x[: N + of_a] + 0.5 * rng.normal(size=(N + of_a, 10, 40))
    balanced = error(fitted(a, b, settings=replace(SETTINGS, mass=np.inf)), TRUTHS["shift"])
    assert error(fitted(a, b), TRUTHS["shift"]) < 0.3 * balanced


def test_a_recording_that_resembles_none_weighs_less_the_cheaper_that_is():
    cost = np.abs(np.array([0.0, 0.1, 0.2, 1.0])[:, None] - np.array([0.0, 0.1, 0.2]))  # the last: none
    of_the_odd = []
    for mass in (0.03, 0.3, 3.0, np.inf):
        matches, weights = soft_matches(cost, 0.1, mass)
        np.testing.assert_allclose(matches.sum(axis=1), 1)
        np.testing.assert_allclose(weights @ matches, 1 / 3, atol=1e-3)  # each of the target's is matched
        assert matches[3].argmax() == 2
        of_the_odd.append(weights[3])
    assert of_the_odd == sorted(of_the_odd) and of_the_odd[0] < 0.01
    np.testing.assert_allclose(weights, 0.25, atol=1e-3)  # infinite


def test_it_is_deterministic_and_the_order_does_not_matter():
    a, b = devices(NEAR_DIAGONAL, 0)
    for x, y, other in zip(fitted(a, b), fitted(a, b), fitted(a[::-1], np.roll(b, 7, axis=0)), strict=True):
        np.testing.assert_array_equal(x, y)
        np.testing.assert_allclose(x, other, atol=1e-3)


def test_recordings_are_described_in_the_order_of_their_names():
    x = np.random.default_rng(0).normal(size=(5, 10, 40)).astype(np.float32)
    three = Described.describe(x, np.array(list("bacab")), np.array(list("BACAB")))
    assert three.label.tolist() == ["A", "B", "C"]
    assert three.mean.shape == three.std.shape == (3, 40)
    own = x[[1, 3]].reshape(-1, 40)  # both sequences of "a"
    np.testing.assert_allclose(three.mean[0], own.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(three.std[0], own.std(axis=0), atol=1e-6)
    # of equally long recordings it is that of all slices
    equal = Described.describe(x[:4], np.array(list("aabb")))
    np.testing.assert_allclose(equal.deviation, x[:4].reshape(-1, 40).std(axis=0), atol=1e-4)


def test_labels_bring_recordings_of_the_class_that_is_heard_nearer():
    label = np.tile(["normal", "ball", "outer_race"], N // 3)
    fault = np.select([label == "ball", label == "outer_race"], [1.0, -1.0])[:, None, None]
    x = machines(N, 100) + fault * np.random.default_rng(0).normal(size=40)
    order = np.random.default_rng(1).permutation(N)
    source, target = described(x + SHIFT), described(x[order], label[order])
    cost = _class_cost(source, target)(source.mean - SHIFT)  # as a perfect map translates it
    same = label[:, None] == label[order]
    assert cost.shape == (N, N) and (cost >= 0).all()
    own, other = ((cost * part).sum(axis=1) / part.sum(axis=1) for part in (same, ~same))
    assert (own < other).mean() > 0.9
    assert all(np.ptp(row[of_class]) < 1e-9 for row, of_class in zip(cost, same, strict=True))
    # without labels, or with one class, there is nothing to go by; the source's own are not looked at
    for names in (None, np.full(N, "ball")):
        assert _class_cost(source, described(x, names))(source.mean) == 0
    maps = (
        matched_map(described(x + SHIFT, names), target, SETTINGS) for names in (None, label, label[::-1])
    )
    first, *others = (weight for weight, _ in maps)
    assert all(np.array_equal(first, weight) for weight in others)


def test_labels_do_not_spoil_a_map_that_is_found_without_them():
    a, b = devices(TRUTHS["shift"], 0)
    label = np.where(b[:, :, 0].mean(axis=1) > np.median(b[:, :, 0]), "ball", "normal")
    without = error(fitted(a, b), TRUTHS["shift"])
    assert error(fitted(a, b, label=label), TRUTHS["shift"]) < 1.2 * without


def test_bands_far_apart_are_pulled_more():
    a, b = devices(NEAR_DIAGONAL, 0)
    near, far = (fitted(a, b, settings=replace(SETTINGS, distance=distance))[0] for distance in (0.0, 2.0))
    apart = np.abs(np.subtract.outer(np.arange(40), np.arange(40))) > 6
    assert np.abs(far[apart]).mean() < 0.6 * np.abs(near[apart]).mean()
    assert error(fitted(a, b, settings=replace(SETTINGS, distance=2.0)), NEAR_DIAGONAL) < 0.03


def test_of_a_gain_a_part_is_taken():
    x = described(machines(N, 1))
    whole, half = (matched_gain(x, described(1.5 * machines(N, 2)), part) for part in (1.0, 0.5))
    np.testing.assert_allclose(half.bias, whole.bias / 2)
    np.testing.assert_allclose(half.weight, whole.weight / 2)


def test_settings_are_drawn_over_the_whole_of_their_ranges():
    drawn = MatchSettings.draw(np.random.default_rng(3), 4, 0.5)
    assert drawn == MatchSettings.draw(np.random.default_rng(3), 4, 0.5)
    assert drawn != MatchSettings.draw(np.random.default_rng(4), 4, 0.5)
    for name, least, most in (("ridge", 0.1, 1), ("entropy", 0.02, 0.2), ("mass", 0.03, 0.3)):
        parts = sorted(np.log10([getattr(s, name) / least for s in drawn]) / np.log10(most / least))
        assert [int(4 * part) for part in parts] == [0, 1, 2, 3], "one of each quarter"
    assert sorted(int(4 * s.gain) for s in drawn) == [0, 1, 2, 3]
    assert {s.distance for s in drawn} == {0.5}


def test_constant_features_and_outliers_give_finite_maps():
    a, b = devices(TRUTHS["shift"], 0)
    a[:, :, 5] = b[:, :, 7] = -1.0
    a[3] -= 8.0  # a recording that resembles none of the other device
    for drawn in (SETTINGS, MatchSettings(0.1, 0.02, 0.03, 1.0, 2.0)):
        for x, y in ((a, b), (b, a)):
            for label in (None, np.where(np.arange(N) % 2, "ball", "normal")):
                weight, bias = fitted(x, y, label=label, settings=drawn)
                assert weight.shape == (40, 40) and bias.shape == (40,)
                assert np.isfinite(weight).all() and np.isfinite(bias).all()
    silent = np.full((N, 10, 40), -2.0)
    assert all(np.isfinite(part).all() for part in fitted(silent, silent))


def log_gain(gain, recordings):
    """Return the log gain of each recording's features, (n, 40)."""
    statistics = np.concatenate([recordings.mean, recordings.log_std], axis=1)
    return (statistics - gain.centre) / gain.scale @ gain.weight + gain.bias


@SEEDS
def test_a_known_gain_within_recordings_is_found(seed):
    x = machines(N, 100 + seed)
    mean = x.mean(axis=1, keepdims=True)
    heard = (mean + 1.5 * (x - mean))[np.random.default_rng(seed).permutation(N)]
    gain = log_gain(matched_gain(described(x), described(heard)), described(x))
    # the floor under the logarithm makes it a little less than the whole
    assert abs(np.median(gain) - np.log(1.5)) < 0.06
    assert np.abs(gain - np.log(1.5)).mean() < 0.15


@SEEDS
def test_where_averaging_took_deviations_away_they_come_back_to_the_recordings_that_had_them(seed):
    x = machines(10 * N, 100 + seed)
    mean = x.mean(axis=1, keepdims=True)
    lost = np.where(mean[:, :, :1] > np.median(mean[:, :, :1]), 0.4, 1.0)  # in half of the recordings
    translated = mean + lost * (x - mean)
    target = described(x[np.random.default_rng(seed).permutation(10 * N)])
    gain = log_gain(matched_gain(described(translated), target), described(translated))
    quiet = lost[:, 0, 0] < 1
    assert gain[quiet].mean() > gain[~quiet].mean() + 0.3


def test_without_a_difference_there_is_no_gain_and_silence_is_finite():
    x = described(machines(N, 1))
    assert np.abs(log_gain(matched_gain(x, x), x)).mean() < 0.05
    silent = described(np.full((N, 10, 40), -2.0))
    for source, target in ((silent, x), (x, silent), (silent, silent)):
        gain = matched_gain(source, target)
        assert all(np.isfinite(part).all() for part in vars(gain).values())
        assert (gain.scale > 0).all()
