"""From a checkpoint to files that stand alone, and back to use: exporting, inspecting, translating."""

from cyclegan_lib.export.exporter import ExportedFile, export, saved_part
from cyclegan_lib.export.inspection import inspect_checkpoint
from cyclegan_lib.export.translator import Translator

__all__ = ["ExportedFile", "Translator", "export", "inspect_checkpoint", "saved_part"]
