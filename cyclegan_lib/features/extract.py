"""Recordings to a feature set: find, read, slice, label."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cyclegan_lib.config import FeatureSettings, Unlabelled
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.features.feature_set import FeatureSet
from cyclegan_lib.features.labels import labels_for
from cyclegan_lib.features.log_mel import log_mel_slices
from cyclegan_lib.files import not_an_input, writable_npz
from cyclegan_lib.recordings.finding import find_recordings, recording_name
from cyclegan_lib.recordings.reading import check_rate, read_header, read_recording

OFFSET_S = 0.04  # a fifth of the time from one slice to the next


@dataclass
class ExtractionReport:
    """What became of the recordings."""

    needed_s: float  # the shortest recording that gives a sequence
    recordings: int = 0  # that gave at least one sequence
    sequences: int = 0
    too_short: tuple[str, ...] = ()  # names of those too short for one sequence, which were skipped
    left_over_s: float = 0.0  # after the last whole sequence, of all recordings that were not skipped
    sound_s: float = 0.0  # all sound that was read
    remarks: list[str] = field(default_factory=list)  # on the labels, a line each

    def __str__(self) -> str:
        text = f"{_count(self.sequences, 'sequence')} from {_count(self.recordings, 'recording')}"
        text += f"; {self.left_over_s:.1f} s of {self.sound_s:.1f} s left over at their ends"
        if self.too_short:
            named = ", ".join(self.too_short[:5]) + (", ..." if len(self.too_short) > 5 else "")
            skipped = _count(len(self.too_short), "recording")
            text += f"; skipped {skipped} shorter than {self.needed_s:g} s: {named}"
        return "\n".join([text, *self.remarks])


class SoundFiles:
    """The recordings of one device, found and checked, to be sliced one at a time.

    Parameters are those of `extract`. `paths` and `names` are in the order of reading; `report` says what
    became of the recordings, once all are sliced. Raises InputError if there are none, or the header of one
    says that it cannot be used.
    """

    def __init__(
        self,
        source: Path,
        settings: FeatureSettings,
        recordings_list: Path | None = None,
        channel: int | None = None,
    ) -> None:
        self.source, self.settings, self.channel = Path(source), settings, channel
        self.paths = find_recordings(self.source, recordings_list)
        self.names = [recording_name(path, self.source) for path in self.paths]
        # unusable files are refused before any work; the lowest rate is named: asking for it is enough
        rates = {path: read_header(path, channel).sample_rate for path in self.paths}
        lowest = min(rates, key=lambda path: rates[path])
        check_rate(lowest, rates[lowest], settings.sample_rate)
        self.report = ExtractionReport(settings.needed_s)

    def keep(self, names: Container[str]) -> None:
        """Leave all others out."""
        kept = [i for i, name in enumerate(self.names) if name in names]
        self.paths, self.names = [self.paths[i] for i in kept], [self.names[i] for i in kept]

    def sliced(self, title: str, progress: bool = True) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Read and slice one recording after another, with a progress bar called `title`.

        Yields the recording's name; its features, (sequences, slices, 40) float32 in dB; and where each of
        them starts, (sequences,) float64 in seconds. Those too short for one sequence are left out, and named
        in the report. Raises InputError if a recording is damaged, or none is long enough.
        """
        report = self.report
        for path, name in zip(
            tqdm(self.paths, desc=title, unit="recording", disable=not progress), self.names, strict=True
        ):
            sound = read_recording(path, self.settings.sample_rate, self.channel)  # (samples,)
            features, start_s, rest = log_mel_slices(sound, self.settings)  # (n, slices, 40), (n,)
            report.sound_s += len(sound) / self.settings.sample_rate
            if len(features):
                report.recordings += 1
                report.sequences += len(features)
                report.left_over_s += rest
                yield name, features, start_s
            else:
                report.too_short += (name,)
        if not report.sequences:
            raise InputError(
                f"{self.source} holds no recording of at least {self.settings.needed_s:g} s, which one"
                " sequence needs; give longer recordings"
            )


def extract(
    source: Path,
    device: str,
    settings: FeatureSettings,
    labels: Path | None = None,
    label_column: str = "fault",
    recordings_list: Path | None = None,
    channel: int | None = None,
    progress: bool = True,
    output: Path | None = None,
    label_from_folder: int | None = None,
    unlabelled: Unlabelled = "error",
    encoding: str | None = None,
) -> tuple[FeatureSet, ExtractionReport]:
    """Extract the features of all recordings that one device made.

    ``cyclegan extract RECORDINGS --device NAME --output FILE.npz`` runs this. `source` is a folder of WAV or
    FLAC files, searched with its subfolders, or one such file; `recordings_list` is a text file that names
    those to read (see `find_recordings`). They are resampled to ``settings.sample_rate``; none may have a
    lower rate of its own. `channel` counts from 1; without it, the mean of all channels is taken. `labels` is
    a CSV file with a column ``recording`` and one named `label_column`, in `encoding` if that is not to be
    recognised; or `label_from_folder` says which folder's name is the label, and `unlabelled` what becomes of
    recordings without one (see `labels_for`). The set keeps the name of the `device`; it is saved to
    `output`, ending in .npz, if that is given.

    Raises InputError if anything given cannot be used, or the output is an input: one sentence with the file
    and the remedy. Files' headers and labels are all checked before the first recording is read.
    """
    if not device.strip():
        raise InputError("the device has no name; give --device with the name of the recording device")
    if printable(device) != device:
        raise InputError(f"the device's name must be one line of text, not {shown(device)}; give another")
    if output is not None:
        writable_npz(output, labels, recordings_list)
    recordings = SoundFiles(source, settings, recordings_list, channel)
    if output is not None:
        not_an_input(output, *recordings.paths)
    found = labels_for(
        recordings.names, Path(source), labels, label_column, label_from_folder, unlabelled, encoding
    )
    if found is not None:
        recordings.keep(found.of)
        recordings.report.remarks += found.remarks
    features, recording, start_s = [], [], []
    for name, sequences, starts in recordings.sliced(device, progress):
        features.append(sequences)
        start_s.append(starts)
        recording += [name] * len(sequences)
    feature_set = FeatureSet(
        features=np.concatenate(features),  # (sequences, slices, 40)
        recording=np.array(recording),
        start_s=np.concatenate(start_s),
        device=device,
        settings=settings,
        label=None if found is None else np.array([found.of[name] for name in recording]),
    )
    if output is not None:
        feature_set.save(output)
    return feature_set, recordings.report


def slice_recording(
    sound: np.ndarray, settings: FeatureSettings, offsets: int = 1
) -> tuple[np.ndarray, np.ndarray, float]:
    """Slice one recording from its start, and again from each of `offsets` - 1 later starts, 0.04 s apart.

    Later starts give sequences of the same sound that resemble the first without being equal: more to
    train on. Those for which the recording is too short are left out. Returns what `log_mel_slices` does;
    left over is what the sequences from the first start leave.
    """
    first = [round(offset * OFFSET_S * settings.sample_rate) for offset in range(offsets)]  # samples
    features, starts, left_over_s = zip(*(log_mel_slices(sound[k:], settings) for k in first), strict=True)
    start_s = [start + offset * OFFSET_S for offset, start in enumerate(starts)]
    return np.concatenate(features), np.concatenate(start_s), left_over_s[0]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
