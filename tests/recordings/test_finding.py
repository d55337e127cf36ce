"""Finding recordings, and the sentences about what cannot be found."""

import pytest

from cyclegan_lib.errors import InputError
from cyclegan_lib.recordings import find_recordings, recording_name


@pytest.fixture
def folder(tmp_path):
    """A folder with the files whose names are given; what they hold is not looked at."""

    def made(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return made


def names(folder, *given):
    return [recording_name(path, folder) for path in find_recordings(folder, *given)]


def test_finds_wav_and_flac_in_subfolders_in_order_and_leaves_out_the_rest(folder):
    made = folder("b.wav", "a.FLAC", "sub/c.flac", "._b.wav", ".hidden/d.wav", "notes.txt")
    assert names(made) == ["a", "b", "sub/c"]


def test_one_sound_file_is_a_source_too(folder):
    path = folder("machine.2.wav") / "machine.2.wav"
    assert find_recordings(path) == [path]
    assert recording_name(path, path) == "machine.2"


def test_a_list_names_recordings_with_or_without_suffix_in_its_order(folder):
    made = folder("a.wav", "v1.5.flac", "sub/c.wav", "not-listed.wav")
    (made / "list.txt").write_text("# chosen\nsub/c.wav\n\n v1.5 \na\n")
    assert names(made, made / "list.txt") == ["sub/c", "v1.5", "a"]


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ("a\nmissing\n", "list.txt, line 2: there is no recording 'missing'"),
        ("a\na.wav\n", "a.wav is listed twice"),
        ("../outside.wav\n", "list.txt, line 1: .* lies outside"),
        ("twice\n", "list.txt, line 1: .*; give it with its suffix"),
        ("# nothing\n", "list.txt names no recording"),
    ],
)
def test_a_list_that_cannot_be_followed_is_refused(folder, listed, says):
    made = folder("folder/a.wav", "outside.wav", "folder/twice.wav", "folder/twice.flac")
    (made / "list.txt").write_text(listed)
    with pytest.raises(InputError, match=says):
        find_recordings(made / "folder", made / "list.txt")


def test_missing_and_empty_sources_and_duplicate_names_are_refused(folder):
    made = folder("notes.txt", "twice/a.wav", "twice/a.flac", "empty/notes.txt")
    for given, says in (
        ([made / "absent"], "absent does not exist"),
        ([made / "empty"], "empty holds no recordings, but 1 .txt"),
        ([made, made / "list.txt"], "list.txt does not exist"),
        ([made / "twice"], r"a\.flac and .*a\.wav have one name, 'a'"),
        ([made / "twice" / "a.wav", made / "notes.txt"], "a.wav is not a folder"),
    ):
        with pytest.raises(InputError, match=says):
            find_recordings(*given)
