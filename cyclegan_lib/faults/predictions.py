"""What a classifier says of recordings."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Predictions:
    """The probability of each class, of some sequences or recordings."""

    classes: list[str]
    probabilities: np.ndarray  # (n, classes), each row sums to 1
    recording: np.ndarray  # (n,) text

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def fault(self) -> np.ndarray:
        """The likeliest class of each, (n,) text."""
        return np.array(self.classes)[self.probabilities.argmax(axis=1)]

    @property
    def probability(self) -> np.ndarray:
        """Its probability, (n,)."""
        return self.probabilities.max(axis=1)

    def of_recordings(self) -> "Predictions":
        """One row for each recording, the mean of its sequences, sorted by name."""
        names, place, number = np.unique(self.recording, return_inverse=True, return_counts=True)
        sums = np.zeros((len(names), len(self.classes)))
        np.add.at(sums, place, self.probabilities)
        return Predictions(self.classes, sums / number[:, None], names)

    def counts(self) -> dict[str, int]:
        """How many are of each class."""
        return {label: int((self.fault == label).sum()) for label in self.classes}
