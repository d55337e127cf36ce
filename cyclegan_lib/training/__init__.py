"""Training: unpaired batches, the fit, and the choice of the checkpoint."""

from cyclegan_lib.training.criterion import held_out_distance
from cyclegan_lib.training.domains import Domains, load_domains

__all__ = ["Domains", "TrainingRun", "held_out_distance", "load_domains", "train"]


def __getattr__(name: str) -> object:
    # Lightning takes seconds to import: only who trains waits for it.
    if name in ("train", "TrainingRun"):
        from cyclegan_lib.training import fit

        return getattr(fit, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
