"""From a checkpoint to files that stand alone, and back to use: exporting, inspecting, translating."""

from cyclegan_lib.checkpoint.inspection import inspect_checkpoint
from cyclegan_lib.export.card import add_evaluation, check_translated
from cyclegan_lib.export.exporter import export, saved_part, size_table
from cyclegan_lib.export.translator import Translator

__all__ = [
    "Translator",
    "add_evaluation",
    "check_translated",
    "export",
    "inspect_checkpoint",
    "saved_part",
    "size_table",
]
