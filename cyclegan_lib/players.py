"""Sounds side by side in a page or a notebook: as the source heard it, translated, as the target heard it."""

from collections.abc import Sequence
from html import escape

from IPython.display import HTML, Audio

from cyclegan_lib.export import Translator
from cyclegan_lib.export.listening import recoloured_as
from cyclegan_lib.features.pairs import same_moment
from cyclegan_lib.features.sounds import Sounds
from cyclegan_lib.recordings.listening import equally_loud, flac, mp3, within_full_scale

EXAMPLE_S = 5.0  # of a sound in a page: three of them take 163 kB
CAPTION = (
    "Equally loud (A-weighted). The translated one is the source's own sound, re-coloured by the"
    " translation's change of each band over time: no invented sound, nothing that the source did not hear."
)
NO_SOUND = (
    "No sound: the recordings are not in the folder that was given, or what is there gives other features."
)


def side_by_side(
    translator: Translator, source: Sounds, target: Sounds, row: int, seconds: float | None = None
) -> str:
    """Players of a sequence of the source as HTML: recorded, translated, and as the target recorded it.

    The last one only where it did; of each the first `seconds`, or all. Empty where there is no sound.
    """
    sound, settings = source.sequence(row), source.features.settings
    if sound is None:
        return ""
    features = source.features.sequence(row)
    made = recoloured_as(sound, features, translator.translate(features[None])[0], settings)
    heard = {f"as {translator.source} heard it": sound, f"translated to {translator.target}": made}
    moment = same_moment(source.features, target.features, row)
    truth = None if moment is None else target.sequence(moment)
    if truth is not None:
        heard[f"as {translator.target} heard it"] = truth
    rate = settings.sample_rate
    samples = len(sound) if seconds is None else round(seconds * rate)
    loud = within_full_scale(equally_loud([x[:samples] for x in heard.values()], rate))
    kind, encode = ("flac", flac) if seconds is None else ("mpeg", mp3)  # waited for, or kept in a page
    players = "".join(
        _player(name, encode(x, rate), f"audio/{kind}") for name, x in zip(heard, loud, strict=True)
    )
    return f"<div style='display:flex; gap:1em; flex-wrap:wrap'>{players}</div>"


def explained(players: str) -> str:
    """Players, and below them what they are; or why there is nothing to be heard."""
    return f"{players}<p>{escape(CAPTION if players else NO_SOUND)}</p>"


def examples(translator: Translator, source: Sounds, target: Sounds, rows: Sequence[int]) -> HTML:
    """The beginnings of some sequences, under their names, as HTML that needs nothing else."""
    shown = ""
    for row in dict.fromkeys(rows):
        if players := side_by_side(translator, source, target, row, EXAMPLE_S):
            name = f"{source.features.recording[row]} at {source.features.start_s[row]:g} s"
            shown += f"<p><b>{escape(name)}</b></p>{players}"
    return HTML(explained(shown))


def _player(name: str, file: bytes, mimetype: str) -> str:
    audio = Audio(data=file)
    audio.mimetype = mimetype
    tag = " ".join(audio._repr_html_().split()).replace("<audio", "<audio style='width:100%'", 1)
    style = "flex:1 1 14em; max-width:22em; margin:0"
    return f"<figure style='{style}'><figcaption>{escape(name)}</figcaption>{tag}</figure>"
