"""Commands around a model: train, export, inspect, translate."""

from pathlib import Path
from typing import Annotated

import typer

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.files import writable_npz
from cyclegan_lib.options import FEATURE_SET, with_options


@with_options(TrainingSettings)
def train(
    domain_a: Annotated[Path, typer.Option(help=FEATURE_SET + " of device A")] = Path("data/cpc006.npz"),
    domain_b: Annotated[Path, typer.Option(help=FEATURE_SET + " of device B")] = Path(
        "data/BATCH_UPLOAD.npz"
    ),
    checkpoint_dir: Annotated[Path, typer.Option(help="folder for checkpoints and logs")] = Path(
        "checkpoints"
    ),
    resume: Annotated[
        Path | None,
        typer.Option(
            help="checkpoint to go on from; its data and settings hold, but not its max-* and threads"
        ),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="recordings that both devices made (.npz of `Pairs`): optional help")
    ] = None,
    *,
    settings: TrainingSettings,
) -> None:
    """Train the CycleGAN; best.ckpt is the epoch that was nearest to held-out recordings of both devices."""
    from cyclegan_lib.training import train

    run = train(domain_a, domain_b, checkpoint_dir, settings, resume, pairs=pairs)
    first, best = run.history[0]["val_distance"], run.history[run.best_epoch]["val_distance"]
    print(f"best epoch {run.best_epoch} of {len(run.history) - 1}: {run.best}")
    print(f"held-out distance {best:.3f}, at the start (matched linear maps) {first:.3f}")


def export(
    checkpoint: Annotated[Path, typer.Option(help="training checkpoint (.ckpt)")],
    output_dir: Annotated[Path, typer.Option(help="folder to write to")] = Path("exported_models"),
    no_discriminators: Annotated[bool, typer.Option("--no-discriminators", help="generators only")] = False,
    create_inference_script: Annotated[
        bool, typer.Option("--create-inference-script", help="write inference_example.py as well")
    ] = False,
) -> None:
    """Take a checkpoint apart into files that stand alone."""
    from cyclegan_lib.export import export, saved_part

    files = export(checkpoint, output_dir, not no_discriminators, create_inference_script)
    for file in files:
        count = f"{file.parameters:>9,} parameters" if file.parameters else ""
        print(f"{file.path.name:26s}{file.size / 1e6:7.3f} MB  {count}".rstrip())
    print(f"{saved_part(checkpoint, files):.0%} smaller than the checkpoint; written to {output_dir}")


def inspect(checkpoint: Annotated[Path, typer.Argument(help="training checkpoint (.ckpt)")]) -> None:
    """Show what a checkpoint holds, and how many parameters each network has."""
    from cyclegan_lib.export import inspect_checkpoint

    print(inspect_checkpoint(checkpoint))


def translate(
    model: Annotated[Path, typer.Option(help="folder that `cyclegan export` wrote")],
    direction: Annotated[str, typer.Option(help="AB or BA")],
    input: Annotated[Path, typer.Option(help=FEATURE_SET)],
    output: Annotated[Path, typer.Option(help="feature set to write (.npz)")],
) -> None:
    """Translate a feature set in raw units (dB): normalise, generate, denormalise."""
    from cyclegan_lib.export import Translator
    from cyclegan_lib.features import FeatureSet

    translator = Translator.load(model, direction)
    writable_npz(output)
    translated = translator.translate_set(FeatureSet.load(input, least=1))
    translated.save(output)
    print(f"{len(translated)} sequences, {translator.source} -> {translator.target}: {output}")
