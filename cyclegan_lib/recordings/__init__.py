"""Sound from outside: recordings found, checked and read."""

from cyclegan_lib.recordings.finding import find_recordings, recording_name
from cyclegan_lib.recordings.reading import Reading, RecordingStream, read_recording

__all__ = ["Reading", "RecordingStream", "find_recordings", "read_recording", "recording_name"]
