"""One list of what can be read, and what else lies in folders."""

import os
import socket
from pathlib import Path

import pytest

from ser_core.audio.decode import decode
from ser_core.corpus.registry import holds_audio
from ser_core.serving.many.listing import list_files
from ser_core.serving.predict_command import expand, main
from ser_core.sound_files import AUDIO_SUFFIXES, COMPANIONS, find_recordings, is_leftover
from tests.audio.encoded import MADE, dominant_frequency, encode
from tests.helpers import case, tone


@pytest.mark.parametrize("suffix", MADE)
def test_what_is_in_the_list_is_read(suffix: str):
    assert suffix in AUDIO_SUFFIXES
    decoded = decode(MADE[suffix]())
    assert dominant_frequency(decoded.samples[0], decoded.rate) == pytest.approx(440, abs=2)


def test_what_only_its_name_tells_is_in_the_list_and_is_read(tmp_path: Path):
    (tmp_path / "a.g722").write_bytes(encode(0.5 * tone(440, 1, 16_000)[None], "g722", "g722", 16_000))
    (path,) = find_recordings(tmp_path).recordings
    assert dominant_frequency(decode(path).samples[0], 16_000) == pytest.approx(440, abs=2)


def test_the_lists_have_nothing_in_common():
    assert len(set(AUDIO_SUFFIXES) | set(COMPANIONS)) == len(AUDIO_SUFFIXES) + len(COMPANIONS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as people have it, with three recordings."""
    for name in ("empty", "a folder.wav", "inner", "__MACOSX", ".git"):
        (tmp_path / name).mkdir()
    good = ("B.WAV", "inner/a.mov", "a folder.wav/c.aiff")
    beside = ("._B.wav", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/B.wav", ".git/x.wav", "notes.txt", "README")
    for name in (*good, *beside, "old.xyz", "recording"):
        (tmp_path / name).write_bytes(MADE[".wav"]())
    return tmp_path


def test_a_folder_is_taken_as_people_have_it(folder: Path):
    recordings, left_out = find_recordings(folder)
    assert [path.relative_to(folder).as_posix() for path in recordings] == [
        "B.WAV",
        "a folder.wav/c.aiff",
        "inner/a.mov",
    ]
    assert [path.name for path in left_out] == ["old.xyz", "recording"]
    assert "files with the ending .xyz are not known" in left_out[folder / "old.xyz"]
    assert "files without an ending" in left_out[folder / "recording"]
    assert holds_audio(folder)


def test_the_command_names_what_it_leaves_out_and_exits_2(folder: Path, corpus, capsys):
    for path in find_recordings(folder).recordings:
        path.write_bytes((corpus.folder / "1001_IEO_ANG_HI.wav").read_bytes())
    with pytest.raises(SystemExit, match="2"):
        main([str(folder), "--checkpoint", "lr0.001-SiLU-2D"])
    captured = capsys.readouterr()
    assert [line.split()[0] for line in captured.out.splitlines()] == ["answer", "ANG", "ANG", "ANG"]
    errors = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert [error.split(" was left out: ")[0] for error in errors] == [
        f"error: {folder / name}" for name in ("old.xyz", "recording")
    ]
    (folder / "old.xyz").unlink()
    (folder / "recording").unlink()
    main([str(folder), "--checkpoint", "lr0.001-SiLU-2D"])  # and nothing else spoils it


def test_errors_tell_files_of_the_same_name_apart(tmp_path: Path, capsys):
    for name, content in (("one", b""), ("two", b"no sound")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wav").write_bytes(content)
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), "--checkpoint", "lr0.001-SiLU-2D"])
    empty, damaged = capsys.readouterr().err.splitlines()
    assert empty.startswith(f"error: {tmp_path / 'one' / 'a.wav'} is empty")
    assert damaged.startswith(f"error: {tmp_path / 'two' / 'a.wav'} could not be decoded")


def test_a_folder_that_holds_nothing_is_named(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("nothing here")
    ((path, error),) = expand([tmp_path])
    assert (path, str(error)) == (tmp_path, f"{tmp_path} is a folder without audio files.")


@pytest.mark.parametrize("name", ["._a.wav", ".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini"])
def test_what_systems_leave_is_known(name: str):
    assert is_leftover(name)
    assert not is_leftover("a.wav")


def test_the_case_of_many_formats_is_read_whole(capsys):
    files = expand([case("folder-skips/mixed"), case("folder-skips/none")])
    assert [error for _, error in files] == [None] * 10
    main([str(case("folder-skips")), "--checkpoint", "lr0.001-SiLU-2D"])
    heard = {line.split("/")[-1]: line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]}
    telephone = {"whats.3gp", "whats2.amr"}  # what is left of a voice there is another task
    assert {name: answer for name, answer in heard.items() if name not in telephone} == dict.fromkeys(
        ("aiff.aiff", "base.wav", "caf.caf", "vid.mkv", "vid.mov", "w64.w64", "wma.wma"), "ANG"
    )
    assert heard.keys() >= telephone


def test_the_case_of_an_empty_folder_costs_only_itself(tmp_path: Path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(case("empty-folder")), str(tmp_path), "--checkpoint", "lr0.001-SiLU-2D"])
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1].startswith("ANG")
    assert f"error: {tmp_path} is a folder without audio files." in captured.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system knows no pipes with names")
def test_what_is_no_file_is_left_out_whatever_its_name(folder: Path):
    os.mkfifo(folder / "pipe.wav")
    (folder / "pipe.mp3").symlink_to("pipe.wav")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(folder / "socket.wav"))  # as absolute paths may be too long for it
    recordings, left_out = find_recordings(folder)
    assert len(recordings) == 3
    assert {path.name for path in left_out} == {"old.xyz", "recording", "pipe.mp3", "pipe.wav", "socket.wav"}
    path = folder / "pipe.wav"
    assert left_out[path] == f"{path} was left out: it is a pipe, not a file. Name it to try it."
    assert "a socket" in left_out[folder / "socket.wav"]
    assert {listed.problem for listed in list_files([folder])} == {None, *left_out.values()}
