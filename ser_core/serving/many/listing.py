"""Which files there are to classify, one after the other: folders are walked, not gathered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ser_core.sound_files import walk_recordings


class Listed(NamedTuple):
    """A file, or what is wrong with a name.

    Attributes:
        path: as it was given.
        size: in bytes; -1 where there is no file.
        modified: when it was written last, in ns.
        problem: why it is not classified; None for a recording.
    """

    path: Path
    size: int
    modified: int
    problem: str | None = None


def list_files(paths: Iterable[Path]) -> Iterator[Listed]:
    """Files as given, and the recordings in folders; with the reason where a file is left out or a folder is empty."""
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 (a name that no file can have is no folder)
            yield _listed(path)
            continue
        n = 0
        for n, (file, problem) in enumerate(walk_recordings(path), 1):  # noqa: B007
            yield _listed(file, problem)
        if not n:
            yield _listed(path, f"{path} is a folder without audio files.")


def _listed(path: Path, problem: str | None = None) -> Listed:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return Listed(path, -1, 0, problem)
    return Listed(path, status.st_size, status.st_mtime_ns, problem)
