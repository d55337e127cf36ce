"""The model card: what it says of an export, and whose evaluation it takes."""

import pytest
from helpers import done, make_set, refusal

from cyclegan_lib.errors import InputError
from cyclegan_lib.export import Translator, add_evaluation
from cyclegan_lib.export.card import write_card
from cyclegan_lib.export.manifest import CONFIG, Manifest
from cyclegan_lib.features import FeatureSet


def test_the_card_says_what_it_translates_and_was_trained_on(exported, trained, domains):
    card, manifest = (exported / "README.md").read_text(encoding="utf-8"), Manifest.load(exported)
    assert card.startswith("# cpc006 and BATCH_UPLOAD: ")
    for name in ("a", "b"):
        assert f"`{manifest.training.data[name].fingerprint}`" in card
    epoch, history = trained[0].best_epoch, trained[0].history
    for device, way in (("BATCH_UPLOAD", "AB"), ("cpc006", "BA")):
        before, after = (history[number][f"val_distance_{way}"] for number in (0, epoch))
        assert f"| to {device} | {before:.3f} | {after:.3f} |" in card
    assert f"Epoch {epoch} of 3 steps, seed 0; the translations of\n2 restarts are averaged" in card
    assert "| sample rate | 16000 Hz |" in card and "| bands | 60 to 8000 Hz |" in card
    for path in exported.iterdir():
        if path.name not in ("README.md", CONFIG):
            assert f"| {path.name} | {path.stat().st_size / 1000:.1f} |" in card
    assert "Not measured on test recordings yet" in card and "## Limits" in card


@pytest.mark.parametrize(("epoch", "said"), [(0, True), (3, False)])
def test_the_card_says_how_training_ended(epoch, said, exported, tmp_path):
    values = Manifest.load(exported).model_dump()
    values["training"] |= {"epoch": epoch, "verdict": "The mean shift is used."}
    card = write_card(tmp_path, values, []).read_text(encoding="utf-8")
    assert "## How well it translates\n\nThe mean shift is used.\n" in card
    assert ("Best epoch 0: training did not improve" in card) == said


def test_evaluate_puts_its_table_into_the_card(model, domains, tmp_path, capsys):
    (model / "mine.txt").write_text("keep", encoding="utf-8")
    (a, b), out = domains, tmp_path / "out.npz"
    done(capsys, "translate", "--model", model, "--direction", "AB", "--input", a, "--output", out)
    said = done(capsys, "evaluate", "--source", a, "--translated", out, "--target", b, "--model", model)
    row = next(line for line in said.splitlines() if line.startswith("| CycleGAN"))
    card = (model / "README.md").read_text(encoding="utf-8")
    assert row in card and "Not measured" not in card and "cpc006 to BATCH_UPLOAD:" in card
    assert Translator.load(model, "AB") and (model / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_the_card_has_the_last_table_of_each_generator(copied, domains):
    for direction, distilled, table in (
        ("AB", False, "| old |"),
        ("AB", False, "| t |"),
        ("BA", False, "| back |"),
        ("AB", True, "| small |"),
    ):
        source = FeatureSet.load(domains["AB".index(direction[0])])
        translated = Translator.load(copied, direction, distilled).translate_set(source)
        add_evaluation(copied, source, translated, table)
    assert Manifest.load(copied).evaluation.keys() == {"AB", "BA", "AB distilled"}
    card = (copied / "README.md").read_text(encoding="utf-8")
    assert "cpc006 to BATCH_UPLOAD:\n\n| t |" in card and "BATCH_UPLOAD to cpc006:\n\n| back |" in card
    assert "cpc006 to BATCH_UPLOAD, distilled:\n\n| small |" in card and "| old |" not in card
    assert card.count("How to read it") == 1 and "Not measured" not in card


def test_a_table_of_another_translation_is_refused(model, domains, capsys):
    (a, b), before = domains, (model / "README.md").read_bytes()
    said = refusal(capsys, "evaluate", "--source", a, "--translated", a, "--target", b, "--model", model)
    assert "makes another translation of the source" in said
    x = make_set("phone")
    with pytest.raises(InputError, match="the source was recorded by phone"):
        add_evaluation(model, x, x, "")
    assert (model / "README.md").read_bytes() == before
