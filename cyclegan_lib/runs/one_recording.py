"""The same recording through the model of each run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cyclegan_lib import plots
from cyclegan_lib.config import RECORD, FeatureSettings
from cyclegan_lib.errors import InputError, shown
from cyclegan_lib.export.manifest import Manifest
from cyclegan_lib.export.translator import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.pairs import same_moment
from cyclegan_lib.runs.record import Record
from cyclegan_lib.workspace import Workspace

MAX_MODELS = 8  # more do not fit a page


@dataclass(frozen=True)
class OneRecording:
    """A sequence of a test recording, translated by several models."""

    name: str  # of the recording
    devices: tuple[str, str]  # source and target
    settings: FeatureSettings
    recorded: np.ndarray  # (slices, 40) dB
    truth: np.ndarray | None  # the same moment as the target recorded it, where it did
    translated: dict[str, np.ndarray]  # by run

    @classmethod
    def of(cls, runs: Mapping[str, Path], recording: str = "") -> "OneRecording | None":
        """Translate a test recording of the first run that has one through the models of the first 8 runs.

        `runs` are folders by name; `recording` is the name of the recording, of which the first sequence is
        taken, "" the first one. Models of features that were extracted otherwise are left out; None where
        nothing can be translated. Raises InputError if no test set holds `recording`.
        """
        source, target = next(filter(None, map(_test_sets, runs.values())), (None, None))
        if source is None:
            return None
        rows = np.flatnonzero(source.recording == recording) if recording else np.arange(len(source))
        if not len(rows):
            some = ", ".join(dict.fromkeys(source.recording[:3]))
            raise InputError(
                f"no test recording of {source.device} is called {shown(recording)}; there are {some}, …"
            )
        recorded = source.sequence(rows[0])
        translated = {}
        for run, folder in runs.items():
            try:
                translator = Translator.load(Workspace(folder, folder).exported_models, "AB")
            except InputError:  # it was not exported, or is damaged: there is nothing to be shown of it
                continue
            if translator.settings == source.settings and len(translated) < MAX_MODELS:
                translated[run] = translator.translate(recorded[None])[0]
        moment = None if target is None else same_moment(source, target, rows[0])
        truth = None if moment is None else target.sequence(moment)
        if truth is not None:  # of the moment, as much as both have
            length = min(len(recorded), len(truth))
            recorded, truth = recorded[:length], truth[:length]
            translated = {run: x[:length] for run, x in translated.items()}
        devices = (source.device, target.device if target else "the target")
        name, settings = str(source.recording[rows[0]]), source.settings or FeatureSettings()
        return cls(name, devices, settings, recorded, truth, translated) if translated else None

    def draw(self) -> Figure:
        """All of it on one scale."""
        names = (f"{self.name}: {self.devices[0]}", self.devices[1])
        return plots.through_models(self.recorded, self.translated, self.truth, names, self.settings)


def _test_sets(folder: Path) -> tuple[FeatureSet, FeatureSet | None] | None:
    """The test sets of a run, the target's where it can be read; None without the source's."""
    work = Workspace(folder / "data", folder)  # of notebooks by hand, which have no record
    try:
        if (folder / RECORD).exists():
            inputs = Record.load(folder).inputs
            a, b = (Path(inputs[name].path) for name in ("test_a", "test_b"))
        else:
            devices = Manifest.load(work.exported_models)
            a, b = (work.features(name, "test") for name in (devices.device_a, devices.device_b))
        source = FeatureSet.load(a)
    except (InputError, KeyError):
        return None
    try:
        return source, FeatureSet.load(b)
    except InputError:
        return source, None
