"""Commands that make feature sets: simulate, extract."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from cyclegan_lib.cli.options import (
    CHANNEL,
    FEATURE_SET,
    SampleRateOfFiles,
    Workers,
    then,
    with_options,
    with_reading,
)
from cyclegan_lib.config import MIN_SLICES, FeatureSettings, SimulationSettings, Unlabelled
from cyclegan_lib.errors import InputError, printable


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
    then("run", "--name", "demo")


@with_reading
def extract(
    recordings: Annotated[
        Path,
        Argument(help="folder of recordings, searched with its subfolders; or 'PATTERN', as 'edge/**/*.wav'"),
    ],
    device: Annotated[str, Option(help="name of the device that recorded them")],
    output: Annotated[
        str,
        Option(
            metavar="<path>",
            help="feature set to write (.npz; beside it OUTPUT.report.csv), or a lake of Parquet files: a"
            " folder that ends in /, or a URL",
        ),
    ],
    labels: Annotated[Path | None, Option(help="CSV with a column `recording`")] = None,
    label_column: Annotated[str, Option(help="column of the labels")] = "fault",
    encoding: Annotated[str | None, Option(help="of the CSV, as gb18030; default: recognised")] = None,
    label_from_folder: Annotated[
        int | None, Option(metavar="N", help="the N-th folder's name is the label, see above")
    ] = None,
    unlabelled: Annotated[Unlabelled, Option(help="what becomes of recordings without a label")] = "error",
    sample_rate: Annotated[int, Option(help="rate in Hz to resample to")] = FeatureSettings().sample_rate,
    slices: Annotated[
        int,
        Option(
            min=MIN_SLICES, help="slices of a sequence, 5 a second; shorter recordings give one of theirs"
        ),
    ] = FeatureSettings().slices,
    recordings_list: Annotated[Path | None, Option(help="text file, a recording a line: only these")] = None,
    format: Annotated[
        Literal["npz", "parquet"] | None, Option(help="parquet: --output is a lake; default: by its name")
    ] = None,
    append: Annotated[bool, Option("--append", help="add to a lake the recordings that it lacks")] = False,
    scheduler: Annotated[
        str, Option(help="Dask scheduler whose workers make a lake; they must see the same files")
    ] = "",
    *,
    reading: dict[str, Any],
) -> None:
    """Turn recordings into a feature set: log mel energies, 50 slices of 40 features for each 10 s.

    A lake is a folder of Parquet files, for more recordings than fit in memory: the same command again goes
    on where it was interrupted, and recordings that cannot be read are rows of its report and nothing more.

    --label-from-folder counts from the folder given, or, negative, from the file:

    \b
      MAFAULDA                          1 is the first folder below it
        normal/12.288.csv               normal
        imbalance/6g/13.1072.csv        imbalance
        underhang/ball_fault/0g/…       underhang (2: ball_fault)
      MIMII                             -1 is the file's own folder
        fan/id_00/normal/00000000.wav   normal
        fan/id_00/abnormal/…            abnormal
    """
    from cyclegan_lib.features.extract import extract
    from cyclegan_lib.features.lake import below, device_folder, is_url
    from cyclegan_lib.features.lake_extraction import extract_lake

    to_lake = format == "parquet" or format is None and (output.endswith(("/", os.sep)) or is_url(output))
    only_lake = {"append": append, "scheduler": scheduler}
    if not to_lake and any(only_lake.values()):
        raise InputError(
            f"{output} is no lake, which --append and --scheduler are for; give a folder that ends in /"
        )
    channel, scale = reading.pop("channel"), reading.pop("scale")
    settings = _settings(channel, sample_rate=sample_rate, slices=slices, scale=1 if scale is None else scale)
    given = {"labels": labels, "label_column": label_column, "label_from_folder": label_from_folder}
    given |= {"unlabelled": unlabelled, "encoding": encoding, "recordings_list": recordings_list, **reading}
    if to_lake:
        del given["on_damaged"]  # a damaged recording is a row of the report
        report = extract_lake(recordings, device, settings, output, **given, **only_lake)
        output = below(output, device_folder(device))
    else:
        _, report = extract(recordings, device, settings, output=Path(output), **given)
    print(f"{report}\n{printable(f'feature set: {output}')}")
    then("train", "--domain-a", output, "--domain-b", "B.npz")


def split(
    features: Annotated[Path, Argument(metavar="SET", help=FEATURE_SET)],
    output_dir: Annotated[Path, Option(help="folder for SET_train.npz and SET_test.npz")],
    by: Annotated[
        str, Option(metavar="recording|COLUMN", help="what stays together: a recording, or a condition")
    ] = "recording",
    test: Annotated[float, Option(help="part of the recordings to test on, above 0 and below 1")] = 0.25,
    labels: Annotated[Path | None, Option(help="CSV with a column `recording` and the conditions")] = None,
    condition: Annotated[
        str | None, Option(metavar="COLUMN", help="with --by recording: say which of these are on both sides")
    ] = None,
    encoding: Annotated[str | None, Option(help="of the CSV, as gb18030; default: recognised")] = None,
    seed: Annotated[int, Option(min=0, help="which recordings are chosen")] = 0,
) -> None:
    """Split a feature set for training and test: whole recordings or conditions, the same part of each class.

    A model is to be tested on what it has not heard: with --by load --labels labels.csv, all recordings of
    one load (speed, machine, day: any column) are on one side. Copies of a recording stay with it.
    """
    from cyclegan_lib.features.splits import split_file

    split, *paths = split_file(features, output_dir, by, test, labels, condition, encoding, seed)
    print(f"{split}\n{printable(f'written to {paths[0]} and {paths[1]}')}")
    then("train", "--domain-a", paths[0], "--domain-b", "B_train.npz")


def check(
    a: Annotated[Path, Argument(help=FEATURE_SET + ", or folder of recordings, of device A")],
    b: Annotated[Path, Argument(help="the same of device B")],
    labels: Annotated[Path | None, Option(help="CSV with a column `recording`, for both")] = None,
    label_column: Annotated[str, Option(help="column of the labels")] = "fault",
    encoding: Annotated[str | None, Option(help="of the CSV, as gb18030; default: recognised")] = None,
    label_from_folder: Annotated[
        int | None, Option(metavar="N", help="the N-th folder's name is the label, as for `extract`")
    ] = None,
    sample_rate: Annotated[int, Option(help="rate in Hz to resample to")] = FeatureSettings().sample_rate,
    sample_rate_of_files: SampleRateOfFiles = None,
    channel: Annotated[str | None, Option(help=f"{CHANNEL}; default: mean of all")] = None,
) -> None:
    """Look at two devices' recordings side by side, before training: what they are, and will it work?"""
    from cyclegan_lib.features.comparison import compare_files

    settings = _settings(channel, sample_rate=sample_rate)
    options = (labels, label_column, label_from_folder, encoding)
    print(compare_files(a, b, settings, *options, rate_of_files=sample_rate_of_files))
    if a.is_dir():
        then("extract", a, "--device", "A", "--output", "A.npz")
    else:
        then("train", "--domain-a", a, "--domain-b", "B.npz" if b.is_dir() else b)


def _settings(channel: str | None, **values: Any) -> FeatureSettings:
    """Settings of the command line, where a channel that is a number is not a name."""
    return FeatureSettings.checked("the command line", channel=channel, **values)
