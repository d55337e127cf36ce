"""What a translation is worth, on a pair whose truth is known."""

import numpy as np

from cyclegan_lib.benchmark.device_pair import DevicePair
from cyclegan_lib.evaluation.distances import nmse
from cyclegan_lib.evaluation.halvings import distances_over_halvings, halvings
from cyclegan_lib.faults.models import FaultModels, fault_measures
from cyclegan_lib.features import Normalizer


class Judge:
    """Measures every method of one pair alike.

    Everything that does not depend on the method is computed once: the fault classifiers trained on B, the
    accuracies without translation and on B itself, and the halvings of the test recordings. The seed is that
    of the classifiers, the halvings and the projections.
    """

    def __init__(self, pair: DevicePair, seed: int) -> None:
        self.pair, self.seed = pair, seed
        self._classifier = FaultModels(seed).fit(pair.train_b)
        self._untranslated = self._classifier.accuracy(pair.test_a)
        self._real = self._classifier.accuracy(pair.test_b)
        self._normalizer = Normalizer.fit(pair.train_b.features, pair.train_b.features, mode="per-domain")
        self._halves = list(halvings(pair.test_a.recording, pair.test_b.recording, seed))

    def measure(self, features: np.ndarray) -> dict[str, float | None]:
        """Measure a translation of `test_a`, (sequences, slices, 40), dB, row by row.

        Distances are those of `cyclegan_lib.evaluation.halvings`: one half of the translated recordings
        against the *other* half of B's, in the z-scores of B's training recordings, mean over the halvings.
        B's own recordings are measured the same way, half against half, and so are the null. A recovery is
        None where next to nothing was lost.

        Raises InputError if the features have another shape than the truth, or hold NaN.
        """
        translated = self.pair.test_a.with_features(features, self.pair.test_b.device)
        values: dict[str, float | None] = {"nmse": nmse(translated.features, self.pair.test_b.features)}
        accuracy = self._classifier.accuracy(translated)
        values |= fault_measures(accuracy, self._untranslated, self._real)
        # both devices heard the same recordings, so that the null's halves are everyone's halves
        (distances,) = distances_over_halvings(
            {"": translated}, self.pair.test_b, self._normalizer, self._halves, self.seed, progress=False
        ).values()
        for name, each in distances.items():
            values[name] = float(np.mean(each)) if each else None
        return values
