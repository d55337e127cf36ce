"""What the translation is for: fault classifiers of recordings, and what they recover by it."""

from typing import Self

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from cyclegan_lib.config import N_FEATURES
from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.features import FeatureSet

# below this difference in accuracy there is nothing to recover: one or two of 80 recordings
MIN_LOSS = 0.02
N_STATISTICS = 2 * N_FEATURES  # of a sequence


def mean_and_std(features: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation over the slices: (sequences, slices, 40) -> (sequences, 80), dB."""
    features = np.asarray(features, dtype=np.float64)
    return np.concatenate([features.mean(axis=1), features.std(axis=1)], axis=1)


class FaultModels:
    """Two classifiers of a sequence's statistics, of different kinds.

    What the translation recovers should not hang on one of them: a random forest looks at thresholds of
    single features, logistic regression at weighted sums. The same seed and training set give the same
    classifiers.
    """

    def __init__(self, seed: int = 0) -> None:
        self.models: dict[str, RandomForestClassifier | Pipeline] = {
            "forest": RandomForestClassifier(300, random_state=seed, n_jobs=1),
            "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, random_state=seed)),
        }

    def fit(self, labelled: FeatureSet) -> Self:
        """Fit both on the target's training set, but for sequences without a label.

        Raises InputError if none has a label, or there is one class only.
        """
        labelled = with_labels(labelled)
        check_classes(labelled, {}, "the labelled set")
        statistics = statistics_of(labelled)  # (sequences, 80)
        for model in self.models.values():
            model.fit(statistics, labelled.label)
        return self

    @property
    def classes(self) -> list[str]:
        """In the order of the columns of `probabilities`."""
        return [str(label) for label in self.models["forest"].classes_]

    def probabilities(self, feature_set: FeatureSet) -> dict[str, np.ndarray]:
        """Return the probability of each class, (sequences, classes), under "forest" and "logistic"."""
        statistics = statistics_of(feature_set)  # (sequences, 80)
        return {name: model.predict_proba(statistics) for name, model in self.models.items()}

    def accuracy(self, feature_set: FeatureSet) -> dict[str, float]:
        """Return the part of the labelled sequences classified rightly, under "forest" and "logistic".

        Those without a label are left out. Raises InputError if none has one.
        """
        feature_set = with_labels(feature_set)
        statistics = statistics_of(feature_set)  # (sequences, 80)
        return {
            name: float(np.mean(model.predict(statistics) == feature_set.label))
            for name, model in self.models.items()
        }


def statistics_of(feature_set: FeatureSet) -> np.ndarray:
    """Mean and deviation of each sequence, whatever its length, (sequences, 80)."""
    statistics = np.empty((len(feature_set), 2 * feature_set.features.shape[2]))
    for index, features in feature_set.by_length():
        statistics[index] = mean_and_std(features)
    return statistics


def check_classes(labelled: FeatureSet, others: dict[str, FeatureSet], title: str) -> None:
    """Raise InputError if no classifier can be learned from `labelled`, or others, by title, have classes of
    their own: no answer could be right there.
    """
    classes = labelled.classes
    if len(classes) == 1:
        raise InputError(f"{title} has only the class '{classes[0]}'; a classifier needs at least 2")
    for name, other in others.items():
        unknown = [label for label in other.classes if label not in classes]
        twins = [(x, known) for x in unknown for known in classes if _spelling(x) == _spelling(known)]
        if unknown:
            meant = " (is {1!r} meant with {0!r}?)".format(*twins[0]) if twins else ""
            raise InputError(
                f"{name} has the classes {shown(unknown)}, which {title} does not know: it has"
                f" {shown(classes)}{meant}; spell them alike, or leave out what has another class"
            )


def _spelling(label: str) -> str:
    """What labels have in common that are spelled in two ways: NORMAL and normal, 0 and 0.0."""
    try:
        return str(float(label))
    except ValueError:
        return " ".join(label.casefold().split())


def recordings_per_class(labelled: FeatureSet) -> dict[str, int]:
    """How many recordings each class has."""
    return {label: len(np.unique(labelled.recording[labelled.label == label])) for label in labelled.classes}


def with_labels(feature_set: FeatureSet) -> FeatureSet:
    """Those of its sequences that have a label; raises InputError if none has."""
    known = feature_set.labelled
    if not known.any():  # compared with nothing, every answer would be wrong: an accuracy of 0
        raise InputError(f"the set of {feature_set.device} has no labels; extract it again with --labels")
    return feature_set.select(known)


def fault_measures(
    translated: dict[str, float], untranslated: dict[str, float], real: dict[str, float] | None
) -> dict[str, float | None]:
    """A row's accuracies, and its recoveries where there are accuracies of real recordings, by measure."""
    values: dict[str, float | None] = {f"accuracy_{model}": value for model, value in translated.items()}
    for model, value in translated.items() if real is not None else ():
        values[f"recovery_{model}"] = recovery(value, untranslated[model], real[model])
    return values


def recovery(translated: float, untranslated: float, real: float) -> float | None:
    """Return which part of the accuracy lost to the device comes back by translating.

    (translated − untranslated) / (real − untranslated): 0 as bad as without translation, 1 as good as the
    target's own recordings, below 0 worse than doing nothing. These are accuracies of one classifier, trained
    on the target, on the translated source, on the source as it is, and on recordings of the target itself.
    None where real is not above untranslated by more than 0.02: nothing was lost, or so little that the ratio
    would be noise.
    """
    lost = real - untranslated
    # 1e-9: 0.92 − 0.90 is a rounding error above 0.02
    return None if lost <= MIN_LOSS + 1e-9 else (translated - untranslated) / lost
