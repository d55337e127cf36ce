"""A layer of several networks against the networks one by one."""

import pytest
import torch
from torch import nn

from cyclegan_lib.models.layers import MemberLinear, leaky_stack

MEMBERS = 3


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def alone(layer: MemberLinear, member: int) -> nn.Linear:
    """Return one member's layer as torch's own."""
    linear = nn.Linear(*layer.weight.shape[1:])
    linear.weight.data = layer.weight[member].detach().T.clone()
    linear.bias.data = layer.bias[member, 0].detach().clone()
    return linear


def test_members_start_apart_and_as_torch_starts_a_layer():
    layer = MemberLinear(MEMBERS, 100, 50)
    assert not torch.equal(layer.weight[0], layer.weight[1])
    assert 0.099 < layer.weight.abs().max() <= 0.1
    assert layer.weight.std().item() == pytest.approx(nn.Linear(100, 50).weight.std().item(), rel=0.05)


def test_a_stack_is_each_members_own_network_with_its_own_gradients():
    stack, x = leaky_stack(MEMBERS, [6, 8, 8, 2]), torch.randn(MEMBERS, 9, 6)
    layers = [layer for layer in stack if isinstance(layer, MemberLinear)]
    assert len(layers) == 3 and len(stack) == 5  # no rectifier after the last layer
    y = stack(x)  # (members, 9, 2)
    y.square().sum().backward()
    for member in range(MEMBERS):
        first, second, last = own = [alone(layer, member) for layer in layers]
        expected = nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), last)(x[member])
        torch.testing.assert_close(y[member], expected)
        expected.square().sum().backward()
        for layer, linear in zip(layers, own, strict=True):
            torch.testing.assert_close(layer.weight.grad[member].T, linear.weight.grad)
            torch.testing.assert_close(layer.bias.grad[member, 0], linear.bias.grad)


def effective(layer: MemberLinear) -> torch.Tensor:
    """Return the weight that the layer multiplies with, (members, inputs, outputs)."""
    members, inputs, _ = layer.weight.shape
    return layer(torch.eye(inputs).expand(members, -1, -1)) - layer.bias


def test_spectral_normalisation_makes_each_members_largest_singular_value_1():
    layer = MemberLinear(MEMBERS, 30, 20, spectral=True)
    with torch.no_grad():
        layer.weight *= torch.tensor([0.1, 1.0, 50.0])[:, None, None]  # each is divided by its own
    for _ in range(200):  # the power iteration converges
        layer(torch.zeros(MEMBERS, 1, 30))
    largest = torch.linalg.matrix_norm(effective(layer), 2)
    torch.testing.assert_close(largest, torch.ones(MEMBERS), atol=1e-3, rtol=0)
    # and nothing else is changed
    expected = layer.weight / torch.linalg.matrix_norm(layer.weight, 2)[:, None, None]
    torch.testing.assert_close(effective(layer), expected, atol=1e-3, rtol=0)


def test_spectral_normalisation_holds_from_the_first_step():
    layer = MemberLinear(MEMBERS, 200, 128, spectral=True)
    assert ((torch.linalg.matrix_norm(effective(layer), 2) - 1).abs() < 0.05).all()


def test_the_spectral_estimate_moves_in_training_alone():
    layer = MemberLinear(MEMBERS, 30, 20, spectral=True).eval()
    before = layer.right.clone()
    layer(torch.zeros(MEMBERS, 1, 30))
    assert torch.equal(layer.right, before)
    layer.train()(torch.zeros(MEMBERS, 1, 30))
    assert not torch.equal(layer.right, before)


def test_the_spectral_gradient_agrees_with_torchs():
    layer = MemberLinear(1, 6, 4, spectral=True)
    linear = nn.utils.parametrizations.spectral_norm(alone(layer, 0), n_power_iterations=200)
    x = torch.randn(1, 9, 6)
    for _ in range(200):
        layer(x)
    for y in (layer(x)[0], linear(x[0])):
        y.square().sum().backward()
    expected = linear.parametrizations.weight.original.grad
    torch.testing.assert_close(layer.weight.grad[0].T, expected, atol=1e-3, rtol=1e-3)
