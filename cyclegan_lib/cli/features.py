"""Commands that make feature sets: simulate, extract."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from cyclegan_lib.cli.options import with_options
from cyclegan_lib.config import FeatureSettings, SimulationSettings
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
    recordings: Annotated[Path, Argument(help="folder of WAV or FLAC files")],
    device: Annotated[str, Option(help="name of the device that recorded them")],
    output: Annotated[Path, Option(help="feature set to write (.npz)")],
    labels: Annotated[Path | None, Option(help="CSV with a column `recording`")] = None,
    label_column: Annotated[str, Option(help="column of the labels")] = "fault",
    sample_rate: Annotated[int, Option(help="rate in Hz to resample to")] = FeatureSettings().sample_rate,
    recordings_list: Annotated[Path | None, Option(help="text file, a recording a line: only these")] = None,
    channel: Annotated[int | None, Option(min=1, help="channel, from 1; default: mean of all")] = None,
) -> None:
    """Turn recordings into a feature set: log mel energies, 50 slices of 40 features for each 10 s."""
    from cyclegan_lib.features.extract import extract

    settings = FeatureSettings.checked("the command line", sample_rate=sample_rate)
    _, report = extract(
        recordings, device, settings, labels, label_column, recordings_list, channel, output=output
    )
    print(f"{report}\n{printable(f'feature set: {output}')}")
