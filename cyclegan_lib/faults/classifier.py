"""A fault classifier for the recordings of device A, trained on labelled ones of device B, and its file."""

import json
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator, Field

from cyclegan_lib.archive import Archive, as_text
from cyclegan_lib.config import Settings
from cyclegan_lib.errors import InputError, count, listed
from cyclegan_lib.export import Translator
from cyclegan_lib.export.manifest import Manifest
from cyclegan_lib.faults.arrays import NAMES, Arrays, arrays_of, as_computed, probabilities, wrong_with
from cyclegan_lib.faults.expected import Expected, expected_accuracy, held_out_probabilities
from cyclegan_lib.faults.models import FaultModels, statistics_of, with_labels
from cyclegan_lib.faults.predictions import Predictions
from cyclegan_lib.faults.shares import estimated_shares
from cyclegan_lib.faults.ways import ALL_WAYS, RECOMMENDED, WAYS, trained_by, versions
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.fingerprints import fingerprint
from cyclegan_lib.files import existing_file, replacing, writable_npz

FORMAT = 1
FEW = 5  # recordings of a class from which on it is not said to have few
GIVE_SAVED = "give a file that `cyclegan classify --save` wrote"
TRAINING = ("about", "held_out", "label", "recording")  # arrays of a file besides those of the models


def _known(way: str) -> str:
    if way not in ALL_WAYS:
        raise ValueError(f"give one of {listed(ALL_WAYS)}")
    return way


class About(Settings):
    """What a classifier is, and what it was trained on."""

    format: int = Field(FORMAT, ge=1)
    way: Annotated[str, AfterValidator(_known)] = RECOMMENDED
    seed: int = Field(0, ge=0)
    classes: list[str] = []
    labelled: str = ""  # fingerprint of the labelled set
    translation: str = ""  # SHA-256 of what the exported model translates with


