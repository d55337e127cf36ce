import numpy as np
import pytest
import torch

from cyclegan_lib.models import Discriminator, Generator
from cyclegan_lib.models.discriminator import mean_std_lag
from cyclegan_lib.models.generator import MOST_LOG_GAIN, GainMap
from cyclegan_lib.models.layers import MemberLinear
from cyclegan_lib.models.losses import LOSSES, TrainingPass, discriminator_loss, least_squares

X = torch.randn(3, 50, 40, generator=torch.Generator().manual_seed(0))


def perturbed(**settings) -> Generator:
    torch.manual_seed(0)
    generator = Generator(**settings)
    for layer in (generator.linear[-1], generator.residual[-1]):
        torch.nn.init.normal_(layer.weight, std=0.1)
    return generator


def maps(members):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(40, 40)), rng.normal(size=40)) for _ in range(members)]


def test_an_untrained_generators_members_are_their_start_maps():
    generator = Generator(members=3)
    torch.testing.assert_close(generator(X), X)
    generator.start_at(maps(3))
    expected = [X.numpy() @ weight.T + bias for weight, bias in maps(3)]
    each = generator.each(X.expand(3, *X.shape)).detach().numpy()
    np.testing.assert_allclose(each, expected, atol=1e-4)


def test_the_generator_is_the_mean_of_its_members_at_its_strength():
    for strength in (0.0, 0.3, 1.0):
        generator = perturbed(members=3, strength=strength)
        generator.start_at(maps(3))
        each = generator.each(X.expand(3, *X.shape), generator.strength)
        assert not torch.allclose(each[0], each[1])
        torch.testing.assert_close(generator(X), each.mean(dim=0))


def test_strength_scales_what_was_learned():
    whole = perturbed(strength=1.0)
    whole.start_at(maps(4))
    start, half = perturbed(strength=0.0), perturbed(strength=0.5)
    for generator in (start, half):
        generator.load_state_dict(whole.state_dict())
    learned = whole(X) - start(X)
    assert learned.abs().mean() > 0.1
    torch.testing.assert_close(half(X), start(X) + 0.5 * learned, atol=1e-4, rtol=1e-4)
    # training sees all of it
    torch.testing.assert_close(whole(X), half.each(X.expand(4, *X.shape)).mean(dim=0))


def test_slices_are_translated_one_by_one_and_any_number_of_them():
    generator = perturbed()
    whole = generator(X)
    for slices in (1, 7, 50):
        torch.testing.assert_close(generator(X[:, :slices]), whole[:, :slices])
    torch.testing.assert_close(generator(X[0]), whole[0])
    torch.testing.assert_close(generator.ungained(X[0, 0]), whole[0, 0])


def gain_map(bias, weight=None):
    weight = np.zeros((80, 40)) if weight is None else weight
    return GainMap(np.zeros(80), np.ones(80), weight, np.full(40, np.log(bias)))


def test_the_gain_multiplies_the_deviations_from_each_sequences_mean():
    generator = perturbed()
    before = generator(X)
    torch.testing.assert_close(before, generator.ungained(X))  # 1 until it is set
    generator.set_gain(gain_map(2.0))
    after, mean = generator(X), before.mean(dim=1, keepdim=True)
    torch.testing.assert_close(after, mean + 2 * (before - mean))
    torch.testing.assert_close(generator.ungained(X), before)
    torch.testing.assert_close(generator(X[:1]), after[:1])  # each sequence by itself
    torch.testing.assert_close(generator(X[1]), after[1])


def test_the_gain_follows_from_the_sequences_own_statistics():
    weight = np.zeros((80, 40))
    weight[0] = 1.0  # the log gain of every feature is the mean of the first
    generator = Generator()
    generator.set_gain(gain_map(1.0, weight))
    x = X.clone()
    x[:, :, 0] += torch.tensor([-0.5, 0.0, 1.0])[:, None]
    mean = x.mean(dim=1, keepdim=True)
    expected = mean + mean[:, :, :1].exp() * (x - mean)
    torch.testing.assert_close(generator(x), expected, atol=1e-5, rtol=1e-4)


