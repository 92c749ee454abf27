"""Files and folders that are replaced, and processes that are killed in it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

import ser_core.files as files
from ser_core.errors import DiskFullError
from ser_core.files import new_folder, remove_unfinished, replace_file, replace_folder, restore_folder, write_text
from ser_core.records.checkpoints import list_checkpoints
from ser_core.records.runs import alone, load_runs
from tests.helpers import ROOT
from tests.made_records import write_run

HANG = """
import sys
from pathlib import Path
from ser_core.files import replace_file
with replace_file(Path(sys.argv[1])) as path:
    path.write_text("half")
    print(flush=True)
    sys.stdin.read()
"""


class Killed(BaseException):
    """Ends a process where it stands: nothing catches it."""


def write_folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "file").write_text(text)
    (path / text).touch()
    return path


@pytest.fixture(params=["swapped at once", "set aside for a moment"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Linux, and a system that can't swap two names."""
    if request.param == "set aside for a moment":
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    return request.param


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_a_file_has_the_permissions_that_any_new_file_gets(mask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without changing the mask of the process, which is that of its threads, even for a moment."""
    before, set_mask = os.umask(mask), os.umask
    try:
        (tmp_path / "plain").touch()
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the mask was changed"))
        write_text(tmp_path / "written", "text")
        with replace_file(tmp_path / "closed") as path, path.open("w") as file:
            file.write("text")
    finally:
        set_mask(before)
    plain, *others = (stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "written", "closed"))
    assert plain == 0o666 & ~mask
    assert others == [plain, plain]


def test_a_folder_takes_the_place_of_another(tmp_path: Path, system: str):
    new, old = write_folder(tmp_path / "new", "later"), write_folder(tmp_path / "old", "earlier")
    replace_folder(new, old)
    assert {path.name for path in old.iterdir()} == {"file", "later"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    replace_folder(old, tmp_path / "deeper" / "place")
    assert (tmp_path / "deeper" / "place" / "later").exists()


def test_a_folder_does_not_take_the_place_of_a_file(tmp_path: Path, system: str):
    new = write_folder(tmp_path / "new", "later")
    (tmp_path / "old").write_text("a file")
    with pytest.raises(NotADirectoryError):
        replace_folder(new, tmp_path / "old")
    assert (tmp_path / "old").read_text() == "a file"


def steps(monkeypatch: pytest.MonkeyPatch, kill_at: int) -> list[str]:
    """Record what is done to the disk, and be killed before the step of that number."""
    done: list[str] = []

    def counted(name: str, function):
        def step(*args: object, **options: object) -> object:
            if len(done) == kill_at:
                raise Killed
            done.append(name)
            return function(*args, **options)

        return step

    monkeypatch.setattr(Path, "rename", counted("rename", Path.rename))
    monkeypatch.setattr(shutil, "rmtree", counted("rmtree", shutil.rmtree))
    monkeypatch.setattr(files, "_exchange", counted("exchange", files._exchange))
    return done


@pytest.mark.parametrize("kill_at", range(6))
def test_whenever_it_is_killed_one_of_the_two_is_there_and_the_next_time_it_works(
    kill_at: int, tmp_path: Path, system: str
):
    new, old = write_folder(tmp_path / "new", "later"), write_folder(tmp_path / "old", "earlier")
    with pytest.MonkeyPatch.context() as patched:
        done = steps(patched, kill_at)
        try:
            replace_folder(new, old)
        except Killed:
            assert len(done) == kill_at
    if system == "swapped at once":
        assert (old / "file").exists()  # at every moment
    restore_folder(old)
    found = (old / "file").read_text()
    assert {path.name for path in old.iterdir()} == {"file", found}  # whole, and not a mixture
    if found == "earlier":
        replace_folder(new, old)
    assert (old / "file").read_text() == "later"
    assert not list(tmp_path.glob(".*"))


def killed_between_the_renames(root: Path, name: str) -> None:
    """Leave what a process leaves that set `name` aside and was killed."""
    write_run(root / "new")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "_exchange", lambda one, other: False)
        done = steps(patched, 3)
        with pytest.raises(Killed):
            replace_folder(root / "new", root / name)
        assert done.count("rename") == 1
    shutil.rmtree(root / "new")
    assert not (root / name).exists()


def test_a_record_that_was_set_aside_is_found_by_who_reads_records(tmp_path: Path):
    write_run(tmp_path / "old")
    killed_between_the_renames(tmp_path, "old")
    with alone(tmp_path, "old"):  # its process lives, and is about to rename the other
        assert load_runs(tmp_path)[0] == []
    assert [run.name for run in load_runs(tmp_path)[0]] == ["old"]
    assert [path.name for path in tmp_path.iterdir() if path.name != ".partial"] == ["old"]


def test_checkpoints_on_their_way_in_or_out_are_not_listed(checkpoints: Path, tmp_path: Path):
    for name in ("whole", ".unfinished-0/whole", ".whole.replaced"):
        shutil.copytree(checkpoints / "1d-fixed", tmp_path / name)
    assert list_checkpoints(tmp_path) == ["whole"]


def test_what_a_killed_process_left_is_removed_by_the_next_and_nobody_elses(tmp_path: Path):
    def write() -> subprocess.Popen:
        command = [sys.executable, "-c", HANG, str(tmp_path / "file")]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"\n"
        return process

    killed = write()
    with killed:
        (left,) = tmp_path.iterdir()
        killed.kill()
    assert (left / "file").read_text() == "half"
    with write() as other:  # and removes it
        assert not left.exists()
        remove_unfinished(tmp_path)
        write_text(tmp_path / "file", "mine")
        assert (tmp_path / "file").read_text() == "mine"
        other.communicate()  # which lets it go on
        assert other.returncode == 0
    assert (tmp_path / "file").read_text() == "half"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_who_is_removed_before_it_could_lock_its_folder_makes_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lock, tries = files._lock, []

    def removed_at_first(folder: int) -> bool:
        tries.append(folder)
        if len(tries) == 1:
            shutil.rmtree(next(tmp_path.iterdir()))
        return len(tries) != 2 and lock(folder)

    monkeypatch.setattr(files, "_lock", removed_at_first)
    write_text(tmp_path / "file", "text")
    assert len(tries) == 3
    assert (tmp_path / "file").read_text() == "text"


def test_systems_without_locks_write_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "fcntl", None)
    (tmp_path / ".unfinished-0").mkdir()
    write_text(tmp_path / "file", "text")
    remove_unfinished(tmp_path)  # which can't know whose it is
    assert sorted(path.name for path in tmp_path.iterdir()) == [".unfinished-0", "file"]


def out_of_room(path: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def out_of_room_in_rust(path: Path) -> None:
    """As it says it, which is no `OSError`."""
    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def too_large(path: Path) -> None:
    """As a limit of the shell's says it."""
    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


@pytest.mark.parametrize("write", [out_of_room, out_of_room_in_rust, too_large])
@pytest.mark.parametrize("begin", [replace_file, new_folder])
def test_a_full_disk_is_a_sentence_that_says_which_and_nothing_is_lost(
    begin: Callable, write: Callable[[Path], None], tmp_path: Path
):
    place = tmp_path / "place"
    if begin is replace_file:
        place.write_text("before")
    else:
        write_folder(place, "before")
    with pytest.raises(DiskFullError) as said, begin(place) as path:
        write(path if begin is replace_file else path / "file")
    assert str(said.value) == (
        f"The disk of {tmp_path} is full. Make room there, and the same command goes on: what was saved is not lost."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert (place if begin is replace_file else place / "file").read_text() == "before"


def test_other_errors_stay_what_they_are(tmp_path: Path):
    with pytest.raises(SafetensorError), replace_file(tmp_path / "file"):
        raise SafetensorError("header too large")
    with pytest.raises(FileNotFoundError), replace_file(tmp_path / "file"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_library_that_makes_files_of_its_own_leaves_none(tmp_path: Path):
    """Safetensors writes to another name, too, and that is in the same folder."""
    with replace_file(tmp_path / "file") as path:
        save_file({"weights": torch.zeros(3)}, path)
        assert list(tmp_path.iterdir()) == [path.parent]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
