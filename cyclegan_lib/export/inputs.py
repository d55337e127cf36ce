"""What is to be translated, a file or recordings, read in parts that fit in memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from cyclegan_lib.config import N_FEATURES, FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.extract import SoundFiles
from cyclegan_lib.features.extraction_report import ExtractionReport, report_path
from cyclegan_lib.features.feature_set import FeatureStream, regrouped
from cyclegan_lib.features.lake import is_lake
from cyclegan_lib.files import writable_file
from cyclegan_lib.recordings.formats import ONLY_RECORDINGS

if TYPE_CHECKING:
    from cyclegan_lib.export.translator import Translator

PART_BYTES = 8_000_000  # float32 features of a file in memory at a time: 1,000 sequences
GIVE_INPUT = "give a feature set written by `cyclegan extract`, or a folder of recordings"
OF_RECORDINGS = ("channel", "scale", "rate_of_files", "split_every")  # what cannot be done to a set


class Opened(NamedTuple):
    """Recordings that are being read."""

    parts: Iterator[FeatureSet]
    rows: int | None  # sequences in all, where it is known
    report: ExtractionReport | None = None  # what became of the recordings; None for a feature set


@contextmanager
def opening(
    translator: "Translator",
    source: str | Path,
    outputs: Sequence[Path | None],
    progress: bool = True,
    **reading: Any,
) -> Iterator[Opened]:
    """Read a file, or a folder of recordings, in parts of the source device that fit in memory.

    `source` and `reading` are those of `translate_file`, the first of `outputs` is what is made of them:
    beside it ``<output>.report.csv`` says at the end what became of recordings. Raises InputError if the
    source cannot be used, or an output is one of the recordings.
    """
    output, *others = (Path(path) for path in outputs if path is not None)
    if is_lake(source) or not (source.is_dir() or source.suffix.lower() in ONLY_RECORDINGS):
        if any(reading.get(name) is not None for name in OF_RECORDINGS):
            raise InputError(
                f"{source} is a feature set: how its recordings are read is decided; leave out"
                " --channel, --scale, --sample-rate-of-files and --split-every"
            )
        stream = FeatureStream(source, least=1, remedy=GIVE_INPUT)
        yield Opened(_checked(translator, stream, progress), len(stream))
        return
    became = report_path(output)  # of the recordings
    if became in others:
        raise InputError(f"{became} says what became of the recordings; give another --report")
    recordings = sound_files(translator, source, **reading)
    for written in (output, *others, became):
        writable_file(written, *recordings.paths)
    size = _part_size(translator, recordings.settings.slices)
    try:
        sliced = recordings.sliced(translator.source, progress, translator.title)
        yield Opened(regrouped(sliced, size), None, recordings.report)
    finally:  # whatever happens
        recordings.report.save(became)


def _checked(translator: "Translator", stream: FeatureStream, progress: bool) -> Iterator[FeatureSet]:
    with tqdm(total=len(stream), desc=translator.title, unit="sequence", disable=not progress) as bar:
        for part in stream.parts(_part_size(translator, stream.slices)):
            translator.check(part)
            yield part
            bar.update(len(part))


def _part_size(translator: "Translator", slices: int) -> int:
    """How many sequences of a file are in memory at a time: whole chunks, as for all at once."""
    chunk = translator.chunk(slices)
    return max(1, PART_BYTES // (4 * N_FEATURES * slices * chunk)) * chunk


def sound_files(
    translator: "Translator",
    source: Path,
    channel: int | str | None = None,
    scale: float | None = None,
    **reading: Any,
) -> SoundFiles:
    """Recordings of the source device, to be read as the model's training recordings were."""
    if translator.settings is None:
        raise InputError(
            f"{source} holds sound, but the model was trained on features without settings, and cannot"
            " say how to extract them; run `cyclegan extract` and give the feature set that it writes"
        )
    given = {"channel": channel, "scale": scale}
    given = {name: value for name, value in given.items() if value is not None}
    settings = FeatureSettings.checked("the command line", **translator.settings.model_dump() | given)
    remedy = f"the model needs recordings made at {settings.sample_rate} Hz or more"
    recordings = SoundFiles(source, settings, low_rate=remedy, **reading)
    several = sum((file.channels or 1) > 1 for file in recordings.report.files)
    if several and channel is None and settings.channel is not None:
        recordings.report.remarks.append(
            f"channel {settings.channel} was read, as in training, of {several} recordings with several"
        )
    return recordings
