"""Members of an ensemble are trained side by side, and none notices the others."""

import pytest
import pytorch_lightning as pl
import torch
from helpers import QUICK
from torch.utils.data import DataLoader

from cyclegan_lib.models import CycleGANModule
from cyclegan_lib.models.losses import LOSSES, Translation, discriminator_loss

# Lightning wants worker processes and a validation set
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore:.*LeafSpec")
MEMBERS = 3
SETTINGS = QUICK.model_copy(update={"restarts": MEMBERS})


def module_of(members: int) -> CycleGANModule:
    torch.manual_seed(0)
    return CycleGANModule(SETTINGS.model_copy(update={"restarts": members}).model_dump())


def batches(seed: int, steps: int = 3) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        tuple(torch.randn(MEMBERS, 4, 50, 40, generator=generator) + shift for shift in (0.0, 0.5))
        for _ in range(steps)
    ]


def trained(module: CycleGANModule, given: list) -> CycleGANModule:
    trainer = pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader(given, batch_size=None))
    return module


def of_member(module: CycleGANModule, member: int) -> dict[str, torch.Tensor]:
    # the gains are fitted on the mean of the members, and n_averaged only counts
    state = {name: x for name, x in module.state_dict().items() if x.ndim and ".gain_" not in name}
    return {name: value[member : member + 1] for name, value in state.items()}


@pytest.mark.parametrize("member", range(MEMBERS))
def test_a_member_takes_the_steps_that_it_would_take_alone(member):
    ensemble, alone = module_of(MEMBERS), module_of(1)
    alone.load_state_dict(of_member(ensemble, member), strict=False)
    given = batches(1)
    before = {name: value.clone() for name, value in of_member(ensemble, member).items()}
    trained(ensemble, given)
    trained(alone, [tuple(x[member : member + 1] for x in batch) for batch in given])
    found, expected = of_member(ensemble, member), of_member(alone, 0)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(
            value, expected[name], atol=1e-4, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}"
        )
    still = {name for name, value in found.items() if torch.equal(value, before[name])}
    assert all(name.endswith(("start_weight", "start_bias", ".right")) for name in still), still


def test_other_members_data_change_nothing():
    first, second = batches(1), batches(2)
    mixed = [tuple(x.clone() for x in batch) for batch in second]
    for batch, own in zip(mixed, first, strict=True):
        for x, y in zip(batch, own, strict=True):
            x[1] = y[1]
    found = of_member(trained(module_of(MEMBERS), first), 1), of_member(trained(module_of(MEMBERS), mixed), 1)
    for name, value in found[0].items():
        assert torch.equal(value, found[1][name]), name


def test_the_gradient_of_one_members_loss_is_zero_elsewhere():
    module = module_of(MEMBERS)
    a, b = batches(1)[0]
    fake = module.generator_AB.each(a)
    judged = module.discriminator_B.each(fake)
    kept, back = module.generator_AB.each(b), module.generator_BA.each(fake)
    step = Translation(a, b, fake, kept, back, judged)
    losses = [loss(step) for loss in LOSSES.values()]
    losses.append(discriminator_loss(module.discriminator_B.each(b), judged))
    assert [loss.shape for loss in losses] == [(MEMBERS,)] * len(losses)
    sum(losses)[1].backward()
    for network in (module.generator_AB, module.discriminator_B):
        for name, weight in network.named_parameters():
            assert not weight.grad[[0, 2]].any(), name
    assert module.generator_AB.residual[-1].weight.grad[1].any()


def test_member_translations_are_each_members_own_at_the_strength_in_use():
    module = trained(module_of(MEMBERS), batches(1))
    generator = torch.Generator().manual_seed(4)
    a = [torch.randn(n, 50, 40, generator=generator) for n in (2, 3, 1)]
    b = [torch.randn(n, 50, 40, generator=generator) for n in (1, 2, 4)]
    ab, ba = module.average_AB.module, module.average_BA.module
    for member, found in enumerate(module.member_translations(list(zip(a, b, strict=True)))):

        def own(network, x, member=member):
            return network.each(x.expand(MEMBERS, *x.shape), SETTINGS.generator.strength)[member]

        torch.testing.assert_close(found["B"], own(ab, a[member]))
        torch.testing.assert_close(found["A"], own(ba, b[member]))
        torch.testing.assert_close(found["ABA"], own(ba, own(ab, a[member])))
        torch.testing.assert_close(found["BAB"], own(ab, own(ba, b[member])))


def test_the_averages_start_at_the_maps_that_the_generators_start_at():
    module = module_of(MEMBERS)
    maps = [((k + 1) * torch.eye(40).numpy(), torch.full((40,), float(k)).numpy()) for k in range(MEMBERS)]
    module.start_at(maps, maps[::-1])
    x = torch.randn(2, 50, 40)
    torch.testing.assert_close(module.convert_A_to_B(x), 2 * x + 1)
    torch.testing.assert_close(module.convert_B_to_A(x), module.generator_BA(x))
    torch.testing.assert_close(module.generator_BA.start_bias[:, 0, 0], torch.tensor([2.0, 1.0, 0.0]))
