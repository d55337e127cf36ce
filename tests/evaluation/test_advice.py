"""What to do next: every sentence and figure follows the data."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_set

from cyclegan_lib.evaluation.advice import to_hear, to_record
from cyclegan_lib.export import Translator


@pytest.fixture
def translator(exported):
    return Translator.load(exported, "AB")


def test_the_strangest_the_most_doubtful_and_a_usual_recording_are_named(translator):
    source = make_set("cpc006", n=9)
    features = source.features.copy()
    features[4] += 60.0
    source = replace(source, features=features)
    rows = to_hear(translator, source)
    apart = translator.disagreements(source)
    assert next(iter(rows)) == apart.argmax()
    assert 4 in rows and len(rows) == 3
    usual = list(rows)[-1]
    assert apart[usual] == pytest.approx(np.median(apart)) and f"{apart[usual]:.2f}" in rows[usual]
    assert "disagree most" in rows[int(apart.argmax())]


@pytest.mark.parametrize(("sequences", "said"), [(9, 3), (2, 2), (1, 1)])
def test_of_one_restart_what_is_strange_is_doubtful(sequences, said, translator, monkeypatch):
    monkeypatch.setattr(Translator, "disagreements", lambda self, source: np.zeros(len(source)))
    rows = list(to_hear(translator, make_set("cpc006", n=sequences)).values())
    assert len(rows) == said and "restarts" not in " ".join(rows)
    assert rows[0].startswith("farthest from the training recordings: novelty")
    assert sequences == 1 or rows[1].startswith("of the others, farthest")


def test_what_to_record_more_of_follows_the_recordings(translator):
    a, b = make_set("cpc006", n=8), make_set("BATCH_UPLOAD", n=60)
    label = np.array(["worn"] * 3 + ["normal"] * 57)
    few, least, strange = to_record(translator, a, a, replace(b, label=label))
    assert few.startswith("Record more with cpc006: 8 training recordings, and below some 50")
    assert "worn has fewest recordings, 3 of 60" in least
    assert "of 8 test recordings of cpc006 lie beyond" in strange
    features = a.features + np.where(np.arange(8) == 5, 90.0, 0.0)[:, None, None].astype(np.float32)
    odd = to_record(translator, replace(a, features=features), b, b)[-1]
    assert odd.startswith(f"Record more with cpc006 of what is in {a.recording[5]}")
