"""Sound: two simulated devices that hear the same machines, reading recordings, log mel features."""

from cyclegan_lib.recordings.log_mel import log_mel_slices
from cyclegan_lib.recordings.machine import FAULTS
from cyclegan_lib.recordings.reading import find_recordings, read_recording, recording_name
from cyclegan_lib.recordings.simulate import simulate

__all__ = ["FAULTS", "find_recordings", "log_mel_slices", "read_recording", "recording_name", "simulate"]
