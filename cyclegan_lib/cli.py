"""The `cyclegan` command: one function a subcommand, no logic.

Libraries are imported by the subcommand that needs them, so that `--help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from cyclegan_lib.config import FeatureSettings, SimulationSettings, TrainingSettings
from cyclegan_lib.errors import InputError, Interrupted, NotebookError
from cyclegan_lib.files import writable_folder, writable_npz
from cyclegan_lib.options import joined, with_options

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Translate machine-sound features between two recording devices with a CycleGAN.",
)

FEATURE_SET = "feature set (.npz; also the guide's .json, or .npy)"


@app.command()
@with_options(SimulationSettings)
def simulate(
    output: Annotated[Path, typer.Option(help="folder to write recordings and labels.csv to")] = Path(
        "data/recordings"
    ),
    workers: Annotated[int | None, typer.Option(min=1, help="processes; default: one for each core")] = None,
    *,
    settings: SimulationSettings,
) -> None:
    """Simulate machines heard by cpc006 and BATCH_UPLOAD: training recordings of each, paired test ones."""
    from cyclegan_lib.recordings import simulate

    folder = simulate(output, settings, workers=workers)
    print(f"recordings and labels.csv: {folder}")


@app.command()
def extract(
    recordings: Annotated[Path, typer.Argument(help="folder of WAV or FLAC files")],
    device: Annotated[str, typer.Option(help="name of the device that recorded them")],
    output: Annotated[Path, typer.Option(help="feature set to write (.npz)")],
    labels: Annotated[Path | None, typer.Option(help="CSV with a column `recording`")] = None,
    label_column: Annotated[str, typer.Option(help="column of the labels")] = "fault",
    sample_rate: Annotated[
        int, typer.Option(help="rate in Hz to resample to")
    ] = FeatureSettings().sample_rate,
    recordings_list: Annotated[
        Path | None, typer.Option(help="text file, a recording a line: only these")
    ] = None,
    channel: Annotated[int | None, typer.Option(min=1, help="channel, from 1; default: mean of all")] = None,
) -> None:
    """Turn recordings into a feature set: log mel energies, 50 slices of 40 features for each 10 s."""
    from cyclegan_lib.features.extract import extract

    settings = FeatureSettings.checked("the command line", sample_rate=sample_rate)
    writable_npz(output)
    found, report = extract(recordings, device, settings, labels, label_column, recordings_list, channel)
    found.save(output)
    print(f"{report}\nfeature set: {output}")


@app.command()
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


@app.command()
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


@app.command()
def inspect(checkpoint: Annotated[Path, typer.Argument(help="training checkpoint (.ckpt)")]) -> None:
    """Show what a checkpoint holds, and how many parameters each network has."""
    from cyclegan_lib.export import inspect_checkpoint

    print(inspect_checkpoint(checkpoint))


@app.command()
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


@app.command()
def evaluate(
    source: Annotated[Path, typer.Option(help=FEATURE_SET + " of device A, untranslated")],
    translated: Annotated[Path, typer.Option(help="the same sequences, translated")],
    target: Annotated[Path, typer.Option(help="real recordings of device B")],
    paired: Annotated[
        Path | None, typer.Option(help="the source's moments as B heard them: adds NMSE")
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="B's training set with labels: adds accuracies")
    ] = None,
    fit_source: Annotated[Path | None, typer.Option(help="A's training set: fits the baselines")] = None,
    fit_target: Annotated[Path | None, typer.Option(help="B's training set: fits the baselines")] = None,
    json: Annotated[Path | None, typer.Option(help="file to write the same numbers to")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of splits and projections")] = 0,
) -> None:
    """Measure a translation beside the null (B against itself) and five baselines."""
    from cyclegan_lib.evaluation import evaluate
    from cyclegan_lib.features import FeatureSet

    if json is not None:
        writable_folder(json.parent)
    optional = {"paired": paired, "labelled": labelled, "fit_source": fit_source, "fit_target": fit_target}
    result = evaluate(
        *(FeatureSet.load(path) for path in (source, translated, target)),
        **{name: FeatureSet.load(path) for name, path in optional.items() if path is not None},
        seed=seed,
        progress=True,
    )
    print(result.table())
    if json is not None:
        print(f"written to {result.save(json)}")


@app.command()
def benchmark(
    output: Annotated[Path, typer.Option(help="folder for results; a later run goes on there")] = Path(
        "benchmark_results"
    ),
    pairs: Annotated[str | None, typer.Option(help="device pairs, comma-separated; default: all")] = None,
    methods: Annotated[
        str | None, typer.Option(help="methods, comma-separated; default: all but other help")
    ] = None,
    seeds: Annotated[str, typer.Option(help="comma-separated; each decides split, weights and noise")] = (
        "0,1,2,3,4"
    ),
    data: Annotated[
        Path, typer.Option(help="folder of real recordings; pairs that it lacks are left out")
    ] = Path("../shared/data"),
    workers: Annotated[int, typer.Option(min=1, help="processes, each with one thread")] = 1,
) -> None:
    """Compare the CycleGAN with baselines and bounds on device pairs whose truth is known."""
    from cyclegan_lib.benchmark.run import benchmark

    result = benchmark(output, pairs, seeds, methods, data, workers)
    print(f"{result.markdown()}\nwritten to {output}")


@app.command()
def run(
    name: Annotated[
        str, typer.Option(help="name of the run: its folder under runs/; default: the time")
    ] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME VALUE", help="a notebook parameter; may be repeated"),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="go on with the run of that name, which was interrupted or failed"),
    ] = False,
    list_parameters: Annotated[bool, typer.Option("--list-parameters", help="list them and stop")] = False,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="renew the outputs of notebooks/ itself, with the defaults")
    ] = False,
) -> None:
    """Run the notebooks in order through papermill, with checked parameters, into runs/NAME.

    That folder holds the executed notebooks, report.html, figures/, metrics.json, checkpoints/,
    exported_models/ and run.json (parameters, versions, inputs). A run of the same name is kept as
    NAME-earlier-1. Paths given with -p are meant from the current folder.
    """
    from cyclegan_lib.runs.notebooks import describe_parameters
    from cyclegan_lib.runs.renew import renew_notebooks
    from cyclegan_lib.runs.run import run

    if list_parameters:
        print(describe_parameters())
    elif in_place:
        renew_notebooks()
    else:
        print(run(name, dict(pair.split("=", 1) for pair in parameter or []), resume))


@app.command()
def sweep(
    parameters: Annotated[Path, typer.Argument(metavar="PARAMS.yml", help="the sweep, as described above")],
    name: Annotated[
        str, typer.Option(help="folder under runs/; default: `name` in the file, or its stem")
    ] = "",
    workers: Annotated[
        int | None, typer.Option(min=1, help="runs at a time; default: one for each core")
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="a Dask scheduler, as in tcp://host:8786; default: own workers"),
    ] = "",
) -> None:
    """Run notebooks 01 to 04 for every combination of a grid, several at once, and compare them.

    PARAMS.yml, as docs/sweep.yml; `cyclegan run --list-parameters` lists what can be given:

    \b
      name: cycle-weight         # results are in runs/cycle-weight/
      parameters:                # the same for every run
        max_epochs: 10
      grid:                      # every combination is run
        lambda_cycle: [1.0, 3.0, 10.0]
        seed: [0, 1]

    index.html, sweep.md, sweep.json and comparison.png there compare all runs; each has its own folder and
    report. The same command again goes on after an interruption, and tries failed runs again.
    """
    from cyclegan_lib.runs.sweep import sweep

    result = sweep(parameters, name, workers, scheduler)
    print(result.text)
    result.raise_failures()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 on success, 2 with one sentence on stderr for bad input."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(joined(arguments or ["--help"]), prog_name="cyclegan", standalone_mode=False)
        if code:  # typer's answer to Ctrl-C
            raise Interrupted("interrupted")
    except InputError as error:
        return _refuse(str(error))
    except TyperException as error:
        # an unknown option, a missing argument
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _refuse(f"{message.rstrip('.')}; see `cyclegan --help`")
    except NotebookError as error:
        print(f"cyclegan: {error}", file=sys.stderr)
        return 1
    except Interrupted as error:
        print(f"cyclegan: {error}", file=sys.stderr)
        return 130
    return 0


def _refuse(sentence: str) -> int:
    print(f"cyclegan: {' '.join(sentence.split())}", file=sys.stderr)
    return 2