class FaultClassifier:
    """Forest and logistic regression trained on labelled recordings of device B, for recordings of device A.

    `way` is how the translation is used (`cyclegan_lib.faults.ways`): "augmented", "forward", "there and
    back", "reverse", or "vote" of the last two. A probability is the mean over forest and logistic
    regression, and over those that vote. The same seed and training set give the same classifier. Raises
    InputError for another way.
    """

    def __init__(self, way: str = RECOMMENDED, seed: int = 0) -> None:
        self.about = About.checked("the classifier", way=way, seed=seed)

    def fit(self, labelled: FeatureSet, model: str | Path) -> Self:
        """Train on the labelled sequences of B's set; `model` is a folder that `cyclegan export` wrote.

        Raises InputError if the model cannot be used or translates another device's recordings, or with fewer
        than two classes or no class of two recordings.
        """
        self._use(model)
        source, target = self.translator.source, self.translator.target
        if labelled.settings is not None and labelled.device == source:
            raise InputError(
                f"the labelled set was recorded by {source}; a classifier for {source} is trained"
                f" on labelled ones of {target}, give these"
            )
        Translator.load(model, "BA").check(labelled)
        known = with_labels(labelled)
        self.about = self.about.model_copy(
            update={
                "classes": known.classes,
                "labelled": fingerprint(known),
                "translation": Manifest.load(model).translation,
            }
        )
        self._models: dict[str, Arrays] = {}  # by the way of each that votes
        held_out = []
        back = Translator.load(model, "BA").translate_set
        trained_on = {"B": known, **versions(known, back, self.translator.translated, self.about.seed)}
        for way in self._ways:
            train = trained_on[WAYS[way][0]]
            self._models[way] = arrays_of(FaultModels(self.about.seed).fit(train))
            held_out += held_out_probabilities(train, self.about.seed).values()
        self._held_out = np.mean(held_out, axis=0)  # (n, classes)
        self._label = np.searchsorted(known.classes, train.label)  # (n,)
        self._recording = np.unique(train.recording, return_inverse=True)[1]  # (n,)
        return self

    def _use(self, model: str | Path) -> None:
        """Translate with an exported model from now on."""
        self.translator = Translator.load(model, "AB")

    @property
    def _ways(self) -> tuple[str, ...]:
        return trained_by(self.about.way)

    def predict(self, recordings: FeatureSet) -> Predictions:
        """The probability of each class, of each sequence of a set of A's recordings, as they were heard.

        Raises InputError if the set is of another device, or was extracted otherwise than the model's.
        """
        self.translator.check(recordings)
        needs = any(WAYS[way][1] == "AB" for way in self._ways)
        return self.answers(recordings, self.translator.translated(recordings) if needs else recordings)

    def answers(self, recordings: FeatureSet, translated: FeatureSet) -> Predictions:
        """The same of recordings that were checked and translated."""
        asked = {"A": recordings, "AB": translated}
        each = [
            probabilities(arrays, statistics_of(asked[WAYS[way][1]])) for way, arrays in self._models.items()
        ]
        return Predictions(self.about.classes, np.mean(each, axis=0), recordings.recording)

    @property
    def recordings(self) -> dict[str, int]:
        """How many labelled recordings of each class it was trained on."""
        return {
            label: len(np.unique(self._recording[self._label == i]))
            for i, label in enumerate(self.about.classes)
        }

    @property
    def shares(self) -> dict[str, float]:
        """The shares of the classes in the labelled set, counted in sequences."""
        return dict(zip(self.about.classes, self._prior.tolist(), strict=True))

    @property
    def _prior(self) -> np.ndarray:
        return np.bincount(self._label, minlength=len(self.about.classes)) / len(self._label)

    def estimated_shares(self, predictions: Predictions) -> dict[str, float]:
        """The same of what the predictions are of, estimated without labels (see `faults.shares`)."""
        found = estimated_shares(predictions.probabilities, self._prior)
        return dict(zip(self.about.classes, found.tolist(), strict=True))

    def expected_accuracy(self, predictions: Predictions) -> Expected:
        """The part of the predictions that is expected to be right (see `faults.expected`)."""
        right = self._held_out.argmax(axis=1) == self._label
        groups = (self._recording, predictions.recording)
        return expected_accuracy(
            self._held_out, right, predictions.probabilities, groups, seed=self.about.seed
        )

    def warnings(self) -> list[str]:
        """What must be said of the labelled set, in a sentence each."""
        few = [f"'{label}' {n}" for label, n in self.recordings.items() if n < FEW]
        if not few:
            return []
        return [
            f"fewer than {count(FEW, 'labelled recording')} of the class {listed(few)}: what the classifier"
            " says of it may rest on their accidents"
        ]

    def save(self, path: str | Path) -> Path:
        """Write an `.npz` of plain arrays, whole or not at all; raises InputError if it cannot be written."""
        path = writable_npz(path)
        arrays = {
            "about": np.str_(json.dumps(self.about.model_dump())),
            "held_out": self._held_out,
            "label": self._label,
            "recording": self._recording,
        }
        for voter, models in enumerate(self._models.values()):
            arrays |= {f"{name}_{voter}": array for name, array in models.items()}
        with replacing(path) as part, part.open("wb") as file:
            np.savez_compressed(file, **arrays)
        return path

    @classmethod
    def load(cls, path: str | Path, model: str | Path) -> Self:
        """Read what `save` wrote, to be used with the exported model that it was trained with.

        Raises InputError if the file is damaged or not such a file, or the model is another one.
        """
        archive = Archive(existing_file(path, GIVE_SAVED), TRAINING, GIVE_SAVED)
        path = archive.path
        loaded = cls()
        loaded.about = about = _about(archive)
        loaded._held_out, loaded._label, loaded._recording = archive.arrays(*TRAINING[1:])
        loaded._models = {
            way: dict(zip(NAMES, archive.arrays(*(f"{name}_{voter}" for name in NAMES)), strict=True))
            for voter, way in enumerate(loaded._ways)
        }
        classes = len(about.classes)
        wrong = [wrong for models in loaded._models.values() if (wrong := wrong_with(models, classes))]
        if wrong or not loaded._has_training_answers():
            raise InputError(
                f"{path} is damaged: {(wrong or ['its held-out answers cannot be'])[0]}; {GIVE_SAVED}"
            )
        if about.translation != Manifest.load(model).translation:
            raise InputError(
                f"{path} was trained with another model than {model}; give the exported folder that it was"
                " trained with, or train again with --train"
            )
        loaded._models = {way: as_computed(models) for way, models in loaded._models.items()}
        loaded._use(model)
        return loaded

    def _has_training_answers(self) -> bool:
        n, classes = len(self._label) if self._label.ndim else 0, len(self.about.classes)
        return (
            n > 0
            and self._held_out.shape == (n, classes)
            and self._held_out.dtype.kind == "f"
            and bool(((self._held_out >= 0) & (self._held_out <= 1)).all())
            and all(x.shape == (n,) and x.dtype.kind == "i" for x in (self._label, self._recording))
            and bool(((self._label >= 0) & (self._label < classes)).all())
        )


def _about(archive: Archive) -> About:
    """What the file says of itself."""
    damaged = f"{archive.path} does not say what it was trained on; {GIVE_SAVED}"
    (text,) = archive.arrays("about")
    if text.shape:
        raise InputError(damaged)
    try:
        values = json.loads(str(as_text(text, archive.path, "about")))
    except (ValueError, RecursionError) as error:
        raise InputError(damaged) from error
    if not isinstance(values, dict):
        raise InputError(damaged)
    if isinstance(found := values.get("format"), int) and found > FORMAT:
        raise InputError(f"{archive.path} was written by a newer version (format {found}); update this one")
    about = About.checked(str(archive.path), **values)
    if len(set(about.classes)) < max(2, len(about.classes)):
        raise InputError(damaged)
    return about
