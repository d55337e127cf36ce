"""Translation there and back: BAB and ABA."""

import numpy as np
import pytest
from helpers import done, refusal

from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet


@pytest.mark.parametrize(("direction", "domain"), [("ABA", 0), ("BAB", 1)])
def test_it_is_one_generator_after_the_other_and_labels_are_kept(
    direction, domain, domains, exported, trained, tmp_path, capsys
):
    source, out = FeatureSet.load(domains[domain]), tmp_path / "out.npz"
    given = ["translate", "--model", exported, "--direction", direction, "--input", domains[domain]]
    devices = ("cpc006", "BATCH_UPLOAD")
    text = done(capsys, *given, "--output", out, "--report", tmp_path / "r.csv")
    assert f"{devices[domain]} -> {devices[1 - domain]} -> {devices[domain]}" in text
    written = FeatureSet.load(out)
    assert written.device == source.device and list(written.label) == list(source.label)
    there, back = (Translator.load(exported, leg) for leg in (direction[:2], direction[1:]))
    expected = back.translate_set(there.translate_set(source))
    np.testing.assert_array_equal(written.features, expected.features)
    assert not np.allclose(written.features, source.features, atol=0.1)
    of_checkpoint = Translator.of_checkpoint(trained[0].best, direction)
    np.testing.assert_array_equal(of_checkpoint.translate_set(source).features, written.features)
    other = ["--input", domains[1 - domain], "--output", tmp_path / "no.npz"]
    assert f"direction {direction} of this model" in refusal(capsys, *given[:-2], *other)
