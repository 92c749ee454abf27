"""Which recording a file holds: its content tells it, whatever the file and its corpus are called.

A clip of CREMA-D is known by its official name, too, so that a copy in another format is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ser_core.corpus.clips import load_index
from ser_core.errors import CorpusError
from ser_core.once import once

DIGITS = 12
"""Of a content that records keep: two of a million files are alike in them by chance once in 500 times."""

CONTENTS = "heard"
"""What a checkpoint's provenance calls `ser_core.corpus.gathered.Gathered.heard`."""


def content_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits.

    Raises:
        CorpusError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}).") from None


def contents_checksum(paths: Iterable[Path]) -> str:
    """Twelve hexadecimal digits over the contents of files, whatever their names and order."""

    def content(path: Path) -> str:
        try:
            return content_of(path)
        except CorpusError:
            return "unreadable"

    return hashlib.sha256("\n".join(sorted(map(content, paths))).encode()).hexdigest()[:12]


def cremad_names(path: Path) -> frozenset[str]:
    """The clips of CREMA-D that a file is, by its name or its content; three recordings have two names each.

    Only a file of the size of a clip is read.

    Raises:
        CorpusError: it can't be read.
    """
    by_content, sizes = _official()
    named = {path.stem} & load_index().keys()
    try:
        alike = path.stat().st_size in sizes
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}).") from None
    return frozenset(named | by_content.get(content_of(path), set()) if alike else named)


@once
def _official() -> tuple[dict[str, set[str]], set[int]]:
    """Names of the clips by their content, and the sizes of their files in bytes."""
    by_content: dict[str, set[str]] = {}
    for clip in load_index().values():
        by_content.setdefault(clip.sha256, set()).add(clip.name)
    return by_content, {clip.n_bytes for clip in load_index().values()}
