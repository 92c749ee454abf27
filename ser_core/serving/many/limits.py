"""How long windows may be, and how far apart."""

from __future__ import annotations

import math

from ser_core.audio.vad import MIN_SPEECH_SECONDS
from ser_core.errors import ConfigError

LONGEST_SECONDS = 300.0
SHORTEST_HOP_SECONDS = 0.05


def require_windows(windows: float | None, hop: float | None) -> None:
    """Check a length and a hop in seconds, as far as they are given.

    Raises:
        ConfigError: one is out of its range.
    """
    for name, value, low in (("--windows", windows, MIN_SPEECH_SECONDS), ("--hop", hop, SHORTEST_HOP_SECONDS)):
        if value is not None and not (math.isfinite(value) and low <= value <= LONGEST_SECONDS):
            raise ConfigError(f"{name} is a number of seconds from {low:g} to {LONGEST_SECONDS:g}, not {value}.")
