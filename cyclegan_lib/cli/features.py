"""Commands that make feature sets: simulate, extract."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from cyclegan_lib.cli.options import (
    CHANNEL,
    SCALE,
    OnDamaged,
    QualityChecks,
    SampleRateOfFiles,
    SplitEvery,
    Workers,
    parse_channel,
    with_options,
)
from cyclegan_lib.config import MIN_SLICES, FeatureSettings, SimulationSettings
from cyclegan_lib.errors import printable


@with_options(SimulationSettings)
def simulate(
    output: Annotated[Path, Option(help="folder to write recordings and labels.csv to")] = Path(
        "data/recordings"
    ),
    workers: Workers = None,
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
    sample_rate_of_files: SampleRateOfFiles = None,
    slices: Annotated[
        int,
        Option(
            min=MIN_SLICES, help="slices of a sequence, 5 a second; shorter recordings give one of theirs"
        ),
    ] = FeatureSettings().slices,
    recordings_list: Annotated[Path | None, Option(help="text file, a recording a line: only these")] = None,
    channel: Annotated[str | None, Option(help=f"{CHANNEL}; default: mean of all")] = None,
    scale: Annotated[float, Option(help=SCALE)] = 1,
    split_every: SplitEvery = None,
    on_damaged: OnDamaged = "error",
    quality_checks: QualityChecks = "warn",
    workers: Workers = None,
) -> None:
    """Turn recordings into a feature set: log mel energies, 50 slices of 40 features for each 10 s."""
    from cyclegan_lib.features.extract import extract

    settings = FeatureSettings.checked(
        "the command line",
        sample_rate=sample_rate,
        slices=slices,
        channel=parse_channel(channel),
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
