"""Fault classifiers that work on the recordings of another device than they were trained for.

`FaultClassifier` is imported when it is first asked for, because scikit-learn takes a second to import.
"""

__all__ = ["FaultClassifier"]


def __getattr__(name: str) -> type:
    if name == "FaultClassifier":
        from cyclegan_lib.faults.classifier import FaultClassifier

        return FaultClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
