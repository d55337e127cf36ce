"""Labels of recordings, from tables that people and programs have written, and from folders."""

import pytest
from helpers import done, refusal
from sounds import record

from cyclegan_lib.errors import InputError
from cyclegan_lib.features import FeatureSet
from cyclegan_lib.features.labels import labels_for

PLAIN = ["m0/0000", "m0/0001"]
MIMII = [f"id_00/{kind}/0000000{i}" for kind in ("normal", "abnormal") for i in (0, 1)]
MAFAULDA = ["normal/12.288", "imbalance/6g/13.1072", "underhang/ball_fault/0g/14.336"]


@pytest.fixture
def source(tmp_path):
    (tmp_path / "above" / "given").mkdir(parents=True)
    return tmp_path / "above" / "given"


def labelled(source, names, rows, **given):
    table = source.parent / "labels.csv"
    table.write_text("recording,fault\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return labels_for(names, source, table, **given)


@pytest.mark.parametrize(
    "spelled",
    [
        "m0/{}",
        "m0/{}.wav",
        "m0/{}.FLAC",
        "./m0//{}.wav",
        " m0/{} ",
        "m0\\{}.wav",
        "{}",
        "{}.wav",
        "given/m0/{}.wav",
        "above\\given\\m0\\{}.wav",
        "/other/place/m0/{}.wav",
        "D:\\other\\m0\\{}.wav",
        "\\\\server\\share\\m0\\{}.wav",
        "SOURCE/m0/{}.wav",
    ],
)
def test_a_row_names_a_recording_in_any_of_its_spellings(source, spelled):
    spelled = spelled.replace("SOURCE", str(source))
    found = labelled(source, PLAIN, [spelled.format("0000") + ",ok", spelled.format("0001") + ",bad"])
    assert found.of == {"m0/0000": "ok", "m0/0001": "bad"} and found.remarks == []


@pytest.mark.parametrize(
    ("names", "rows", "labels"),
    [
        # what looks like a suffix is none, or one that a recording's name has
        (["a/12.288"], ["a/12.288,x"], ["x"]),
        (["a/12.288"], ["12.288.wav,x"], ["x"]),
        (["a.wav"], ["a.wav,x"], ["x"]),
        # macOS writes é as two characters
        (["m/e\u0301té/0"], ["été/0,x"], ["x"]),
        (["m/été"], ["m/e\u0301te\u0301,x"], ["x"]),
        (["e\u0301/0", "é/0"], ["é/0,x", "e\u0301/0,y"], ["y", "x"]),
        # the path from the folder given is nobody else's; the longest end of a foreign path counts
        (["0", "m/0"], ["0,x", "m/0,y"], ["x", "y"]),
        (["0", "m/0"], ["/other/0,x", "/other/m/0,y"], ["x", "y"]),
        # of foreign paths that end alike, the one whose folders are these; a row from here outweighs them
        (["0"], ["/z/given/0,x", "/z/0,y"], ["x"]),
        (["0"], ["/z/given/0,x", "0,y"], ["y"]),
        (["0"], ["0,x", "0,x", "0,NA"], ["x"]),
    ],
)
def test_the_nearest_meaning_counts(source, names, rows, labels):
    assert list(labelled(source, names, rows).of.values()) == labels


@pytest.mark.parametrize(
    ("names", "rows", "says"),
    [
        (
            MIMII,
            ["00000000.wav,x", "00000001.wav,x"],
            "'id_00/normal/00000000' and 'id_00/abnormal/00000000'",
        ),
        (MIMII, ["/z/00000000.wav,x"], "or any other; 1 row of"),
        (["0"], ["/z/normal/0,x", "/z/abnormal/0,y"], "'x' and 'y' (as '/z/normal/0' and '/z/abnormal/0')"),
        (["0"], ["0,x", "0,y"], "the recording '0' two labels, 'x' and 'y'; keep one row"),
        (["0"], ["other/0,x"], "or any other; 1 row of"),
        (["0", "1"], ["0,x"], "no fault for the recording '1'; add a row"),
        (["0", "1", "2"], ["0,x", "1,NA", "2,nan"], "no fault for the recording '1' and 1 more; add"),
        (["0"], ["0," + "x" * 201], "one line of at most 200"),
    ],
)
def test_what_is_ambiguous_or_lacking_is_refused(source, names, rows, says):
    with pytest.raises(InputError) as error:
        labelled(source, names, rows)
    assert says in str(error.value)


def test_oddities_are_said(source):
    names = [str(i) for i in range(6)]
    rows = ["0,OK", "1,Ok", "2,0", "3,0.0", "4,inner race", "5,inner_race", "7,x", "8,x", "9,x", "10,x"]
    twins, *others = sorted(labelled(source, names, rows).remarks)
    assert twins.startswith("4 rows of ") and twins.endswith(" without a recording: '7', '8', '9' and 1 more")
    assert [line.split(": ")[1] for line in others] == [
        "'0' and '0.0'",
        "'OK' and 'Ok'",
        "'inner race' and 'inner_race'",
    ]
    signs = labelled(source, names[:4], ["0,+", "1,-", "2,1", "3,-1"])
    assert signs.remarks == []


@pytest.mark.parametrize("unlabelled", ["keep", "skip"])
def test_recordings_without_a_label_are_kept_or_skipped_and_named(source, unlabelled):
    found = labelled(source, ["0", "1", "2"], ["0,x", "1,NaN"], unlabelled=unlabelled)
    assert found.of == {"0": "x"} | ({"1": "", "2": ""} if unlabelled == "keep" else {})
    kept = ["2 recordings kept without a label: '1', '2'"]
    assert found.remarks == (kept if unlabelled == "keep" else [])


@pytest.mark.parametrize(
    ("names", "number", "labels"),
    [
        (MAFAULDA, 1, ["normal", "imbalance", "underhang"]),
        (MAFAULDA[1:], 2, ["6g", "ball_fault"]),
        (MIMII, -1, ["normal", "normal", "abnormal", "abnormal"]),
        (MIMII, -2, ["id_00"] * 4),
    ],
)
def test_folders_are_counted_from_above_or_from_the_file(source, names, number, labels):
    assert list(labels_for(names, source, from_folder=number).of.values()) == labels


def test_recordings_that_lie_too_high_are_named(source):
    for number, named in {2: "'normal/12.288'; count", -3: "'normal/12.288' and 1 more; count"}.items():
        with pytest.raises(InputError) as error:
            labels_for(MAFAULDA, source, from_folder=number)
        assert f"--label-from-folder {number} finds no folder for the recording {named}" in str(error.value)
    found = labels_for(MAFAULDA, source, from_folder=2, unlabelled="skip")
    assert list(found.of) == MAFAULDA[1:]
    for wrong in ({"from_folder": 0}, {"from_folder": 1, "table": source}, {"from_folder": 9}):
        with pytest.raises(InputError):
            labels_for(MAFAULDA, source, **wrong, unlabelled="keep")


def test_the_command_takes_them(tmp_path, capsys):
    record(*(tmp_path / "in" / f"{name}.wav" for name in ("normal/12.288", "imbalance/6g/13", "stray")))
    out = tmp_path / "out.npz"
    extract = ("extract", tmp_path / "in", "--device", "x", "--output", out)
    assert "'stray'" in refusal(capsys, *extract, "--label-from-folder", 1)
    assert not out.exists()
    said = done(capsys, *extract, "--label-from-folder", -1, "--unlabelled", "skip")
    assert "left out: 1 recording is without a label: stray" in said
    assert "stray,without a label,without a label" in (tmp_path / "out.npz.report.csv").read_text(
        encoding="utf-8"
    )
    found = FeatureSet.load(out)
    assert dict(zip(found.recording, found.label, strict=True)) == {
        "normal/12.288": "normal",
        "imbalance/6g/13": "6g",
    }
    table = tmp_path / "labels.csv"
    table.write_bytes("Recording;Fault\n12.288.wav;正常\n13.wav;故障\n".encode("gb18030"))
    said = done(capsys, *extract, "--labels", table, "--unlabelled", "keep")
    assert "was read as gb18030" in said and "1 recording kept without a label: 'stray'" in said
    found = FeatureSet.load(out)
    assert set(zip(found.recording, found.label, strict=True)) == {
        ("normal/12.288", "正常"),
        ("imbalance/6g/13", "故障"),
        ("stray", ""),
    }
    assert found.labelled.tolist() == [True, True, False]
    help = done(capsys, "extract", "--help")
    assert "imbalance/6g/13.1072.csv" in help and "fan/id_00/abnormal" in help
    assert "'sleep'" in refusal(capsys, *extract, "--labels", table, "--unlabelled", "sleep")
