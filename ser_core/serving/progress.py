"""How far a long recording is classified: what the library tells, and how a command shows it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from ser_core.audio.limit import duration
from ser_core.audio.source import AudioSource
from ser_core.command import printable

Heard: TypeAlias = Callable[[float], None]
"""Is called with the seconds of a recording that are classified already, which grow."""

HeardOf: TypeAlias = Callable[[AudioSource, float], None]
"""The same, with the recording."""

CLEAR = "\r\x1b[K"  # the terminal's line


def unheard(seconds: float) -> None:
    """Tell nobody."""


def share_of(seconds: float, heard: Heard, before: float = 0.0) -> Callable[[float], None]:
    """What takes the share that is classified of so many seconds, behind those that were classified before."""
    return lambda share: heard(before + share * seconds)


class ProgressLine:
    """A line on a terminal that says how far long recordings are classified; on anything else, nothing is written.

    As a context manager, it takes the line away at its end.
    """

    def __init__(self) -> None:
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._written = False
        self._lock = threading.Lock()

    def __call__(self, source: AudioSource, seconds: float) -> None:
        """So many seconds of a recording are classified."""
        if not self._shown:
            return
        name = Path(source).name if isinstance(source, str | PathLike) else "a recording"
        with self._lock:
            print(f"{CLEAR}{printable(name)}: {duration(seconds)} heard…", end="", file=sys.stderr, flush=True)
            self._written = True

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._written:
            print(CLEAR, end="", file=sys.stderr, flush=True)
