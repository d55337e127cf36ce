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
    assert list(documents.read_table(path, ["b", "a"], "")) == [{"b": "2", "a": "é, \n"}]
    with pytest.raises(InputError, match="has no column 'c' .its columns: a, b."):
        list(documents.read_table(path, ["c"], ""))
    path.write_bytes(b"a,b\n\xff,1\n")
    with pytest.raises(InputError, match="not a readable CSV file in UTF-8"):
        list(documents.read_table(path, ["a"], ""))
