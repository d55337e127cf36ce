"""Recordings to a feature set: find, read, slice, label."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_lib.config import FeatureSettings, Unlabelled
from cyclegan_lib.errors import InputError, printable, shown
from cyclegan_lib.features.extraction_report import ExtractionReport, report_path
from cyclegan_lib.features.feature_set import FeatureSet, joined
from cyclegan_lib.features.labels import labels_for
from cyclegan_lib.features.log_mel import log_mel_slices
from cyclegan_lib.features.sound_files import SoundFiles
from cyclegan_lib.files import not_an_input, writable_file, writable_npz

OFFSET_S = 0.04  # a fifth of the time from one slice to the next

__all__ = ["ExtractionReport", "SoundFiles", "extract", "slice_recording"]


def extract(
    source: Path,
    device: str,
    settings: FeatureSettings,
    labels: Path | None = None,
    label_column: str = "fault",
    recordings_list: Path | None = None,
    progress: bool = True,
    output: Path | None = None,
    label_from_folder: int | None = None,
    unlabelled: Unlabelled = "error",
    encoding: str | None = None,
    **reading: Any,
) -> tuple[FeatureSet, ExtractionReport]:
    """Extract the features of all recordings that one device made.

    ``cyclegan extract RECORDINGS --device NAME --output FILE.npz`` runs this. `source` is a folder of
    recordings, searched with its subfolders, or one recording; `recordings_list` is a text file that names
    those to read (see `find_recordings`). They are resampled to ``settings.sample_rate``; none may have a
    lower rate of its own. `labels` is a CSV file with a column ``recording`` and one named `label_column`, in
    `encoding` if that is not to be recognised; or `label_from_folder` says which folder's name is the label,
    and `unlabelled` what becomes of recordings without one (see `labels_for`). `reading` are the other
    options of `SoundFiles`. The set keeps the name of the `device`; it is saved to `output`, ending in .npz,
    if that is given, and beside it, in ``<output>.report.csv``, what became of every file, whether the
    extraction succeeds or not.

    Raises InputError if anything given cannot be used, or the output is an input: one sentence with the file
    and the remedy. Files' headers and labels are all checked before the first recording is read.
    """
    check_device(device)
    if output is not None:
        writable_npz(output, labels, recordings_list)
        writable_file(report_path(output), labels, recordings_list)
    recordings = SoundFiles(source, settings, recordings_list, **{"table": labels, **reading})
    if output is not None:
        not_an_input(output, *recordings.paths)
    labelled = labels_for(
        recordings.names, recordings.source, labels, label_column, label_from_folder, unlabelled, encoding
    )
    if labelled is not None:
        recordings.report.label(labelled.of, labelled.remarks)

    try:
        feature_set = joined(list(recordings.sliced(device, progress)))
    finally:
        if output is not None:
            recordings.report.save(report_path(output))
    names = feature_set.recording.tolist()
    feature_set = replace(
        feature_set,
        recording=np.array(names),  # as wide as those that are used
        label=labelled and np.array([labelled.of[recordings.file_of(name)] for name in names]),
        slices=None if (feature_set.lengths == settings.slices).all() else feature_set.slices,
    )
    if output is not None:
        feature_set.save(output)
    return feature_set, recordings.report


def check_device(device: str) -> None:
    """Raise InputError if a device cannot be called so."""
    if not device.strip():
        raise InputError("the device has no name; give --device with the name of the recording device")
    if printable(device) != device:
        raise InputError(f"the device's name must be one line of text, not {shown(device)}; give another")


def slice_recording(
    sound: np.ndarray, settings: FeatureSettings, offsets: int = 1
) -> tuple[np.ndarray, np.ndarray, float]:
    """Slice one recording from its start, and again from each of `offsets` - 1 later starts, 0.04 s apart.

    Later starts give sequences of the same sound that resemble the first without being equal: more to
    train on. Those for which the recording is too short to give sequences as long are left out. Returns what
    `log_mel_slices` does; left over is what the sequences from the first start leave.
    """
    first = [round(offset * OFFSET_S * settings.sample_rate) for offset in range(offsets)]  # samples
    features, starts, left_over_s = zip(*(log_mel_slices(sound[k:], settings) for k in first), strict=True)
    start_s = [start + offset * OFFSET_S for offset, start in enumerate(starts)]
    long = [k for k, later in enumerate(features) if later.shape[1] == features[0].shape[1]]
    return (
        np.concatenate([features[k] for k in long]),
        np.concatenate([start_s[k] for k in long]),
        left_over_s[0],
    )
