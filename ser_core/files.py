"""Files and folders that are either there and whole, or not there."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AT_FDCWD = -100  # of Linux: paths are as the process sees them
RENAME_EXCHANGE = 2
NOT_SUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)  # by the kernel, or by the file system


def safe_name(text: str) -> str:
    """A text as the name of a file or folder on any system: what is no letter, digit or `._+-` becomes `-`."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip(".-") or "unnamed"


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it gets the name `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    # The system takes the user's mask from these permissions; to read the mask, a process has to change it for a moment
    # in all its threads.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
