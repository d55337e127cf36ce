"""Commands that make feature sets: simulate, extract."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from cyclegan_lib.cli.options import with_options
from cyclegan_lib.config import MIN_SLICES, FeatureSettings, SimulationSettings
from cyclegan_lib.errors import printable


@with_options(SimulationSettings)
def simulate(
    output: Annotated[Path, Option(help="folder to write recordings and labels.csv to")] = Path(
        "data/recordings"
    ),
    workers: Annotated[int | None, Option(min=1, help="processes; default: one for each core")] = None,
    *,
    settings: SimulationSettings,
) -> None:
    """Simulate machines heard by cpc006 and BATCH_UPLOAD: training recordings of each, paired test ones."""
    from cyclegan_lib.simulation import simulate

    folder = simulate(output, settings, workers=workers)
    print(printable(f"recordings and labels.csv: {folder}"))


def extract(
    recordings: Annotated[Path, Argument(help="folder of recordings, searched with its subfolders")],
    device: Annotated[str, Option(help="name of the device that recorded them")],
    output: Annotated[Path, Option(help="feature set to write (.npz); beside it OUTPUT.report.csv")],
    labels: Annotated[Path | None, Option(help="CSV with a column `recording`")] = None,
    label_column: Annotated[str, Option(help="column of the labels")] = "fault",
    sample_rate: Annotated[int, Option(help="rate in Hz to resample to")] = FeatureSettings().sample_rate,
    sample_rate_of_files: Annotated[
        int | None, Option(min=1, help="rate in Hz of files that do not state theirs (CSV, .mat, .npy)")
    ] = None,
    slices: Annotated[
        int,
        Option(
            min=MIN_SLICES, help="slices of a sequence, 5 a second; shorter recordings give one of theirs"
        ),
    ] = FeatureSettings().slices,
    recordings_list: Annotated[Path | None, Option(help="text file, a recording a line: only these")] = None,
    channel: Annotated[
        str | None, Option(help="channel, from 1, or its name (column, variable); default: mean of all")
    ] = None,
    scale: Annotated[
        float, Option(help="what samples are multiplied by: volts, g or pascals to full scale")
    ] = 1,
    split_every: Annotated[
        int | None, Option(min=1, help="seconds: make recordings NAME@0000s, ... of each long one")
    ] = None,
    on_damaged: Annotated[
        Literal["error", "skip"], Option(help="refuse files that cannot be read, or leave them out")
    ] = "error",
    quality_checks: Annotated[
        Literal["warn", "skip", "off"],
        Option(
            help="name silent, constant, half silent and clipped recordings and copies, or leave them out"
        ),
    ] = "warn",
    workers: Annotated[int | None, Option(min=1, help="processes; default: one for each core")] = None,
) -> None:
    """Turn recordings into a feature set: log mel energies, 50 slices of 40 features for each 10 s."""
    from cyclegan_lib.features.extract import extract

    settings = FeatureSettings.checked(
        "the command line",
        sample_rate=sample_rate,
        slices=slices,
        channel=int(channel) if channel and channel.isdecimal() else channel,
        scale=scale,
    )
    _, report = extract(
        recordings,
        device,
        settings,
        labels,
        label_column,
        recordings_list,
        output=output,
        rate_of_files=sample_rate_of_files,
        on_damaged=on_damaged,
        quality_checks=quality_checks,
        split_every=split_every,
        workers=workers,
    )
    print(f"{report}\n{printable(f'feature set: {output}')}")
