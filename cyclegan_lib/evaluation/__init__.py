"""Distances between devices, baselines, downstream recovery, and the table of them all.

`evaluate` is imported when it is first asked for, because torch, POT and scikit-learn take seconds to import.
"""

from collections.abc import Callable

__all__ = ["evaluate"]


def __getattr__(name: str) -> Callable:
    if name == "evaluate":
        from cyclegan_lib.evaluation.table import evaluate

        return evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
