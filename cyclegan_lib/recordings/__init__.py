"""Sound from outside: recordings found, checked and read."""

from cyclegan_lib.recordings.reading import find_recordings, read_recording, recording_name

__all__ = ["find_recordings", "read_recording", "recording_name"]
