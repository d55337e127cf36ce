"""A recording as the other device might have heard it: its own sound, re-coloured by the translation."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan_lib.config import FeatureSettings
from cyclegan_lib.errors import InputError
from cyclegan_lib.export.inputs import sound_files
from cyclegan_lib.export.judgement import Judgement
from cyclegan_lib.export.translator import Translator
from cyclegan_lib.features.extraction_report import ExtractionReport
from cyclegan_lib.features.log_mel import band_frequencies, log_mel_slices
from cyclegan_lib.files import existing_file
from cyclegan_lib.recordings.listening import (
    PEAK,
    equally_loud,
    new_sound_file,
    recoloured,
    within_full_scale,
    write_sound,
)
from cyclegan_lib.recordings.reading import read_recording


@dataclass(frozen=True)
class Listened:
    """What can be told of a sound that was re-coloured."""

    seconds: float
    before: float  # root mean square of the translation less the source's features, dB
    after: float  # the same of the re-coloured sound's features
    quieter_db: float  # than the source, to stay within full scale
    read: ExtractionReport  # what became of the recording
    warnings: list[str]


def recoloured_as(
    sound: np.ndarray, features: np.ndarray, translated: np.ndarray, settings: FeatureSettings
) -> np.ndarray:
    """A sound whose bands change over time as its features do in their translation, float32 (samples,).

    `sound` is (samples,) at ``settings.sample_rate``, `features` (slices, 40) dB are its own from its start
    on, and `translated` what became of them. Nothing is invented: the change of each band is interpolated to
    a short-time spectrum of the sound and applied as gains, with the phases as they are.
    """
    times_s = np.arange(len(features)) * settings.slice_hop_s + settings.slice_s / 2
    change = translated - features
    return recoloured(sound, settings.sample_rate, change, times_s, band_frequencies(settings))


def listen(
    translator: Translator,
    source: str | Path,
    output: str | Path,
    channel: int | str | None = None,
    rate_of_files: int | None = None,
) -> Listened:
    """Write a recording re-coloured as its translation says, as loud as it was unless it would clip then.

    `source` is read as the model's training recordings were; `channel` takes another one, `rate_of_files`
    (Hz) is of a file that does not state its rate. `output` ends in .wav, .flac, .ogg or .mp3. Raises
    InputError if the source cannot be read or is too short, the model does not say how its features were
    extracted, or the output exists or cannot be written.
    """
    source, output = existing_file(source, "give a recording"), Path(output)
    new_sound_file(output)
    if translator.settings is None:
        raise InputError(
            "the model was trained on features without settings, and cannot say how a recording is heard;"
            " train it on feature sets that `cyclegan extract` wrote"
        )
    files = sound_files(translator, source, channel, rate_of_files=rate_of_files)
    judgement = Judgement(translator)
    (heard,) = files.sliced(translator.source, progress=False)  # one file's sequences, all of one length
    settings = files.settings.model_copy(update={"slices": int(heard.lengths[0])})
    rate, features = settings.sample_rate, heard.features[:, : settings.slices]
    heard_as = translator.translated(heard)
    judgement.add(heard, heard_as)
    translated = heard_as.features[:, : settings.slices]
    sound = read_recording(source, rate, files.reading)[: round(len(heard) * settings.sequence_s * rate)]
    made = recoloured_as(sound, np.concatenate(features), np.concatenate(translated), settings)
    again, *_ = log_mel_slices(made, settings)
    _, loud = equally_loud([sound, made], rate)
    peak = float(np.abs(loud).max())
    write_sound(output, within_full_scale([loud])[0] if peak > 1 else loud, rate)
    before, after = (float(np.sqrt(np.mean((translated - x) ** 2))) for x in (features, again))
    quieter_db = 20 * math.log10(peak / PEAK) if peak > 1 else 0.0
    return Listened(len(sound) / rate, before, after, quieter_db, files.report, judgement.warnings())
