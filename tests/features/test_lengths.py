"""Sets whose sequences differ in length, made comparable."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.features.lengths import common_length, left_out, shared_slices, usual_length

WHOLE = make_set("cpc006", n=20)


def ragged(*lengths, feature_set=WHOLE, padding=1e3):
    """Sequences of these lengths, what is behind them garbage."""
    slices = np.array(lengths)
    part = feature_set.select(np.arange(len(slices)))
    features = np.where(np.arange(50)[:, None] < slices[:, None, None], part.features, padding)
    return replace(part, features=features.astype(np.float32), slices=slices)


@pytest.mark.parametrize(
    ("lengths", "usual"),
    [
        ([50] * 20, 50),
        ([50] * 18 + [6, 7], 50),
        ([50] * 17 + [6, 7, 8], 8),
        ([25] * 10 + [50] * 10, 25),
        ([9], 9),
    ],
)
def test_nine_of_ten_recordings_reach_the_usual_length(lengths, usual):
    assert usual_length(ragged(*lengths)) == usual
    assert common_length(WHOLE, ragged(*lengths)) == usual


def test_recordings_count_and_not_their_sequences():
    # one recording of an hour, and others of 5 s: the hour does not decide
    names = np.array(["hour"] * 15 + list("abcde"))
    assert usual_length(replace(ragged(*[50] * 15, *[25] * 5), recording=names)) == 25
    # what is left over at a recording's end is no shorter recording
    assert (
        usual_length(replace(ragged(*[50, 8] * 10), recording=np.repeat(np.arange(10).astype(str), 2))) == 50
    )


def test_the_first_slices_and_whole_sequences_are_without_padding():
    mixed = ragged(50, 8, 25, 30)
    first = mixed.first(25)
    assert first.slices is None and first.recording.tolist() == WHOLE.recording[[0, 2, 3]].tolist()
    np.testing.assert_array_equal(first.features, WHOLE.features[[0, 2, 3], :25])
    np.testing.assert_array_equal(mixed.sequence(1), WHOLE.features[1, :8])
    assert WHOLE.first(50) is WHOLE
    assert left_out(mixed, 25, "the source") == [
        "the source: left out as shorter than 25 slices: 1 of 4 sequences"
    ]
    assert left_out(mixed, 8, "the source") == []


def test_the_same_moments_of_two_sets_row_by_row():
    x, y = shared_slices(ragged(50, 8), replace(ragged(20, 10), device="B"))
    np.testing.assert_array_equal(x, np.concatenate([WHOLE.features[0, :20], WHOLE.features[1, :8]]))
    np.testing.assert_array_equal(x, y)
