"""The sound that features were extracted from, to be heard."""

from contextlib import closing
from pathlib import Path

import numpy as np

from cyclegan_lib.errors import InputError
from cyclegan_lib.features.feature_set import FeatureSet
from cyclegan_lib.features.log_mel import log_mel_slices
from cyclegan_lib.recordings.finding import find_recordings, recording_name
from cyclegan_lib.recordings.reading import Reading, RecordingStream

SAME_DB = 0.5  # features of one sound are nearer in half of their numbers, wherever the reading began


class Sounds:
    """The sound of each sequence of a set, as far as the folder of its recordings still holds it.

    Files are read as `features.settings` say, those that do not state their rate at `rate_of_files` Hz. What
    is missing there, cannot be read, or gives other features than the set's, has no sound.
    """

    def __init__(self, features: FeatureSet, folder: str | Path, rate_of_files: int | None = None) -> None:
        self.features, self.rate_of_files, folder = features, rate_of_files, Path(folder)
        try:
            self.paths = {recording_name(path, folder): path for path in find_recordings(folder)}
        except InputError:
            self.paths = {}

    def sequence(self, row: int) -> np.ndarray | None:
        """The sound of sequence `row`, float32 (samples,) at ``features.settings.sample_rate``; or None."""
        path, settings = self.paths.get(str(self.features.recording[row])), self.features.settings
        if path is None or settings is None:
            return None
        features, rate = self.features.sequence(row), settings.sample_rate
        begin = round(float(self.features.start_s[row]) * rate)
        end = begin + round(len(features) * settings.slice_hop_s * rate)
        reading = Reading(settings.channel, self.rate_of_files, settings.scale)
        try:
            sound = _part(RecordingStream(path, rate, reading), begin, end)
        except InputError:
            return None
        again, *_ = log_mel_slices(sound, settings)  # (sequences, slices, 40)
        same = again.shape[:2] == (1, len(features)) and np.median(np.abs(again[0] - features)) < SAME_DB
        return sound if same else None


def _part(stream: RecordingStream, begin: int, end: int) -> np.ndarray:
    """The samples from `begin` to `end` of a recording, which is read no further."""
    parts, passed = [np.empty(0, np.float32)], 0
    with closing(stream.blocks()) as blocks:
        for block in blocks:
            parts.append(block[max(0, begin - passed) : max(0, end - passed)])
            passed += len(block)
            if passed >= end:
                break
    return np.concatenate(parts)
