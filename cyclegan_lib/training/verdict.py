"""What a training run ends with, in words: is its map better than a mean shift, and what to do if not."""

from dataclasses import dataclass

MATCHED, SHIFT, AFFINE = "matched linear maps", "mean shift", "per-feature affine"
FEW = 50  # recordings of a device, below which training seldom improves on its start


@dataclass(frozen=True)
class Evidence:
    """What is known of A → B when training starts, without pairs and without labels of A."""

    start: str  # the map that was nearest to held-out recordings: matched, a mean shift or an affine map
    recordings: int  # of the device that has fewer
    # squared error on held-out matches less than the mean shift's, as a part of it; 95 % interval
    gained: float
    low: float
    high: float


def verdict(evidence: Evidence, best_epoch: int) -> str:
    """One sentence: better, no better, or too few recordings to say."""
    if best_epoch == 0 and evidence.start != MATCHED:
        kind = evidence.start if evidence.start == SHIFT else f"{evidence.start} map"
        return f"No better: the {kind} is used; neither matches nor training came nearer to the target."
    interval = (
        f"{evidence.gained:.0%} less squared error on held-out matches, 95 % interval {evidence.low:.0%} to"
        f" {evidence.high:.0%}"
    )
    if evidence.low > 0:
        return f"Better than a mean shift beyond doubt on held-out matches ({interval})."
    return (
        f"Too few recordings to say: {evidence.recordings} of a device do not show whether it is better than"
        f" a mean shift ({interval})."
    )


def untrained(evidence_recordings: int) -> str:
    """What a best epoch of 0 means."""
    few = f"; usual below some {FEW} recordings, and here are {evidence_recordings}"
    return (
        "best epoch 0: training did not improve on the linear start, and this is its map"
        f"{few if evidence_recordings < FEW else ''}; more recordings help most, then --max-epochs"
    )
