"""How long a recording may last: what is longer would fill the memory, and may be a few bytes of endless silence."""

from __future__ import annotations

import math
from numbers import Real

from ser_core.errors import AudioError, ConfigError

MAX_SECONDS = 3 * 3600.0
MOST_SECONDS = 1.0  # that a byte may hold: constant FLAC, which takes least, has less
PADDING_SECONDS = 1.0  # by which encoders make a recording longer than it was


class Limit:
    """Refuses what is longer.

    Args:
        seconds: how long a recording may last, > 0.

    Raises:
        ConfigError: `seconds` is no duration.
    """

    def __init__(self, seconds: float = MAX_SECONDS):
        if not (isinstance(seconds, Real) and 0 < seconds < math.inf):
            raise ConfigError(f"max_seconds (--max-minutes) is a duration in seconds above 0, not {seconds!r}.")
        self.seconds: float = seconds

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


def believed(seconds: float, n_bytes: int) -> float:
    """What a header says of the duration, in seconds; 0 where no file of so many bytes could hold it."""
    return seconds if 0 < seconds <= MOST_SECONDS * n_bytes else 0.0


def duration(seconds: float) -> str:
    """In words."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} seconds"
