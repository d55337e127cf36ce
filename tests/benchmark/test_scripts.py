"""The scripts that train on the benchmark's pairs do so on each rotation, as pairs are built today."""

from types import SimpleNamespace

import distilled
import drift
import lengths
import numpy as np
import pytest
from helpers import QUICK, make_set

from cyclegan_lib.config import DiscriminatorSettings
from cyclegan_lib.export import Translator

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


@pytest.mark.slow
def test_distilled_generators_are_measured(data, monkeypatch):
    monkeypatch.setattr("cyclegan_lib.export.distillation.STEPS", 200)
    rows = distilled.measured("sensors", 0, data)
    assert len(rows) == 3 and all(
        0 < row["apart, root mean square"] < row["apart, 99 % below"] for row in rows
    )
    assert distilled.table(rows).splitlines()[-1].startswith("| sensors | 3 | ")


def test_what_drifts_is_translated_and_judged_beside_its_truth(exported, monkeypatch):
    monkeypatch.setattr(drift, "PART", 7)
    tests = SimpleNamespace(test_a=make_set("cpc006"), test_b=make_set("BATCH_UPLOAD", shift=5.0))
    parts = list(drift.drawn(tests, 20, 6, 2.0))
    assert [len(source) for source, _ in parts] == [7, 7, 6]
    bands = np.concatenate([source.features for source, _ in parts]).mean(axis=(0, 1))
    unaged = np.concatenate([source.features for source, _ in drift.drawn(tests, 20, 6, 0.0)]).mean(
        axis=(0, 1)
    )
    np.testing.assert_allclose(bands - unaged, -12 * np.linspace(0, 1, 40), atol=1e-3)

    translator = Translator.load(exported, "AB")
    usual = drift.of_month(translator, drift.drawn(tests, 20, 0, 2.0), 0 * bands)
    aged = drift.of_month(translator, iter(parts), 0 * bands)
    mended = drift.of_month(translator, iter(parts), drift.drift(6, 2.0))
    assert mended[0] < aged[0] and mended[1] < aged[1] and mended[2] >= aged[2]
    assert 0 < usual[0] and 0 <= usual[2] <= 1
