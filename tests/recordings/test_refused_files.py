"""What is said about files that are refused."""

import numpy as np
import pytest
from recordings.made_files import (
    GIVEN,
    ONE,
    RATE,
    SOUND,
    XJTU,
    bearing,
    flac_of,
    made,
    mat,
    npy,
    npz,
    patched,
    rf64,
    seconds,
    stamp,
    text,
    wav,
)

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings.reading import Reading, read_recording

REFUSED = {
    "cut.wav": (wav()[:3000], {}, "ends before its header says"),
    "cut after hours.wav": (wav(2_073_600_000), {}, "ends before its header says"),
    "cut after a day.rf64": (rf64(8_294_123_456), {}, "ends before its header says"),
    "cut.aiff": (patched(lambda content: content[:3000], format="AIFF"), {}, "ends before its header says"),
    "cut.w64": (patched(lambda content: content[:3000], format="W64"), {}, "ends before its header says"),
    "cut.rf64": (rf64(6000)[:3000], {}, "ends before its header says"),
    "cut.flac": (patched(lambda content: flac_of(0)(content)[:3000]), {}, "is damaged"),
    "claims more.flac": (patched(flac_of(3500)), {}, "ends before its header says"),
    "cut.mp3": (patched(lambda content: content[:1500], format="MP3"), {}, "ends before its header says"),
    "no rate.csv": (text(SOUND), {}, "does not say its sample rate; give it with --sample-rate-of-files"),
    "no rate.npy": (npy(ONE), {}, "--sample-rate-of-files"),
    "words.csv": (b"machine,fault\na,normal\nb,ball\n", GIVEN, "holds no columns of numbers"),
    "bytes.csv": (bytes(range(256)), GIVEN, "is not a .csv file"),
    "time.csv": (
        text(SOUND[:, :1], header=("Time", "g"), time=seconds),
        {**GIVEN, "channel": 1},
        "column 'Time' holds time stamps, which is no signal",
    ),
    "date.csv": (text(SOUND[:, :1], time=stamp), {**GIVEN, "channel": 1}, "column '1' holds text"),
    "only time.csv": (text(SOUND[:, :0], time=seconds), GIVEN, r"holds no signal; its columns: 1 \(time"),
    "commas twice.csv": (
        b"0,0125,-0,0125\n" * 200,
        GIVEN,
        "parts both its columns and its decimals by commas",
    ),
    "no such.csv": (
        text(SOUND[:, :2], header=XJTU),
        {**GIVEN, "channel": "axial"},
        "its channels: Horizontal",
    ),
    "both.csv": (text(SOUND[:, :2], header=XJTU), {**GIVEN, "channel": "signals"}, "may be 'Hor.*' and 'Ver"),
    "beyond.csv": (text(SOUND), {**GIVEN, "channel": 9}, "has 8 channels and no channel 9"),
    "gap.csv": (text(SOUND[:9]) + b",,,,,,,\n" + text(SOUND[:9]), GIVEN, "holds NaN"),
    "footer.csv": (text(SOUND[:600]) + b"end of file\n", GIVEN, "is no table of numbers to its end"),
    "may be both.csv": (b"1,25\n2,75\n3,50\n" * 99, GIVEN, "one column with decimal commas or two"),
    "118.mat": (bearing(), GIVEN, r"X118_DE_time \(3000 samples\), X118_FE_time .*--channel"),
    "two.mat": (
        bearing(X119_DE_time=ONE),
        {**GIVEN, "channel": "DE_time"},
        "X118_DE_time' and 'X119_DE_time",
    ),
    "numbered.mat": (bearing(), {**GIVEN, "channel": 1}, "order may differ"),
    "settings.mat": (mat(rpm=1772, note="text"), GIVEN, "holds no sound of at least 100 samples, but rpm"),
    "cut.mat": (
        lambda path: (bearing()(path), path.write_bytes(path.read_bytes()[:9000])),
        GIVEN,
        "cut.mat .*is damaged",
    ),
    "cut in version 4.mat": (
        lambda path: (bearing(format="4")(path), path.write_bytes(path.read_bytes()[:9000])),
        GIVEN,
        "ends before its header says",
    ),
    "no.mat": (b"no mat file", GIVEN, "is not a .mat file, or is damaged"),
    "square.npy": (npy(np.zeros((200, 200))), GIVEN, "which axis is time"),
    "features.npy": (npy(np.zeros((9, 50, 40))), GIVEN, "no sound of at least"),
    "features.npz": (npz(features=np.zeros((9, 50, 40))), GIVEN, "is a feature set, no recording"),
    "objects.npy": (npy(np.array([{}] * 200), allow_pickle=True), GIVEN, "pickled Python objects"),
    "cut.npy": (
        lambda path: (npy(ONE)(path), path.write_bytes(path.read_bytes()[:900])),
        GIVEN,
        "is damaged",
    ),
    "no.parquet": (b"no parquet", GIVEN, "which needs pyarrow|is not a .parquet file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_in_one_sentence(tmp_path, name):
    content, reading, says = REFUSED[name]
    with pytest.raises(InputError, match=says) as refused:
        read_recording(made(tmp_path / name, content), RATE, Reading(**reading))
    assert name in str(refused.value) and len(str(refused.value)) < 400 + len(str(tmp_path))
