"""Re-coloured sound: its gains, its phases, its loudness, and the files that it is heard from."""

import io

import numpy as np
import pytest
import soundfile
from sounds import RATE, rng, tone

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings import listening
from cyclegan_lib.recordings.listening import (
    equally_loud,
    flac,
    mp3,
    recoloured,
    within_full_scale,
    write_sound,
)

TIMES_S, HZ = np.arange(10) * 0.2, np.array([100.0, 1000.0, 2000.0, 7000.0])
SOUND = (rng().normal(size=5 * RATE // 2) / 10).astype(np.float32)


def level(sound: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(sound)))


def test_without_a_change_the_sound_is_as_it_was():
    heard = recoloured(SOUND, RATE, np.zeros((10, 4)), TIMES_S, HZ)
    assert heard.dtype == np.float32 and heard.shape == SOUND.shape
    np.testing.assert_allclose(heard, SOUND, atol=1e-6)


def test_gains_are_those_of_the_time_and_the_frequency_and_phases_stay():
    change = np.zeros((10, 4))
    change[:, 2] = 12.0  # at 2 kHz
    change[5:, 0] = -20.0  # at 100 Hz from 1 s on
    low, high = tone(100, 0.1, 2.5), tone(2000, 0.1, 2.5)
    heard = recoloured(low + high, RATE, change, TIMES_S, HZ)
    late, early = slice(int(1.3 * RATE), int(1.7 * RATE)), slice(int(0.3 * RATE), int(0.7 * RATE))
    for part, gain in ((early, 1.0), (late, 0.1)):
        np.testing.assert_allclose(heard[part], gain * low[part] + 10**0.6 * high[part], atol=0.01)


def test_a_gain_has_a_limit_where_there_is_hardly_a_sound():
    heard = recoloured(SOUND, RATE, np.full((10, 4), 200.0), TIMES_S, HZ)
    assert level(heard) == pytest.approx(level(SOUND) + listening.MAX_GAIN_DB, abs=0.01)


def test_a_long_sound_is_re_coloured_in_parts_that_cannot_be_heard(monkeypatch):
    change = rng(1).normal(size=(10, 4)) * 6
    whole = recoloured(SOUND, RATE, change, TIMES_S, HZ)
    monkeypatch.setattr(listening, "AT_ONCE_S", 1)
    np.testing.assert_allclose(recoloured(SOUND, RATE, change, TIMES_S, HZ), whole, atol=1e-6)


def test_sounds_are_made_equally_loud_by_what_is_audible():
    quiet, deep = tone(1000, 0.01), tone(1000, 0.1) + tone(30, 0.5)  # 30 Hz is hardly heard
    first, same, silent = equally_loud([quiet, deep, np.zeros(RATE)], RATE)
    assert np.array_equal(first, quiet) and not silent.any()
    gain = level(same) - level(deep)
    assert gain == pytest.approx(-20, abs=0.5)
    one, other = within_full_scale([quiet, 3 * quiet])
    assert np.abs(other).max() == pytest.approx(listening.PEAK) and level(other) - level(one) > 9
    assert not within_full_scale([np.zeros(9)])[0].any()


@pytest.mark.parametrize("rate", [12000, 16000, 25600, 96000])
def test_a_player_s_file_is_small_and_holds_the_sound(rate):
    sound = tone(440, 0.5, 5, rate) + rng().normal(size=5 * rate) / 30
    small, quick = (encode(sound.astype(np.float32), rate) for encode in (mp3, flac))
    assert len(small) == pytest.approx(40_000, rel=0.03) and len(quick) < 2 * 5 * listening.FLAC_HZ
    for file, rates in ((small, listening.MP3_HZ), (quick, (min(rate, listening.FLAC_HZ),))):
        heard, hz = soundfile.read(io.BytesIO(file))
        assert hz in rates and len(heard) == pytest.approx(5 * hz, abs=2000)
        assert np.argmax(np.abs(np.fft.rfft(heard[: 4 * hz]))) == 4 * 440
        assert level(heard) == pytest.approx(level(sound), abs=1)


@pytest.mark.parametrize("suffix", listening.WRITTEN)
def test_a_sound_is_written_as_its_name_says_and_over_no_other(tmp_path, suffix):
    path = tmp_path / f"é{suffix}"
    write_sound(path, SOUND, RATE)
    heard, rate = soundfile.read(path)
    assert rate == RATE and level(heard) == pytest.approx(level(SOUND), abs=1)
    assert soundfile.info(path).format == {".ogg": "OGG", ".mp3": "MP3"}.get(suffix, suffix[1:].upper())
    with pytest.raises(InputError, match="exists, and may be a recording"):
        write_sound(path, SOUND, RATE)
    assert list(tmp_path.iterdir()) == [path]


def test_much_sound_is_written_as_ogg(tmp_path):
    """At once it would be more than libsndfile's stack holds, and end the process."""
    write_sound(tmp_path / "a.ogg", np.zeros(3_000_000, np.float32), 48000)
    assert soundfile.info(tmp_path / "a.ogg").frames == 3_000_000


@pytest.mark.parametrize(
    ("name", "rate", "says"),
    [("a.xyz", RATE, "must end in one of .wav"), ("a.mp3", 25600, "may not hold sound at 25600 Hz")],
)
def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path, name, rate, says):
    with pytest.raises(InputError, match=says):
        write_sound(tmp_path / name, SOUND, rate)
    assert list(tmp_path.iterdir()) == []
