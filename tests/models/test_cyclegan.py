import numpy as np
import torch

from cyclegan_lib.checkpoint.reading import network_state, read_checkpoint
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.models import NETWORKS, CycleGANModule
from cyclegan_lib.training.checkpoints import checkpoints_in


def test_checkpoints_hold_what_the_guide_says_and_an_example(domains, trained):
    paths = checkpoints_in(trained[1])
    assert len(paths) == 4  # best, last, and one of each epoch
    for path in paths:
        checkpoint = torch.load(path, weights_only=True)  # plain types: no code runs
        assert {name.split(".")[0] for name in checkpoint["state_dict"]} > set(NETWORKS)
        assert len(checkpoint["optimizer_states"]) == 2
        assert set(checkpoint["hyper_parameters"]["normalization"]) == {"mean_a", "std_a", "mean_b", "std_b"}
        for name, domain in zip("AB", domains, strict=True):
            assert checkpoint["example"][name].dtype == torch.float32
            assert np.array_equal(checkpoint["example"][name], FeatureSet.load(domain).features[0])


def test_a_loaded_module_translates_with_the_averaged_generators(trained):
    run, _ = trained
    module = CycleGANModule.load_from_checkpoint(run.last, map_location="cpu")
    x = torch.randn(1, 50, 40)
    average = network_state(read_checkpoint(run.last), "generator_AB")
    trained_weights = module.generator_AB.state_dict()
    assert any(not torch.equal(average[key], trained_weights[key]) for key in average)
    module.generator_AB.load_state_dict(average)
    torch.testing.assert_close(module.convert_A_to_B(x), module.generator_AB(x))
    assert module.convert_B_to_A(module.convert_A_to_B(x)).shape == x.shape
