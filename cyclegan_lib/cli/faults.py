"""The command that finds faults: classify."""

import sys
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from cyclegan_lib.cli.options import FEATURE_SET, then, with_reading
from cyclegan_lib.errors import printable


@with_reading
def classify(
    model: Annotated[Path, Option(help="folder that `cyclegan export` wrote")],
    input: Annotated[Path, Option(help=FEATURE_SET + ", or folder of recordings, of device A")],
    output: Annotated[Path, Option(help="predictions to write (.csv), see above")],
    train: Annotated[Path | None, Option(help="feature set of device B with labels: trains on it")] = None,
    load: Annotated[Path | None, Option(help="classifier that --save wrote, in place of --train")] = None,
    save: Annotated[Path | None, Option(help="file (.npz) to keep the classifier in")] = None,
    way: Annotated[
        str | None,
        Option(
            help="forward: trained on B, asked about A translated to B; there and back: trained on B"
            " translated to A and back; reverse: trained on B translated to A, asked about A; vote: the last"
            " two together; augmented: as reverse, trained on simpler translations and random changes too;"
            " default: augmented"
        ),
    ] = None,
    seed: Annotated[int, Option(min=0, help="seed of the classifier")] = 0,
    *,
    reading: dict[str, Any],
) -> None:
    """Find the faults in recordings of device A, by a classifier trained on labelled recordings of device B.

    OUTPUT has a row for each sequence, any number of them, since they pass through in parts:

    \b
      recording, start_s          which sequence, and where it starts, seconds
      fault, probability          its likeliest class; mean of two classifiers
      disagreement, novelty       of the translation, as in translate --report
      accepted                    both are as in the training
      recording_fault             the likeliest class of the whole recording
      recording_probability       mean over its sequences
    """
    from cyclegan_lib.faults.classify import classify

    result = classify(model, input, output, train, load, save, way, seed, **reading)
    if result.extraction:
        print(result.extraction)
    print(f"{result}\n{printable(f'written to {output}')}")
    for warning in result.warnings():
        print(printable(f"warning: {warning}"), file=sys.stderr)
    then("listen", "--model", model, "--input", "A.wav", "--output", "as_B.wav")
