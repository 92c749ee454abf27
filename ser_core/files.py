"""Files and folders that are either there and whole, or not there.

What is written gets its name when it is whole. Until then it is in a folder `.unfinished-…` beside its place, which
who writes holds locked: what is there without a lock was left by a process that was killed, and the next one that
writes beside it removes it, however many do so at once. Systems without such locks keep what was left.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from ser_core.errors import DiskFullError

try:
    import fcntl
except ImportError:  # a system without such locks
    fcntl = None  # type: ignore[assignment]

UNFINISHED = ".unfinished-"
AT_FDCWD = -100  # of Linux: paths are as the process sees them
RENAME_EXCHANGE = 2
FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name))
SAME_COMMAND = "the same command goes on"
NOT_SUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)  # by the kernel, or by the file system


def safe_name(text: str) -> str:
    """A text as the name of a file or folder on any system: what is no letter, digit or `._+-` becomes `-`."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip(".-") or "unnamed"


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """A path to write a file to, which gets the name `path` when the block ends without an error.

    Raises:
        DiskFullError: there is no room for it.
    """
    with _unfinished(path.parent) as folder:
        yield folder / path.name
        (folder / path.name).replace(path)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of `path` when the block ends without an error.

    Raises:
        DiskFullError: there is no room for what is written.
    """
    with _unfinished(path.parent) as folder:
        (folder / path.name).mkdir()
        yield folder / path.name
        replace_folder(folder / path.name, path)


@contextmanager
def _unfinished(parent: Path) -> Iterator[Path]:
    """A folder for what is not whole yet."""
    with room_in(parent):
        parent.mkdir(parents=True, exist_ok=True)
        _remove_what_was_left(parent.absolute())
        folder, lock = _locked(parent)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)


def _locked(parent: Path) -> tuple[Path, int | None]:
    """A new folder that this process holds locked, and what its lock is freed with."""
    while True:
        folder = parent / f"{UNFINISHED}{secrets.token_hex(8)}"
        folder.mkdir()
        if fcntl is None:
            return folder, None
        with suppress(FileNotFoundError):  # who removes what was left was faster
            lock = os.open(folder, os.O_RDONLY)
            if _lock(lock) and folder.exists():
                return folder, lock
            os.close(lock)


def _lock(folder: int) -> bool:
    """Lock an open folder; False where another has. A disk that knows no locks lets nobody remove it, either."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


@cache
def _remove_what_was_left(parent: Path) -> None:
    """Once a process: in a folder of thousands of files, a look takes as long as writing one."""
    remove_unfinished(parent)


def remove_unfinished(parent: Path) -> None:
    """Remove what processes left in a folder that were killed while they wrote to it; nobody is waited for."""
    for folder in parent.glob(f"{UNFINISHED}*") if fcntl else ():
        with suppress(OSError):  # somebody writes to it, or another removed it
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Say which disk it is where one is full.

    Raises:
        DiskFullError: there is no room for what is written.
    """
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        raise DiskFullError(full(folder)) from None


def is_full(error: Exception) -> bool:
    """Whether an error says that a disk, or somebody's share of it, is full; libraries in Rust have their own kinds."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    found = re.search(r"\(os error (\d+)\)", str(error))
    return found is not None and int(found[1]) in FULL


def full(folder: Path) -> str:
    """A sentence that says so."""
    return f"The disk of {folder} is full. Make room there, and {SAME_COMMAND}: what was saved is not lost."


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replace_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def replace_folder(new: Path, old: Path) -> None:
    """Give the folder `new` the name of `old`, which is removed if it is there.

    Linux swaps the two names at once. Elsewhere `old` is set aside for a moment: what a process leaves that is killed
    then is put right by `restore_folder`.
    """
    old.parent.mkdir(parents=True, exist_ok=True)
    restore_folder(old)
    if not old.is_dir():
        new.rename(old)  # which fails if it is a file
    elif _exchange(new, old):
        shutil.rmtree(new, ignore_errors=True)
    else:
        old.rename(set_aside(old))
        new.rename(old)
        shutil.rmtree(set_aside(old), ignore_errors=True)


def restore_folder(folder: Path) -> None:
    """Put right what a `replace_folder` left that was killed; nobody may be replacing the folder meanwhile."""
    aside = set_aside(folder)
    if folder.exists():
        shutil.rmtree(aside, ignore_errors=True)
    elif aside.exists():
        aside.rename(folder)


def set_aside(folder: Path) -> Path:
    """Where `replace_folder` keeps the old folder while the new one gets its name."""
    return folder.with_name(f".{folder.name}.replaced")


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where that can't be done."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, TypeError, AttributeError):
        return False  # not Linux, or a C library without it
    names = os.fsencode(one), os.fsencode(other)
    if renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in NOT_SUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))
