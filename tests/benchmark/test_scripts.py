"""The scripts that train on the benchmark's pairs do so on each rotation, as pairs are built today."""

import distilled
import lengths
import pytest
from helpers import QUICK

from cyclegan_lib.config import DiscriminatorSettings

FEW = QUICK.model_copy(
    update={"max_epochs": 1, "discriminator": DiscriminatorSettings(hidden_dim=8, window=2)}
)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch, quick_start):
    for script in (lengths, distilled):
        monkeypatch.setattr(script, "TrainingSettings", lambda seed: FEW.model_copy(update={"seed": seed}))


@pytest.mark.parametrize("pair, rotations", [("simulated", 1), ("sensors", 3)])
def test_both_lengths_are_measured(pair, rotations, data, monkeypatch):
    monkeypatch.setattr(lengths, "SLICES", 3)  # of 4
    done, of_rotation = [], lengths.of_rotation
    monkeypatch.setattr(lengths, "of_rotation", lambda *given: done.append(of_rotation(*given)) or done[-1])
    whole, short = (lengths.error(pair, 0, data, shorter) for shorter in (False, True))
    assert len(done) == 2 * rotations and 0 < whole != short > 0


def test_distilled_generators_are_measured(data):
    rows = distilled.measured("sensors", 0, data)
    assert len(rows) == 3 and all(
        0 < row["apart, root mean square"] < row["apart, 99 % below"] for row in rows
    )
    assert distilled.table(rows).splitlines()[-1].startswith("| sensors | 3 | ")
