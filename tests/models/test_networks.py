import numpy as np
import pytest
import torch

from cyclegan_lib.models import Discriminator, Generator
from cyclegan_lib.models.discriminator import sequence_statistics
from cyclegan_lib.models.losses import discriminator_loss, least_squares

X = torch.randn(3, 50, 40, generator=torch.Generator().manual_seed(0))


def perturbed() -> Generator:
    torch.manual_seed(0)
    generator = Generator()
    torch.nn.init.normal_(generator.residual[-1].weight, std=0.1)
    return generator


def test_an_untrained_generator_is_its_linear_map():
    generator = Generator()
    torch.testing.assert_close(generator(X), X)
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(40, 40)), rng.normal(size=40)
    generator.start_at(weight, bias)
    expected = X.numpy() @ weight.T + bias
    np.testing.assert_allclose(generator(X).detach().numpy(), expected, atol=1e-4)


def test_slices_are_translated_one_by_one_and_any_number_of_them():
    generator = perturbed()
    whole = generator(X)
    for slices in (1, 7, 50):
        torch.testing.assert_close(generator(X[:, :slices]), whole[:, :slices])


def test_the_output_is_not_squashed():
    assert perturbed()(100 * X).abs().max() > 50


@pytest.mark.parametrize(("network", "least"), [(Generator(), 100_000), (Discriminator(), 100_000)])
def test_size_is_as_the_guide_says(network, least):
    assert least <= sum(p.numel() for p in network.parameters()) <= 500_000


def test_discriminator_scores_windows_and_the_sequence():
    windows, sequence = Discriminator(window=5)(X)
    assert windows.shape == (3, 46, 1)
    assert sequence.shape == (3, 1)


def test_a_window_sees_its_slices_and_no_others():
    discriminator = Discriminator(window=5).eval()
    changed = X.clone()
    changed[:, 20] += 1
    difference = (discriminator(changed)[0] - discriminator(X)[0]).abs().amax(dim=(0, 2))
    assert set(difference.nonzero().ravel().tolist()) == set(range(16, 21))


def test_spectral_normalisation_bounds_every_layer():
    discriminator = Discriminator()
    for _ in range(30):  # the power iteration converges
        discriminator(X)
    for network in (discriminator.of_windows, discriminator.of_sequence):
        for layer in (m for m in network if isinstance(m, torch.nn.Linear)):
            assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=0.05)


def test_sequence_statistics_against_numpy():
    found = sequence_statistics(X).numpy()
    x = X.numpy().astype(np.float64)
    centred = x - x.mean(axis=1, keepdims=True)
    expected = [x.mean(axis=1), x.std(axis=1), (centred[:, 1:] * centred[:, :-1]).mean(axis=1)]
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-3)


def test_losses_are_zero_where_the_discriminator_is_right():
    ones, zeros = (torch.full((2, 46, 1), v) for v in (1.0, 0.0))
    right = (ones, ones[:, 0]), (zeros, zeros[:, 0])
    assert discriminator_loss(*right) == 0
    assert discriminator_loss(*right[::-1]) == 1
    assert least_squares(right[1], 1.0) == 1
