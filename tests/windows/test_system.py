import sys


def test_x():
    assert sys.platform == "win32"
