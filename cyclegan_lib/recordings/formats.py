"""The formats of recordings, and which reader each has."""

from collections.abc import Callable
from pathlib import Path

from cyclegan_lib.recordings import sound_file, table
from cyclegan_lib.recordings.arrays import NpyFile, NpzFile
from cyclegan_lib.recordings.matlab import MatFile
from cyclegan_lib.recordings.parquet import ParquetFile
from cyclegan_lib.recordings.recording import Recording

RECORDINGS_REMEDY = "give a folder of recordings"
# To add a format, write its reader into a file beside sound_file.py, and name it here.
FORMATS: dict[str, Callable[[Path], Recording]] = {
    **dict.fromkeys(sound_file.SUFFIXES, sound_file.SoundFile),
    ".mat": MatFile,
    ".npy": NpyFile,
    ".npz": NpzFile,
    ".parquet": ParquetFile,
    **dict.fromkeys(table.SUFFIXES, table.TextColumns),
}
SUFFIXES = tuple(FORMATS)
ONLY_RECORDINGS = tuple(suffix for suffix in SUFFIXES if suffix not in (".npy", ".npz"))  # not features


def reader_of(path: Path) -> Callable[[Path], Recording]:
    """The reader of a file: by its suffix, or by whether it begins with columns of numbers."""
    known = FORMATS.get(path.suffix.lower())
    return known or (table.TextColumns if table.is_table(path) else sound_file.SoundFile)
