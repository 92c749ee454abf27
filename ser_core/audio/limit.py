"""How long a recording may last, and how large its file may be: what is longer may be a few bytes of endless silence.

Both are settings, `MINUTES` and `MEGABYTES`; a flag or an argument comes before the former.
"""

from __future__ import annotations

import math
import os
from numbers import Real

from ser_core.errors import AudioError, ConfigError

MINUTES, MEGABYTES = "SER_MAX_MINUTES", "SER_MAX_MB"
"""Environment variables that say how long a recording may be, and how large its file, everywhere but in the app."""

MAX_SECONDS = 3 * 3600.0  # unless a setting says otherwise
MAX_BYTES = 8e9  # the same; that long a recording takes 6 GB in 24 bits, 96 kHz and stereo
MOST_SECONDS = 1.0  # that a byte may hold: constant FLAC, which takes least, has less
PADDING_SECONDS = 1.0  # by which encoders make a recording longer than it was


class Limit:
    """Refuses what is longer.

    Args:
        seconds: how long a recording may last, > 0; None for what the setting says.

    Attributes:
        n_bytes: how many its file may have, as the setting says.

    Raises:
        ConfigError: `seconds` is no duration, or a setting no number above 0.
    """

    def __init__(self, seconds: float | None = None):
        if seconds is None:
            seconds = 60 * setting(MINUTES, MAX_SECONDS / 60)
        if not (isinstance(seconds, Real) and 0 < seconds < math.inf):
            raise ConfigError(f"max_seconds (--max-minutes) is a duration in seconds above 0, not {seconds!r}.")
        self.seconds: float = seconds
        self.n_bytes: int = round(1e6 * setting(MEGABYTES, MAX_BYTES / 1e6))

    def check(self, name: str, seconds: float, *, so_far: bool = False) -> None:
        """Let pass what isn't longer.

        Args:
            name: of the recording, to begin a sentence with.
            seconds: that it lasts, or that were read of it (`so_far`).

        Raises:
            AudioError: it is too long.
        """
        if seconds <= self.seconds + PADDING_SECONDS:
            return
        lasts = "goes on after" if so_far else "lasts"
        raise AudioError(
            f"{name} {lasts} {duration(self.seconds if so_far else seconds)}, and at most {duration(self.seconds)} are "
            "read. Cut it into shorter parts, or allow more: max_seconds in Python, --max-minutes in a command."
        )

    def check_size(self, name: str, n_bytes: int, *, so_far: bool = False) -> None:
        """The same of a file's size, before anything is made of it."""
        if n_bytes <= self.n_bytes:
            return
        most = megabytes(self.n_bytes)
        has = f"goes on after {most}" if so_far else f"has {megabytes(n_bytes)}"
        raise AudioError(
            f"{name} {has}, and at most {most} are read. Cut it into shorter parts, make a smaller "
            f"file of it, or allow more with the environment variable {MEGABYTES}."
        )


def setting(variable: str, default: float) -> float:
    """What an environment variable says, a number above 0; the default where it isn't set, or empty.

    Raises:
        ConfigError: it is none.
    """
    said = os.environ.get(variable, "").strip()
    try:
        value = float(said or default)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ConfigError(f"The environment variable {variable} is a number above 0, not {said!r}.")
    return value


def believed(seconds: float, n_bytes: int) -> float:
    """What a header says of the duration, in seconds; 0 where no file of so many bytes could hold it."""
    return seconds if 0 < seconds <= MOST_SECONDS * n_bytes else 0.0


def duration(seconds: float) -> str:
    """In words."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} seconds"


def megabytes(n_bytes: float) -> str:
    """In words; of less than one, two digits."""
    return f"{n_bytes / 1e6:,.0f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e6:.2g} MB"
