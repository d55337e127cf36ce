"""Distances between devices, baselines, downstream recovery, and the table of them all."""

from cyclegan_lib.evaluation.table import evaluate

__all__ = ["evaluate"]
