"""benchmarks/lengths.py trains on each rotation of a pair as it is built today."""

import lengths
import pytest
from helpers import QUICK

from cyclegan_lib.config import DiscriminatorSettings


@pytest.mark.parametrize("pair", ["simulated", "sensors"])
def test_both_lengths_are_measured_on_every_rotation(pair, data, monkeypatch, quick_start):
    few = QUICK.model_copy(
        update={"max_epochs": 1, "discriminator": DiscriminatorSettings(hidden_dim=8, window=2)}
    )
    monkeypatch.setattr(lengths, "TrainingSettings", lambda seed: few.model_copy(update={"seed": seed}))
    monkeypatch.setattr(lengths, "SLICES", 3)  # of 4
    trained_on, train = [], lengths.train
    monkeypatch.setattr(
        lengths, "train", lambda a, b, *more, **named: trained_on.append(b) or train(a, b, *more, **named)
    )
    whole, short = (lengths.error(pair, 0, data, shorter) for shorter in (False, True))
    assert 0 < whole != short > 0
    assert len(trained_on) == 2 * (1 if pair == "simulated" else 3)
