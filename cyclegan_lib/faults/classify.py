"""From labelled recordings of B and recordings of A to a table of predictions: `cyclegan classify`."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.documents import writing_table
from cyclegan_lib.errors import InputError, count, printable
from cyclegan_lib.export.inputs import opening
from cyclegan_lib.export.judgement import Judgement
from cyclegan_lib.faults.classifier import FaultClassifier
from cyclegan_lib.faults.predictions import Predictions
from cyclegan_lib.faults.ways import RECOMMENDED
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.extraction_report import ExtractionReport
from cyclegan_lib.files import writable_file, writable_npz

OF_JUDGEMENT = ("disagreement", "novelty", "accepted")
OF_RECORDING = ("recording_fault", "recording_probability")
COLUMNS = ("recording", "start_s", "fault", "probability", *OF_JUDGEMENT, *OF_RECORDING)
FEW_ACCEPTED = 0.5  # part of the sequences below which it is said


@dataclass(frozen=True)
class Classified:
    """What was classified, by what, and what can be told of it without labels."""

    classifier: FaultClassifier
    predictions: Predictions  # of all sequences
    judgement: Judgement
    extraction: ExtractionReport | None  # what became of the recordings; None for a feature set

    def __str__(self) -> str:
        classifier, translator = self.classifier, self.classifier.translator
        recordings, judgement = self.predictions.of_recordings(), self.judgement
        expected = classifier.expected_accuracy(self.predictions)
        shares = classifier.estimated_shares(self.predictions)
        known = "" if translator.seen is None else f", {judgement.accepted} sequences accepted"
        parts = [f"{label} {share:.2f} ({classifier.shares[label]:.2f})" for label, share in shares.items()]
        lines = [
            f"{count(len(self.predictions), 'sequence')} of {count(len(recordings), 'recording')} of"
            f" {translator.source} ({_listed(recordings.counts())}){known}",
            f"trained on {count(sum(classifier.recordings.values()), 'recording')} of {translator.target}"
            f" ({_listed(classifier.recordings)}), {classifier.about.way}",
            f"shares of the classes, estimated (those of the training): {', '.join(parts)}",
            f"expected accuracy {expected.mean:.2f} ({expected.low:.2f} to {expected.high:.2f}), estimated"
            f" without labels of {translator.source}",
        ]
        return "\n".join(map(printable, lines))

    def warnings(self) -> list[str]:
        """What must be said, in a sentence each."""
        judgement, said = self.judgement, self.classifier.warnings()
        known = self.classifier.translator.seen is not None
        if known and judgement.accepted < FEW_ACCEPTED * judgement.sequences:
            said.append(
                f"only {judgement.accepted} of {judgement.sequences} sequences are accepted: the others are"
                " unlike what the model was trained on, and neither their faults nor the expected accuracy"
                " can be relied on"
            )
        return said + judgement.warnings()


def classify(
    model: Path,
    source: Path,
    output: Path,
    train: Path | None = None,
    load: Path | None = None,
    save: Path | None = None,
    way: str | None = None,
    seed: int = 0,
    progress: bool = True,
    **reading: Any,
) -> Classified:
    """Train a `FaultClassifier` on the set `train`, or `load` one, and predict the faults of `source`.

    `source` is a feature set of device A, a folder of recordings or one of them, as `reading` says (see
    `Translator.translate_file`). `output` is a CSV file with `COLUMNS` and a row for each sequence; `save`
    keeps the classifier. Recordings pass in parts, of which some numbers a sequence are kept.

    Raises InputError if an input cannot be used, or an output cannot be written or is an input; nothing is
    left of the output then, and what was there before is kept.
    """
    if (train is None) == (load is None):
        raise InputError("give either --train, a labelled feature set, or --load, a saved classifier")
    if load is not None and (way is not None or save is not None):
        raise InputError(f"{load} is trained and saved already; leave out --way and --save, or give --train")
    if output.suffix.lower() != ".csv":
        raise InputError(f"{output} must end in .csv, the format of the predictions")
    writable_file(output, source, train, load)
    if save is not None:
        writable_npz(save, source, train)
    if load is not None:
        classifier = FaultClassifier.load(load, model)
    else:
        classifier = FaultClassifier(way or RECOMMENDED, seed).fit(FeatureSet.load(train), model)
    result = classify_file(classifier, source, output, progress, also=[save], **reading)
    if save is not None:
        classifier.save(save)
    return result


def classify_file(
    classifier: FaultClassifier,
    source: Path,
    output: Path,
    progress: bool = True,
    also: Sequence[Path | None] = (),
    **reading: Any,
) -> Classified:
    """Write the predictions of `source` to `output`; parameters and errors are those of `classify`.

    `also` are other files that will be written, and must not be recordings either.
    """
    translator, found, rows = classifier.translator, [], []
    judgement = Judgement(translator, rows.extend)
    with (
        opening(translator, source, [output, *also], progress, **reading) as opened,
        writing_table(output, COLUMNS) as write,
        tempfile.TemporaryFile("w+", encoding="utf-8") as waiting,  # for what is known of whole recordings
        closing(opened.parts) as parts,
    ):
        for part in parts:
            translated = translator.translated(part)
            answers = classifier.answers(part, translated)
            rows.clear()
            judgement.add(part, translated)
            for row, fault, probability in zip(rows, answers.fault, answers.probability, strict=True):
                kept = [str(row.get(name, "")) for name in ("recording", "start_s", *OF_JUDGEMENT)]
                waiting.write(json.dumps([*kept[:2], fault, f"{probability:.4f}", *kept[2:]]) + "\n")
            found.append(answers)
        predictions = Predictions(
            answers.classes,
            np.concatenate([each.probabilities for each in found]),
            np.concatenate([each.recording for each in found]),
        )
        whole = predictions.of_recordings()
        values = zip(whole.fault, (f"{probability:.4f}" for probability in whole.probability), strict=True)
        of_recording = dict(zip(map(str, whole.recording), values, strict=True))
        waiting.seek(0)
        for row in map(json.loads, waiting):
            write([dict(zip(COLUMNS, [*row, *of_recording[row[0]]], strict=True))])
    return Classified(classifier, predictions, judgement, opened.report)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{label} {number}" for label, number in counts.items())
