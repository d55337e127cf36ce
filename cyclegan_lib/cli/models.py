"""Commands around a model: train, export, inspect, translate."""

import sys
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from cyclegan_lib.cli.options import (
    CHANNEL,
    FEATURE_SET,
    Config,
    SampleRateOfFiles,
    set_option,
    then,
    with_options,
    with_reading,
)
from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import printable
from cyclegan_lib.stopping import Stopping


@with_options(TrainingSettings)
def train(
    domain_a: Annotated[Path, set_option(FEATURE_SET + " of device A")] = Path("data/cpc006.npz"),
    domain_b: Annotated[Path, set_option(FEATURE_SET + " of device B")] = Path("data/BATCH_UPLOAD.npz"),
    checkpoint_dir: Annotated[Path, Option(help="folder for checkpoints and logs")] = Path("checkpoints"),
    resume: Annotated[
        str | None,
        Option(
            metavar="PATH|auto",
            help="checkpoint to go on from; its data and settings hold, but not its max-*, devices and"
            " threads; auto: the newest one in --checkpoint-dir, or from the beginning if there is none",
        ),
    ] = None,
    pairs: Annotated[
        Path | None, Option(help="recordings that both devices made (.npz of `Pairs`): optional help")
    ] = None,
    config: Config = None,
    *,
    settings: TrainingSettings,
) -> None:
    """Train the CycleGAN; best.ckpt is the epoch that was nearest to held-out recordings of both devices."""
    with Stopping(lambda: "training was stopped before it began"):
        from cyclegan_lib.checkpoint.inspection import untrained_in_words
        from cyclegan_lib.training import train

        run = train(domain_a, domain_b, checkpoint_dir, settings, resume, pairs=pairs)
    first, best = run.history[0]["val_distance"], run.history[run.best_epoch]["val_distance"]
    epochs = len(run.history) - 1
    if epochs < settings.max_epochs:
        print(f"stopped after epoch {epochs} of {settings.max_epochs}: its minutes are over")
    print(printable(f"best epoch {run.best_epoch} of {epochs}: {run.best}"))
    print(f"held-out distance {best:.3f}, at the start (linear maps) {first:.3f}")
    if run.expected_distance is not None:  # runs of before did not measure it
        print(f"real recordings of one device are {run.expected_distance:.3f} apart: nearer tells nothing")
    for sentence in filter(None, (run.verdict, untrained_in_words(run.best_epoch))):
        print(printable(sentence))
    for warning in run.warnings:
        print(printable(f"warning: {warning}"))
    then("export", "--checkpoint", run.best)


def export(
    checkpoint: Annotated[Path, Option(help="training checkpoint (.ckpt)")],
    output_dir: Annotated[Path, Option(help="folder to write to")] = Path("exported_models"),
    no_discriminators: Annotated[bool, Option("--no-discriminators", help="generators only")] = False,
    create_inference_script: Annotated[
        bool, Option("--create-inference-script", help="write inference_example.py as well")
    ] = False,
    formats: Annotated[
        str,
        Option(
            help="also write the generators as onnx, safetensors, edge (ONNX from sound on); commas between"
        ),
    ] = "",
    distilled: Annotated[
        bool, Option("--distilled", help="also distil the generators into small ones, for many recordings")
    ] = False,
    int8: Annotated[
        bool,
        Option("--int8", help="also quantise the distilled ones to 8 bits (asks for them, and for onnx)"),
    ] = False,
) -> None:
    """Take a checkpoint apart into files that stand alone."""
    from cyclegan_lib.export import export, size_table

    wanted = {"inference_script": create_inference_script, "formats": formats}
    wanted |= {"distilled": distilled, "int8": int8}
    files = export(checkpoint, output_dir, not no_discriminators, **wanted)
    print(f"{size_table(checkpoint, files)}\n{printable(f'written to {output_dir}')}")
    then("translate", "--model", output_dir, "--direction", "AB", "--input", "A.npz", "--output", "AB.npz")


