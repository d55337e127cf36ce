"""What a run ends with, in words."""

from dataclasses import replace

import pytest

from cyclegan_lib.checkpoint.reading import read_checkpoint
from cyclegan_lib.training.verdict import AFFINE, MATCHED, SHIFT, Evidence, verdict

SURE = Evidence(MATCHED, 240, 0.42, 0.36, 0.48)


@pytest.mark.parametrize(
    ("evidence", "epoch", "says"),
    [
        (SURE, 0, "Better than a mean shift beyond doubt on held-out matches (42% less squared error"),
        (SURE, 12, "95 % interval 36% to 48%"),
        (replace(SURE, low=-0.1, recordings=21), 12, "Too few recordings to say: 21 of a device"),
        (replace(SURE, start=SHIFT), 0, "No better: the mean shift is used"),
        (replace(SURE, start=AFFINE), 0, "No better: the per-feature affine map is used"),
        (replace(SURE, start=SHIFT), 3, "Better than a mean shift beyond doubt"),  # training made it so
    ],
)
def test_it_says_which_of_three(evidence, epoch, says):
    assert says in verdict(evidence, epoch)


def test_it_is_in_the_run_and_in_its_checkpoint(trained):
    run = trained[0]
    assert run.verdict.split()[0] in ("Better", "Too", "No")
    assert read_checkpoint(run.best)["verdict"] == run.verdict
    assert 0 < run.expected_distance < run.history[0]["val_distance"]
