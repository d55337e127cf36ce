"""Commands that run the notebooks and compare runs: run, sweep, compare."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from cyclegan_lib.cli.options import parse_parameters, then


def run(
    name: Annotated[str, Option(help="name of the run: its folder under runs/; default: the time")] = "",
    parameter: Annotated[
        list[str] | None,
        Option("-p", "--parameter", metavar="NAME VALUE", help="a notebook parameter; may be repeated"),
    ] = None,
    resume: Annotated[
        bool, Option("--resume", help="go on with the run of that name, which was interrupted or failed")
    ] = False,
    list_parameters: Annotated[bool, Option("--list-parameters", help="list them and stop")] = False,
    in_place: Annotated[
        bool, Option("--in-place", help="renew the outputs of notebooks/ itself, with the defaults")
    ] = False,
) -> None:
    """Run the notebooks in order through papermill, with checked parameters, into runs/NAME.

    That folder holds the executed notebooks, report.html, figures/, metrics.json, checkpoints/,
    exported_models/ and run.json (parameters, versions, inputs). A run of the same name is kept as
    NAME-earlier-1. Paths given with -p are meant from the current folder.
    """
    from cyclegan_lib.runs.execute import renew_notebooks
    from cyclegan_lib.runs.parameters import describe_parameters
    from cyclegan_lib.runs.run import run, summary

    if list_parameters:
        print(describe_parameters())
    elif in_place:
        renew_notebooks()
    else:
        folder = run(name, parse_parameters(parameter or []), resume)
        print(summary(folder))
        where = ("--model", folder / "exported_models", "--input", "A.npz", "--output", "predictions.csv")
        then("classify", "--train", "B.npz", *where)


def sweep(
    parameters: Annotated[Path, Argument(metavar="PARAMS.yml", help="the sweep, as described above")],
    name: Annotated[str, Option(help="folder under runs/; default: `name` in the file, or its stem")] = "",
    workers: Annotated[int | None, Option(min=1, help="runs at a time; default: one for each core")] = None,
    scheduler: Annotated[
        str, Option(metavar="ADDRESS", help="a Dask scheduler, as in tcp://host:8786; default: own workers")
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

    index.html, sweep.md, sweep.csv and sweep.json there compare all runs, as `cyclegan compare` does any;
    each has its own folder and report. The same command again goes on after an interruption, and tries
    failed runs again.
    """
    from cyclegan_lib.runs.sweep import sweep

    result = sweep(parameters, name, workers, scheduler)
    print(result.text)
    result.raise_failures()
    then("compare", result.folder)


def compare(
    runs: Annotated[
        list[str], Argument(metavar="RUN...", help="folders of runs or of sweeps, or their names under runs/")
    ],
    output: Annotated[Path | None, Option(help="folder of the page; default: runs/comparison")] = None,
    recording: Annotated[
        str, Option(help="test recording to show through each model; default: the first one")
    ] = "",
) -> None:
    """Compare any runs; their parameters that differ, measures, curves, one recording through each model.

    \b
      cyclegan compare demo longer
      cyclegan compare runs/cycle-weight demo --recording test-0003

    index.html, comparison.md, comparison.csv and comparison.json in the output folder hold the table: each
    measure with its interval, the mean and interval of runs that only a seed sets apart, and the best
    unpaired baseline.
    """
    from cyclegan_lib.runs.compare import compare

    result = compare(runs, output or "")
    result.save(recording)
    print(result.text)
    then("inspect", result.folders[0] / "checkpoints" / "best.ckpt")
