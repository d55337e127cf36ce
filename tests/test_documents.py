"""The door of JSON and CSV."""

import math

import pytest

from cyclegan_lib import documents
from cyclegan_lib.errors import InputError

NUMBERS = dict[str, list[float]]


WRONG = {"empty": b"", "cut": b"{", "list": b"[]", "number": b'{"a": 1}', "text": b'{"a": ["1"]}'}
WRONG |= {"bool": b'{"a": [true]}', "no UTF-8": b"\xff", "half a letter": b'{"\\ud800": [1.0]}'}
WRONG |= {"nested": b"[" * 9999}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_its_schema_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        documents.read(path, NUMBERS, "holds no numbers", "write it again")
    assert str(error.value) == f"{path} holds no numbers; write it again"
    assert documents.read_if_whole(path, NUMBERS) is None


def test_a_document_that_is_missing_or_too_large_is_refused(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match="does not exist; write it again"):
        documents.read(path, NUMBERS, "holds no numbers", "write it again")
    documents.write(path, {"a": [1.0]})
    with pytest.raises(InputError, match="holds no numbers"):
        documents.read(path, NUMBERS, "holds no numbers", "write it again", max_bytes=5)


def test_what_is_written_is_read_back(tmp_path):
    content = {"müde 疲": [0.1, 1e300, -0.0]}
    path = documents.write(tmp_path / "x.json", content)
    assert documents.read(path, NUMBERS, "", "") == content
    assert path.read_bytes() == documents.text(content).encode()


def test_numbers_that_are_not_finite_become_none_or_are_refused(tmp_path):
    assert documents.plain({1: (math.nan, [math.inf, 2.0, True])}) == {"1": [None, [None, 2.0, True]]}
    with pytest.raises(ValueError):
        documents.write(tmp_path / "x.json", [math.nan])
    assert list(tmp_path.iterdir()) == []


def test_tables(tmp_path):
    path = documents.write_table(tmp_path / "x.csv", ["a", "b"], [{"a": "é, \n", "b": 2}])
    assert documents.read_table(path, ["b", "a"], "") == ([{"b": "2", "a": "é, \n"}], "utf-8", "")
    with pytest.raises(InputError, match="has no column 'c' .its columns: a, b."):
        documents.read_table(path, ["c"], "")
    path.write_bytes(b"a,b\n\xff,1\n")
    with pytest.raises(InputError, match="not a readable CSV file in UTF-8"):
        documents.read_table(path, ["a"], "")


CELLS = {"recording": "m0/0000", "fault": "inner race"}
CHINESE = {"recording": "一號機/0000", "fault": "內圈故障"}
SIMPLE = {"recording": "一号机/0000", "fault": "内圈磨损"}


@pytest.mark.parametrize(
    ("text", "encoding", "cells"),
    [
        ("recording,fault\nm0/0000,inner race\n", "utf-8", CELLS),
        ("recording;fault\r\nm0/0000;inner race\r\n", "utf-8-sig", CELLS),
        ("sep=;\r\nrecording;fault\r\nm0/0000;inner race\r\n", "utf-8", CELLS),
        ("recording\tfault\rm0/0000\tinner race\r", "utf-16", CELLS),
        ("recording\tfault\nm0/0000\tinner race\n", "utf-16-le", CELLS),
        ("recording\tfault\nm0/0000\tinner race\n", "utf-16-be", CELLS),
        (' Recording , FAULT\n\n"m0/0000","inner race"\n,\n', "utf-8", CELLS),
        ("number,a;b,fault,rpm,recording\n1,2,inner race,3,m0/0000\n", "utf-8", CELLS),
        ("Fault,recording,fault,\nx,m0/0000,inner race,\n", "utf-8", CELLS),
        ("recording,fault\n一号机/0000,内圈磨损\n", "gb18030", SIMPLE),
        ("recording,fault\n一号机/0000,内圈磨损\n", "utf-8", SIMPLE),
        ("recording,fault\n一號機/0000,內圈故障\n", "cp950", CHINESE),
        ("recording,fault\n一號機/0000,內圈故障\n", "utf-16", CHINESE),
    ],
)
def test_tables_of_any_spreadsheet_are_read(tmp_path, text, encoding, cells):
    (tmp_path / "x.csv").write_bytes(text.encode(encoding))
    rows, found, also = documents.read_table(tmp_path / "x.csv", ["recording", "fault"], "")
    assert [row for row in rows if any(row.values())] == [cells] and found == encoding and not also


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"recording,fault\nm\xfcde,Ger\xe4t\n", "give its --encoding"),
        (b"recording,Fault, fault\na,b,c\n", "the column 'fault' twice ('Fault', its column 2, and ' fault'"),
        (b"recording,fault,fault\na,b,c\n", "the column 'fault' twice"),
        (b"recording,fault\na,b\nc,inner, race\n", "row 2 ('c') has more cells"),
    ],
)
def test_tables_whose_meaning_is_not_plain_are_refused(tmp_path, content, says):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        documents.read_table(tmp_path / "x.csv", ["recording", "fault"], "")
    assert says in str(error.value)


def test_korean_that_reads_as_chinese_is_said(tmp_path):
    (tmp_path / "x.csv").write_bytes("recording,fault\na,내륜 손상\n".encode("cp949"))
    _, found, also = documents.read_table(tmp_path / "x.csv", ["recording", "fault"], "")
    assert (found, also) == ("gb18030", "cp949")


def test_an_encoding_that_is_given_is_used(tmp_path):
    (tmp_path / "x.csv").write_bytes("a\nmüde\n".encode("cp1252"))
    assert documents.read_table(tmp_path / "x.csv", ["a"], "", encoding="cp1252").rows == [{"a": "müde"}]
    for encoding, says in {"utf-8": "CSV file in utf-8", "nonsense": "'nonsense' is unknown"}.items():
        with pytest.raises(InputError, match=says):
            documents.read_table(tmp_path / "x.csv", ["a"], "", encoding=encoding)
