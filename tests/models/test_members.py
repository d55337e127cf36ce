"""Members of an ensemble are trained side by side, and none notices the others."""

import pytest
import pytorch_lightning as pl
import torch
from helpers import QUICK
from torch.utils.data import DataLoader

from cyclegan_lib.models import CycleGANModule

# Lightning wants worker processes and a validation set
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore:.*LeafSpec")
MEMBERS = 3
SETTINGS = QUICK.model_copy(update={"restarts": MEMBERS})


def module_of(members: int) -> CycleGANModule:
    torch.manual_seed(0)
    return CycleGANModule(SETTINGS.model_copy(update={"restarts": members}).model_dump())


def batches(seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        tuple(torch.randn(MEMBERS, 4, 50, 40, generator=generator) + shift for shift in (0.0, 0.5))
        for _ in range(3)
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
    after, expected = of_member(ensemble, member), of_member(alone, 0)
    assert after.keys() == expected.keys()
    for name, value in after.items():
        torch.testing.assert_close(
            value, expected[name], atol=1e-4, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}"
        )
    still = {name for name, value in after.items() if torch.equal(value, before[name])}
    assert all(name.endswith(("start_weight", "start_bias", ".right")) for name in still), still


def test_other_members_data_change_nothing():
    first, mixed = batches(1), batches(2)
    for own, other in zip(first, mixed, strict=True):
        for x, y in zip(own, other, strict=True):
            y[1] = x[1]
    alone, among_others = (of_member(trained(module_of(MEMBERS), given), 1) for given in (first, mixed))
    for name, value in alone.items():
        assert torch.equal(value, among_others[name]), name


def test_member_translations_are_each_members_own_at_the_strength_in_use():
    module = trained(module_of(MEMBERS), batches(1))
    generator = torch.Generator().manual_seed(4)
    a = [torch.randn(n, 50, 40, generator=generator) for n in (2, 3, 1)]
    b = [torch.randn(n, 50, 40, generator=generator) for n in (1, 2, 4)]
    ab, ba = module.average_AB.module, module.average_BA.module
    for member, made in enumerate(module.member_translations(list(zip(a, b, strict=True)))):

        def own(network, x, member=member):
            return network.each(x.expand(MEMBERS, *x.shape), SETTINGS.generator.strength)[member]

        torch.testing.assert_close(made["B"], own(ab, a[member]))
        torch.testing.assert_close(made["A"], own(ba, b[member]))
        torch.testing.assert_close(made["ABA"], own(ba, own(ab, a[member])))
        torch.testing.assert_close(made["BAB"], own(ab, own(ba, b[member])))


def test_the_averages_start_at_the_maps_that_the_generators_start_at():
    module = module_of(MEMBERS)
    maps = [((k + 1) * torch.eye(40).numpy(), torch.full((40,), float(k)).numpy()) for k in range(MEMBERS)]
    module.start_at(maps, maps[::-1])
    x = torch.randn(2, 50, 40)
    torch.testing.assert_close(module.convert_A_to_B(x), 2 * x + 1)
    torch.testing.assert_close(module.convert_B_to_A(x), module.generator_BA(x))
    torch.testing.assert_close(module.generator_BA.start_bias[:, 0, 0], torch.tensor([2.0, 1.0, 0.0]))
