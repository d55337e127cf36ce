"""What a training run ends with, in words: is its map better than a mean shift, and what to do if not."""

from dataclasses import dataclass

MATCHED, SHIFT, AFFINE = "matched linear maps", "mean shift", "per-feature affine"


@dataclass(frozen=True)
class Evidence:
    """What is known of A → B when training starts, without pairs and without labels of A."""

    start: str  # matched linear maps, or a mean shift or affine map that was nearer on every fold
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
