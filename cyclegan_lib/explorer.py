"""Look at single translations by hand: an ipywidgets explorer; a picture where nobody is there to click."""

import io
from functools import lru_cache
from html import escape
from pathlib import Path

import ipywidgets as widgets
import numpy as np
from IPython.core.getipython import get_ipython
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

from cyclegan_lib import plots
from cyclegan_lib.checkpoint.reading import BEST
from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.evaluation.distances import sliced_wasserstein
from cyclegan_lib.evaluation.reliability import DISAGREEMENT, NOVELTY, shared, signs
from cyclegan_lib.export import Translator
from cyclegan_lib.faults.models import FaultModels
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.pairs import same_moment
from cyclegan_lib.features.sounds import Sounds
from cyclegan_lib.players import explained, side_by_side

ALL, AS_LISTED, TRUTH = "all", "as listed", "the truth"
MODELS_KEPT = 32  # both directions of sixteen checkpoints, less than 1 MB each
PIXELS = 90  # dots per inch of what is sent to the browser


class Explorer:
    """Translations of test recordings, by direction, recording and checkpoint.

    `a` and `b` are test recordings of both devices; those of one name are the same moment: the truth.
    `sounds` are theirs, to be heard; `training` the devices' training recordings, whose labels teach a
    classifier for each device that has some. Raises InputError if the folder `checkpoints` holds none of
    training.
    """

    def __init__(
        self,
        a: FeatureSet,
        b: FeatureSet,
        checkpoints: str | Path,
        sounds: tuple[Sounds, Sounds] | None = None,
        training: tuple[FeatureSet, FeatureSet] | None = None,
    ) -> None:
        self.sets = {"AB": (a, b), "BA": (b, a)}
        self.sounds = {"AB": sounds, "BA": sounds[::-1]} if sounds else {}
        self.training = {"AB": training[1], "BA": training[0]} if training else {}  # of the target
        self.checkpoints = _checkpoints(Path(checkpoints))
        self._translator = lru_cache(MODELS_KEPT)(Translator.of_checkpoint)
        self._classifier = lru_cache(self._trained)
        self.signs = lru_cache(MODELS_KEPT)(self._signs)
        self._figures: dict[bool, plots.TranslationFigure] = {}

    def recordings(
        self, direction: str, checkpoint: str, by: str = AS_LISTED, label: str = ALL
    ) -> list[tuple[str, int]]:
        """Names of a direction's sequences, with their fault where it is known, and their rows.

        Sorted `by` one of the `signs`, the largest first, which is then in the name; of one `label`, or all.
        """
        source, sign = self.sets[direction][0], self.signs(direction, checkpoint).get(by)
        known, many = source.labelled, len(set(source.recording)) < len(source)
        rows = [
            row for row in range(len(source)) if label == ALL or known[row] and source.label[row] == label
        ]
        if sign is not None:  # what has none comes last
            rows.sort(key=lambda row: -np.nan_to_num(sign[row], nan=-1))
        return [
            (
                source.recording[row]
                + (f" at {source.start_s[row]:g} s" if many else "")
                + (f" ({source.label[row]})" if known[row] else "")
                + ("" if sign is None else f": {sign[row]:.2f}"),
                int(row),
            )
            for row in rows
        ]

    def _signs(self, direction: str, checkpoint: str) -> dict[str, np.ndarray]:
        return signs(self._translator(self.checkpoints[checkpoint], direction), *self.sets[direction])

    def draw(self, direction: str, index: int, checkpoint: str) -> tuple[Figure, str]:
        """The picture of one translation, and its distances as an HTML table.

        The direction is "AB" or "BA", `index` the source's sequence, the checkpoint one of `checkpoints`.
        """
        translator = self._translator(self.checkpoints[checkpoint], direction)
        source, target = self.sets[direction]
        recorded = source.sequence(index)  # (slices, 40) dB
        translated = translator.translate(recorded[None])[0]
        moment = same_moment(source, target, index)
        paired, truth = moment is not None, None
        if paired:  # of the moment, as much as both have
            recorded, translated, truth = shared(recorded, translated, target.sequence(moment))
        if paired not in self._figures:
            settings = source.settings or FeatureSettings()
            self._figures[paired] = plots.TranslationFigure(settings, paired, bool(self.sounds))
        sounds = [
            None if row is None else heard.sequence(row)
            for heard, row in zip(self.sounds.get(direction, ()), (index, moment), strict=False)
        ]
        figure = self._figures[paired].show(
            recorded, translated, truth, (translator.source, translator.target), sounds
        )
        heard = {"as recorded": recorded, "translated": translated} | ({TRUTH: truth} if paired else {})
        opinions = self._opinions(direction, list(heard.values()))
        signs = {name: sign[index] for name, sign in self.signs(direction, checkpoint).items()}
        return figure, _table(translator, heard, target, opinions) + _signs_in_words(signs)

    def _trained(self, direction: str) -> FaultModels | None:
        """A classifier of the target's labelled training recordings; None without two classes of them."""
        training = self.training.get(direction)
        return FaultModels().fit(training) if training is not None and len(training.classes) > 1 else None

    def _opinions(self, direction: str, heard: list[np.ndarray]) -> list[str]:
        """What the target's classifier, forest and logistic regression together, says of each; or nothing."""
        classifier = self._classifier(direction)
        if classifier is None:
            return []
        n = len(heard)
        asked = FeatureSet(np.stack(heard), np.array([""] * n), np.zeros(n), self.sets[direction][1].device)
        votes = np.mean(list(classifier.probabilities(asked).values()), axis=0)  # (n, classes)
        return [f"{classifier.classes[vote.argmax()]} ({vote.max():.0%})" for vote in votes]

    def play(self, direction: str, index: int, checkpoint: str) -> str:
        """The same translation to be heard: players as HTML; nothing without sounds."""
        if not self.sounds:
            return ""
        translator = self._translator(self.checkpoints[checkpoint], direction)
        return explained(side_by_side(translator, *self.sounds[direction], index))

    def picture(self, direction: str, index: int) -> Figure:
        """What the explorer shows first, as a figure that stays as it is."""
        return self.draw(direction, index, next(iter(self.checkpoints)))[0]

    def widget(self, first: str, index: int) -> widgets.Widget:
        """Controls for direction, recording and checkpoint above the picture that they change.

        `first` is the direction, "AB" or "BA", and `index` the sequence that are shown first. Recordings can
        be sorted, and those of one label be chosen; the first of them is shown then.
        """
        chosen = next(iter(self.checkpoints))
        devices = {f"{s.device} → {t.device}": d for d, (s, t) in self.sets.items()}
        direction = _chooser("direction", list(devices.items()), first)
        checkpoint = _chooser("checkpoint", list(self.checkpoints), chosen)
        by = _chooser("sort by", [AS_LISTED, *self.signs(first, chosen)], AS_LISTED)
        label = _chooser("label", self._labels(first), ALL)
        recording = _chooser("recording", self.recordings(first, chosen), index)
        image, distances, players = widgets.Image(format="png"), widgets.HTML(), widgets.HTML()
        image.layout.max_width = "100%"

        def redraw(_: object = None) -> None:
            if recording.index is not None:
                choice = direction.value, recording.value, checkpoint.value
                figure, table = self.draw(*choice)
                image.value, distances.value = _png(figure), table
                players.value = self.play(*choice)  # when the picture is on its way

        def relist(keep: int | None) -> None:
            listed = self.recordings(direction.value, checkpoint.value, by.value, label.value)
            recording.unobserve(redraw, "value")
            recording.options = listed
            recording.value = keep if keep in dict(map(reversed, listed)) else listed[0][1]
            recording.observe(redraw, "value")
            redraw()

        def turn(_: object) -> None:
            moment = same_moment(*self.sets[direction.value][::-1], recording.value)
            label.unobserve(first_of_all, "value")
            kept, label.options = label.value, self._labels(direction.value)
            label.value = kept if kept in label.options else ALL
            label.observe(first_of_all, "value")
            relist(moment)

        def first_of_all(_: object) -> None:
            relist(None)

        direction.observe(turn, "value")
        checkpoint.observe(lambda _: relist(recording.value), "value")
        by.observe(first_of_all, "value")
        label.observe(first_of_all, "value")
        recording.observe(redraw, "value")
        for way in self.sets:  # now, and not at the first change
            self._classifier(way)
            for name in list(self.checkpoints)[: MODELS_KEPT // 2]:
                self.signs(way, name)
        redraw()
        controls = [direction, checkpoint, by, label, recording]
        row = widgets.HBox(controls, layout={"flex_flow": "row wrap"})
        return widgets.VBox([row, image, distances, players])

    def _labels(self, direction: str) -> list[str]:
        return [ALL, *self.sets[direction][0].classes]


def explore(
    a: FeatureSet,
    b: FeatureSet,
    checkpoints: str | Path,
    direction: str = "AB",
    index: int = 0,
    sounds: tuple[Sounds, Sounds] | None = None,
    training: tuple[FeatureSet, FeatureSet] | None = None,
) -> widgets.Widget | Figure:
    """The explorer where a person is at the notebook; what it shows first where the notebook runs headless.

    Its arguments are those of `Explorer`, and the direction, "AB" or "BA", and sequence to show first.
    """
    explorer = Explorer(a, b, checkpoints, sounds, training)
    return explorer.widget(direction, index) if is_attended() else explorer.picture(direction, index)


def is_attended() -> bool:
    """Whether the running cell was sent by a front end that could ask a person for input.

    JupyterLab allows a cell to read from standard input; papermill, nbclient and nbval do not.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and bool(kernel.get_parent("shell").get("content", {}).get("allow_stdin"))


def _checkpoints(folder: Path) -> dict[str, Path]:
    # without the hidden ones, which are being written; the chosen one first
    found = sorted(folder.glob("[!.]*.ckpt"), key=lambda path: (path.name != BEST, path))
    if not found:
        raise InputError(f"{folder} holds no checkpoint (.ckpt); run notebook 02, or `cyclegan train`, first")
    return {path.stem: path for path in found}


def _table(
    translator: Translator, heard: dict[str, np.ndarray], target: FeatureSet, opinions: list[str]
) -> str:
    """Distances before and after as HTML: to the nearest real recording and, in pairs, to the truth.

    `heard` are sequences, (slices, 40) dB, by what they are, the truth last; `opinions` the classifier's of
    each, if there is one.
    """
    truth, domain = heard.get(TRUTH), translator.direction[1]
    z = {name: translator.normalizer.normalize(x, domain) for name, x in heard.items()}
    levels = target.mean_spectra()  # (sequences, 40)
    lines = [["", f"to the nearest real {target.device}"]]
    lines[0] += ["to the truth", "sliced Wasserstein to the truth"] if truth is not None else []
    lines[0] += [f"a classifier of {target.device} says"] if opinions else []
    for i, (name, x) in enumerate(heard.items()):
        cells = [f"{_rms(levels - x.mean(axis=0)).min():.1f} dB"]
        if truth is not None:
            cells += [f"{_rms((x - truth).ravel()):.1f} dB", f"{sliced_wasserstein(z[name], z[TRUTH]):.2f}"]
        lines.append([name, *(["", "", ""] if name == TRUTH else cells), *opinions[i : i + 1]])
    if not opinions:  # of the truth there is nothing else to say
        lines = [line for line in lines if line[0] != TRUTH]
    return "<table>" + "".join(map(_line, lines)) + "</table>"


def _line(cells: list[str]) -> str:
    style = "padding:0 2em 0 0; white-space:nowrap; text-align:left; line-height:1.3"
    return "<tr>" + "".join(f"<td style='{style}'>{escape(text)}</td>" for text in cells) + "</tr>"


def _signs_in_words(signs: dict[str, float]) -> str:
    said = f"restarts disagree by {signs[DISAGREEMENT]:.2f} z-scores"
    return said + (f"; novelty {signs[NOVELTY]:.1f} (1 is usual)" if NOVELTY in signs else "")


def _rms(x: np.ndarray) -> np.ndarray:
    return np.sqrt((x**2).mean(axis=-1))


def _chooser(name: str, options: list, value: object) -> widgets.Dropdown:
    # as wide as its longest option: checkpoints differ in the last digits of their names
    shape = {"layout": {"width": "max-content"}, "style": {"description_width": "initial"}}
    return widgets.Dropdown(description=name, options=options, value=value, **shape)


def _png(figure: Figure) -> bytes:
    # not `savefig`, which draws every figure twice, the first time only to lay it out
    figure.set_dpi(PIXELS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    buffer = io.BytesIO()
    imsave(buffer, np.asarray(canvas.buffer_rgba()), format="png", pil_kwargs={"compress_level": 1})
    return buffer.getvalue()