def inspect(
    path: Annotated[
        str,
        Argument(metavar="<path>", help=f"training checkpoint (.ckpt), exported folder, or {FEATURE_SET}"),
    ],
) -> None:
    """Show what a checkpoint, an exported folder or a feature set holds."""
    from cyclegan_lib.export import inspect_checkpoint
    from cyclegan_lib.export.manifest import Manifest
    from cyclegan_lib.features import FeatureSet
    from cyclegan_lib.features.lake import is_lake
    from cyclegan_lib.features.stream import FORMATS

    if is_lake(path) or Path(path).suffix in FORMATS:
        print(printable(repr(FeatureSet.load(path, least=1))))
        then("train", "--domain-a", path, "--domain-b", "B.npz")
    elif Path(path).is_dir():
        print(printable(repr(Manifest.load(path))))
        then("translate", "--model", path, "--direction", "AB", "--input", "A.npz", "--output", "AB.npz")
    else:
        print(inspect_checkpoint(path))
        then("export", "--checkpoint", path)


@with_reading
def translate(
    model: Annotated[Path, Option(help="folder that `cyclegan export` wrote")],
    direction: Annotated[
        str,
        Option(
            help="AB, BA, or the devices as in NAME:NAME; there and back: BAB (to train a classifier on), ABA"
        ),
    ],
    input: Annotated[Path, set_option(FEATURE_SET + ", or folder of recordings")],
    output: Annotated[Path, Option(help="feature set to write (.npz; .json: the guide's lists)")],
    distilled: Annotated[
        bool, Option("--distilled", help="with the small generator: nearly the same, many times as fast")
    ] = False,
    report: Annotated[
        Path | None,
        Option(
            help="CSV to write: for each sequence recording, start_s, slices, disagreement of the"
            " restarts (z-scores), novelty (deviations from the training recordings, 1 is usual), accepted"
            " (both within what was seen in training), level_before and level_after (dB)"
        ),
    ] = None,
    *,
    reading: dict[str, Any],
) -> None:
    """Translate a feature set, or recordings; any number of them, since they pass through in parts."""
    from cyclegan_lib.export import Translator
    from cyclegan_lib.features.lake import is_lake

    translator = Translator.load(model, direction, distilled)
    judgement, extraction = translator.translate_file(input, output, report=report, **reading)
    if extraction:
        print(extraction)
    print(printable(f"{judgement.sequences} sequences, {translator.title}: {output}"))
    if report:
        print(printable(f"{judgement}: {report}"))
    for warning in judgement.warnings():
        print(printable(f"warning: {warning}"), file=sys.stderr)
    source = input if is_lake(input) or input.is_file() else "A.npz"
    if translator.back:  # there and back is not to be like the other device
        where = ("--model", model, "--input", "A.npz", "--output", "predictions.csv")
        then("classify", "--train", source, *where)
    else:
        then("evaluate", "--source", source, "--translated", output, "--target", "B.npz", "--model", model)


def listen(
    model: Annotated[Path, Option(help="folder that `cyclegan export` wrote")],
    input: Annotated[Path, Option(help="recording of the source device")],
    output: Annotated[Path, Option(help="sound file to write (.wav, .flac, .ogg, .mp3), a new one")],
    direction: Annotated[str, Option(help="AB, BA, or the devices as in NAME:NAME")] = "AB",
    sample_rate_of_files: SampleRateOfFiles = None,
    channel: Annotated[str | None, Option(help=f"{CHANNEL}; default: the model's")] = None,
) -> None:
    """Hear a recording translated: its own sound, re-coloured.

    The translation's change of each band over time is applied to the recording's sound as gains, phases as
    they are: nothing is invented, and what the source did not hear is not there either. As loud as the input,
    so that both can be compared by ear.
    """
    from cyclegan_lib.export import Translator
    from cyclegan_lib.export.listening import listen

    translator = Translator.load(model, direction)
    done = listen(translator, input, output, channel, sample_rate_of_files)
    print(done.read)
    nearness = f"its features are {done.after:.1f} dB from the translation, the input's {done.before:.1f} dB"
    print(printable(f"{done.seconds:.1f} s, {translator.title}: {nearness} (root mean square)"))
    if done.quieter_db:
        print(f"{done.quieter_db:.1f} dB quieter than the input, not to clip")
    print(printable(f"the source re-coloured, not invented sound: {output}"))
    for warning in done.warnings:
        print(printable(f"warning: {warning}"), file=sys.stderr)
    where = ("--model", model, "--input", "A.npz", "--output", "predictions.csv")
    then("classify", "--train", "B.npz", *where)
