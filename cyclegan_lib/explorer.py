"""Look at single translations by hand: an ipywidgets explorer; a picture where nobody is there to click."""

import io
from functools import lru_cache
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
from cyclegan_lib.export import Translator
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.pairs import same_moment
from cyclegan_lib.features.sounds import Sounds
from cyclegan_lib.players import explained, side_by_side

PIXELS = 90  # dots per inch of what is sent to the browser


class Explorer:
    """Translations of test recordings, by direction, recording and checkpoint.

    `a` and `b` are test recordings of both devices; those of one name are the same moment: the truth.
    `sounds` are theirs, to be heard. Raises InputError if the folder `checkpoints` holds none of training.
    """

    def __init__(
        self,
        a: FeatureSet,
        b: FeatureSet,
        checkpoints: str | Path,
        sounds: tuple[Sounds, Sounds] | None = None,
    ) -> None:
        self.sets = {"AB": (a, b), "BA": (b, a)}
        self.sounds = {"AB": sounds, "BA": sounds[::-1]} if sounds else {}
        self.checkpoints = _checkpoints(Path(checkpoints))
        self._translator = lru_cache(maxsize=8)(Translator.of_checkpoint)
        self._figures: dict[bool, plots.TranslationFigure] = {}

    def recordings(self, direction: str) -> list[str]:
        """Names of the sequences of a direction's source, with their fault where it is known."""
        source = self.sets[direction][0]
        known, many = source.labelled, len(set(source.recording)) < len(source)
        return [
            source.recording[i]
            + (f" at {source.start_s[i]:g} s" if many else "")
            + (f" ({source.label[i]})" if known[i] else "")
            for i in range(len(source))
        ]

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
            truth = target.sequence(moment)
            shared = min(len(recorded), len(truth))
            recorded, translated, truth = recorded[:shared], translated[:shared], truth[:shared]
        if paired not in self._figures:
            self._figures[paired] = plots.TranslationFigure(source.settings or FeatureSettings(), paired)
        figure = self._figures[paired].show(
            recorded, translated, truth, (translator.source, translator.target)
        )
        return figure, _table(translator, recorded, translated, truth, target)

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

        `first` is the direction, "AB" or "BA", and `index` the sequence that are shown first.
        """
        devices = {d: f"{s.device} → {t.device}" for d, (s, t) in self.sets.items()}
        direction = _chooser("direction", [(text, d) for d, text in devices.items()], first)
        recording = _chooser("recording", _numbered(self.recordings(first)), index)
        checkpoint = _chooser("checkpoint", list(self.checkpoints), next(iter(self.checkpoints)))
        image, distances, players = widgets.Image(format="png"), widgets.HTML(), widgets.HTML()

        def redraw(_: object = None) -> None:
            if recording.index is not None:  # None while the list of recordings is replaced
                choice = direction.value, recording.value, checkpoint.value
                figure, table = self.draw(*choice)
                image.value, distances.value = _png(figure), table
                players.value = self.play(*choice)  # when the picture is on its way

        def turn(_: object) -> None:
            recording.unobserve(redraw, "value")
            kept = recording.value
            recording.options = _numbered(self.recordings(direction.value))
            recording.value = kept if kept < len(recording.options) else 0
            recording.observe(redraw, "value")
            redraw()

        direction.observe(turn, "value")
        recording.observe(redraw, "value")
        checkpoint.observe(redraw, "value")
        redraw()
        controls = widgets.HBox([direction, recording, checkpoint], layout={"flex_flow": "row wrap"})
        return widgets.VBox([controls, image, distances, players])


def explore(
    a: FeatureSet,
    b: FeatureSet,
    checkpoints: str | Path,
    direction: str = "AB",
    index: int = 0,
    sounds: tuple[Sounds, Sounds] | None = None,
) -> widgets.Widget | Figure:
    """The explorer where a person is at the notebook; what it shows first where the notebook runs headless.

    Its arguments are those of `Explorer`, and the direction, "AB" or "BA", and sequence to show first.
    """
    explorer = Explorer(a, b, checkpoints, sounds)
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
    translator: Translator,
    recorded: np.ndarray,
    translated: np.ndarray,
    truth: np.ndarray | None,
    target: FeatureSet,
) -> str:
    """Distances before and after as HTML: to the nearest real recording and, in pairs, to the truth."""
    domain = translator.direction[1]
    z_truth = None if truth is None else translator.normalizer.normalize(truth, domain)
    levels = np.stack([target.sequence(row).mean(axis=0) for row in range(len(target))])  # (sequences, 40)
    lines = []
    for name, x in (("as recorded", recorded), ("translated", translated)):
        cells = [f"{_rms(levels - x.mean(axis=0)).min():.1f} dB"]
        if truth is not None:
            z = translator.normalizer.normalize(x, domain)
            cells += [f"{_rms((x - truth).ravel()):.1f} dB", f"{sliced_wasserstein(z, z_truth):.2f}"]
        lines.append([name, *cells])
    heading = ["", f"to the nearest real {target.device}"]
    if truth is not None:
        heading += ["to the truth", "sliced Wasserstein to the truth"]
    rows = ["".join(f"<th style='padding-right:2em'>{text}</th>" for text in heading)]
    rows += [
        "".join(f"<td style='padding-right:2em; white-space:nowrap'>{text}</td>" for text in line)
        for line in lines
    ]
    apart = translator.disagreement(recorded[None])[0]
    return (
        "<table>"
        + "".join(f"<tr style='text-align:left'>{row}</tr>" for row in rows)
        + f"</table>restarts disagree by {apart:.2f} z-scores"
    )


def _rms(x: np.ndarray) -> np.ndarray:
    return np.sqrt((x**2).mean(axis=-1))


def _numbered(names: list[str]) -> list[tuple[str, int]]:
    return [(name, i) for i, name in enumerate(names)]


def _chooser(name: str, options: list, value: object) -> widgets.Dropdown:
    # as wide as its longest option: checkpoints differ in the last digits of their names
    return widgets.Dropdown(description=name, options=options, value=value, layout={"width": "max-content"})


def _png(figure: Figure) -> bytes:
    # not `savefig`, which draws every figure twice, the first time only to lay it out
    figure.set_dpi(PIXELS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    buffer = io.BytesIO()
    imsave(buffer, np.asarray(canvas.buffer_rgba()), format="png", pil_kwargs={"compress_level": 1})
    return buffer.getvalue()
