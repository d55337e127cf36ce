"""Finding recordings, and the sentences about what cannot be found."""

import os

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


@pytest.mark.parametrize("slash", ["/", "\\"])  # one written on Windows is read elsewhere
def test_a_list_names_recordings_with_or_without_suffix_in_its_order(slash, folder):
    made = folder("a.wav", "v1.5.flac", "sub/c.wav", "not-listed.wav")
    (made / "list.txt").write_text(f"# chosen\nsub{slash}c.wav\n\n v1.5 \na\n", encoding="utf-8")
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
    (made / "list.txt").write_text(listed, encoding="utf-8")
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


@pytest.mark.parametrize(
    ("files", "found", "passed_over"),
    [
        # labels, notes and arrays beside sound
        (("a.wav", "b.MP3", "c.wave", "labels.csv", "a.npy"), "a b c", {".csv": 1, ".npy": 1}),
        (("118.mat", "99.mat", "labels.csv", "read me"), "118 99", {".csv": 1, "without suffix": 1}),
        (("x/12.288.csv", "y/13.1072.csv", "readme.txt"), "x/12.288 y/13.1072", {".txt": 1}),
        (("a.wav", ".b.wav", ".git/c.wav", "d.docx", "e.DOCX"), "a", {"hidden": 2, ".docx": 2}),
    ],
)
def test_of_a_folder_the_recordings_are_found_and_the_rest_counted(folder, files, found, passed_over):
    made = folder(*files)
    assert " ".join(names(made)) == found
    assert find_recordings(made).passed_over == passed_over


def test_the_table_of_the_labels_is_no_recording(folder):
    made = folder("a.csv", "b.csv", "labels.csv", "sub/labels.csv")
    assert names(made, None, made / "sub" / ".." / "labels.csv") == ["a", "b", "sub/labels"]


def test_files_called_by_a_date_or_as_notes_are_found_by_what_they_hold(folder):
    made = folder("2004.02.12.10.32.39", "2004.02.12.10.42.39", "readme.txt", "read me", "chart.pdf")
    for path in made.glob("2004*"):
        path.write_text("0.1\t0.2\n0.3\t0.1\n" * 200, encoding="utf-8")
    found = find_recordings(made)
    assert names(made) == ["2004.02.12.10.32.39", "2004.02.12.10.42.39"]
    assert found.passed_over == {".txt": 1, "without suffix": 1, ".pdf": 1}
    (made / "list.txt").write_text("2004.02.12.10.42.39\n", encoding="utf-8")
    assert names(made, made / "list.txt") == ["2004.02.12.10.42.39"]


def test_linked_folders_are_followed_once(folder):
    made = folder("all/a.wav", "elsewhere/b.wav", "all/sub/c.wav")
    (made / "all" / "link").symlink_to(made / "elsewhere")
    (made / "all" / "again").symlink_to(made / "all" / "sub")
    (made / "elsewhere" / "circle").symlink_to(made / "all")
    (made / "all" / "itself").symlink_to(made / "all" / "itself")
    assert names(made / "all") == ["a", "link/b", "sub/c"]
    (made / "list.txt").write_text("link/b\n", encoding="utf-8")
    assert names(made / "all", made / "list.txt") == ["link/b"]


def test_a_list_reads_each_folder_once(folder, monkeypatch):
    made = folder(*(f"{number}.wav" for number in range(30)), "0.txt")
    (made / "list.csv").write_text("\n".join(map(str, range(30))), encoding="utf-8")
    read, listdir = [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: read.append(folder) or listdir(folder))
    assert len(names(made, made / "list.csv")) == 30 and len(read) == 1
