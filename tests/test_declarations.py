import pytest

from cyclegan_lib.declarations import Parameter, declared_parameters
from cyclegan_lib.errors import InputError

CELL = 'epochs: int = 3  # how many\nrate: float = 0.1\nname: str = "é # no"  # file: whose\nx = 1'


def test_names_types_defaults_and_meaning_are_read_from_the_cell():
    found = declared_parameters(CELL)
    assert found == {
        "epochs": Parameter("epochs", "int", 3, "how many"),
        "rate": Parameter("rate", "float", 0.1, ""),
        "name": Parameter("name", "str", "é # no", "file: whose"),
    }
    assert [p.is_file for p in found.values()] == [False, False, True]


def test_a_cell_with_a_magic_declares_nothing():
    assert declared_parameters("%matplotlib inline\nx: int = 1") == {}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("x: list = []", "declares 'x' as list; it must be int, float, str, bool"),
        ("x: int = y + 1", "declares 'x' without a plain value"),
        ("x: int", "declares 'x' without a plain value"),
    ],
)
def test_other_declarations_are_refused(cell, says):
    with pytest.raises(InputError, match=says):
        declared_parameters(cell)


def test_text_becomes_the_declared_type():
    assert Parameter("x", "float", 0.0, "").parsed("1e-3") == 0.001
    assert Parameter("x", "bool", False, "").parsed("true") is True
    with pytest.raises(InputError, match="'x' must be bool, not '1'"):
        Parameter("x", "bool", False, "").parsed("1")
    with pytest.raises(InputError, match="'x' must be int, not True"):
        Parameter("x", "int", 0, "").checked(True)