def test_no_gain_is_beyond_its_bounds():
    generator = Generator()
    for wild, bound in ((1e9, MOST_LOG_GAIN), (1e-9, -MOST_LOG_GAIN)):
        generator.set_gain(gain_map(wild))
        mean = X.mean(dim=1, keepdim=True)
        torch.testing.assert_close(generator(X), mean + np.exp(bound) * (X - mean), atol=1e-4, rtol=1e-4)
    assert generator(torch.zeros(1, 50, 40)).abs().max() < 1e-6  # nothing varies, nothing is amplified


def test_discriminator_scores_windows_and_the_sequence():
    discriminator = Discriminator(window=5, members=2).eval()
    windows, sequence = discriminator(X)
    assert windows.shape == (3, 10, 1)
    assert sequence.shape == (3, 1)
    each = discriminator.each(X.expand(2, *X.shape))
    assert each[0].shape == (2, 3, 10, 1) and each[1].shape == (2, 3, 1)
    torch.testing.assert_close((windows, sequence), tuple(view.mean(dim=0) for view in each))


def test_a_window_sees_its_slices_and_no_others():
    discriminator = Discriminator(window=5).eval()
    for slice_, window in ((0, 0), (20, 4), (24, 4), (25, 5), (49, 9)):
        changed = X.clone()
        changed[:, slice_] += 1
        difference = (discriminator(changed)[0] - discriminator(X)[0]).abs().amax(dim=(0, 2))
        assert difference.nonzero().ravel().tolist() == [window]


def test_a_window_keeps_the_order_of_its_slices():
    discriminator = Discriminator(window=5, members=1).eval()
    x = X[:1, :5]
    expected = discriminator.of_windows(x.transpose(1, 2).reshape(1, 1, 200))  # features, then slices
    torch.testing.assert_close(discriminator(x)[0][0], expected[0])
    assert not torch.allclose(discriminator(x.flip(1))[0], discriminator(x)[0])


def test_every_layer_of_the_discriminator_is_spectrally_normalised():
    discriminator = Discriminator()
    layers = [m for m in discriminator.modules() if isinstance(m, MemberLinear)]
    assert len(layers) == 6
    assert all(layer.spectral for layer in layers)


def test_mean_std_lag_against_numpy():
    x = X.numpy().astype(np.float64)
    centred = x - x.mean(axis=1, keepdims=True)
    expected = [x.mean(axis=1), x.std(axis=1), (centred[:, 1:] * centred[:, :-1]).mean(axis=1)]
    np.testing.assert_allclose(mean_std_lag(X).numpy(), np.concatenate(expected, axis=1), atol=1e-3)


def test_the_statistics_of_a_sequence_without_change_have_a_gradient():
    x = torch.zeros(1, 50, 40, requires_grad=True)
    mean_std_lag(x).sum().backward()
    assert x.grad.isfinite().all()


def test_losses_are_zero_where_the_discriminator_is_right_member_by_member():
    # the first member is right, the second wrong
    ones, zeros = (torch.full((2, 10, 1), v) for v in (1.0, 0.0))
    real, translated = torch.stack([ones, zeros]), torch.stack([zeros, ones])  # (members, batch, windows, 1)
    loss = discriminator_loss((real, real[:, :, 0]), (translated, translated[:, :, 0]))
    assert loss.tolist() == [0, 1]
    assert least_squares((translated, translated[:, :, 0]), 1.0).tolist() == [1, 0]


def test_both_views_weigh_the_same_whatever_the_number_of_windows():
    windows, sequence = torch.ones(1, 2, 10, 1), torch.zeros(1, 2, 1)
    assert least_squares((windows, sequence), 1.0).tolist() == [0.5]


@pytest.mark.parametrize("name", ["cycle", "identity"])
def test_l1_losses_have_one_value_a_member(name):
    x = X.expand(2, *X.shape)
    other = x + torch.tensor([0.5, -2.0])[:, None, None, None]
    step = TrainingPass(source=x, target=x, fake=None, kept=other, back=other, judged=None)
    torch.testing.assert_close(LOSSES[name](step), torch.tensor([0.5, 2.0]))
