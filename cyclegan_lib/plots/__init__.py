"""Every figure: one function each, data in, matplotlib Figure out."""

from cyclegan_lib.plots.benchmark import benchmark, checkpoints, pairs_curve
from cyclegan_lib.plots.recordings import distributions, embedding, feature_panels, recordings, spectra
from cyclegan_lib.plots.reliability import reliability
from cyclegan_lib.plots.runs import comparison, curves, through_models
from cyclegan_lib.plots.training import file_sizes, training_curves
from cyclegan_lib.plots.translation import TranslationFigure, change, rows, translation

__all__ = [
    "TranslationFigure",
    "benchmark",
    "change",
    "checkpoints",
    "comparison",
    "curves",
    "distributions",
    "embedding",
    "feature_panels",
    "file_sizes",
    "pairs_curve",
    "recordings",
    "reliability",
    "rows",
    "spectra",
    "through_models",
    "training_curves",
    "translation",
]
