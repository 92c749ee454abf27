"""`SHA256SUMS`: what the files of a record or checkpoint held when they were written, so that a changed byte is seen.

One stands in each folder, in the form of the command `sha256sum`, which checks it with `sha256sum -c SHA256SUMS`. What
older versions wrote has none, and is read without a word: nothing is known that it could differ from, and who only has
such records has no way to make it otherwise. It guards against damage, not against somebody who changes both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from ser_core.file_state import Fingerprint, fingerprint
from ser_core.files import write_text
from ser_core.json_file import check_size

SUMS_FILE = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)")
MAX_BYTES = 10_000


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, which is read again only when it changed: 40 MB take about 30 ms.

    Raises:
        OSError: it can't be read.
    """
    return _sha256(path, fingerprint(path))


@lru_cache(maxsize=1024)
def _sha256(path: Path, state: Fingerprint) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path, names: Iterable[str]) -> None:
    """Write the sums of those of these files that a folder has."""
    _write(folder, {name: sha256_of(folder / name) for name in names if (folder / name).is_file()})


def add_sum(folder: Path, name: str) -> None:
    """Bring the sum of one file up to date, in a folder that has sums."""
    if (folder / SUMS_FILE).is_file():
        _write(folder, _read(folder) | {name: sha256_of(folder / name)})


def remove_sums(folder: Path) -> None:
    """Remove the sums of files that are about to be replaced."""
    (folder / SUMS_FILE).unlink(missing_ok=True)


def check_sums(folder: Path, *names: str) -> None:
    """Nothing, if these files are as they were written, or nobody wrote down how that was.

    Raises:
        OSError: a file can't be read.
        ValueError: a file has changed, as a sentence's end.
    """
    try:
        sums = _read(folder)
    except FileNotFoundError:
        return
    for name in names:
        if name not in sums:
            raise ValueError(f"{SUMS_FILE} says nothing of {name}")
        if sha256_of(folder / name) != sums[name]:
            raise ValueError(f"{name} is not what was written: its SHA-256 is another one than in {SUMS_FILE}")


def _read(folder: Path) -> dict[str, str]:
    path = folder / SUMS_FILE
    check_size(path, MAX_BYTES)
    lines = [LINE.fullmatch(line) for line in path.read_text(encoding="utf-8").removesuffix("\n").split("\n")]
    if None in lines:
        raise ValueError(f"line {lines.index(None) + 1} of {SUMS_FILE} is none of its lines")
    return {line[2]: line[1] for line in lines if line}


def _write(folder: Path, sums: dict[str, str]) -> None:
    write_text(folder / SUMS_FILE, "".join(f"{value}  {name}\n" for name, value in sorted(sums.items())))
