"""Distances between devices, baselines, downstream recovery, and the table of them all."""

from cyclegan_lib.evaluation.baselines import (
    BASELINES,
    Affine,
    Baseline,
    Coral,
    GaussianOT,
    Identity,
    QuantileMapping,
)
from cyclegan_lib.evaluation.distances import (
    frechet_distance,
    gaussian_frechet,
    mmd2,
    nmse,
    sliced_wasserstein,
)
from cyclegan_lib.evaluation.downstream import FaultClassifier, mean_and_std, recovery
from cyclegan_lib.evaluation.report import Evaluation, Row
from cyclegan_lib.evaluation.table import evaluate
from cyclegan_lib.evaluation.two_sample import classifier_two_sample_test

__all__ = [
    "BASELINES",
    "Affine",
    "Baseline",
    "Coral",
    "Evaluation",
    "FaultClassifier",
    "GaussianOT",
    "Identity",
    "QuantileMapping",
    "Row",
    "classifier_two_sample_test",
    "evaluate",
    "frechet_distance",
    "gaussian_frechet",
    "mean_and_std",
    "mmd2",
    "nmse",
    "recovery",
    "sliced_wasserstein",
]
