"""A recording in pieces: what decoders give, and what is made of it as it comes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MAX_CHANNELS = 8
MIN_SAMPLE_RATE = 8_000  # Hz
MAX_SAMPLE_RATE = 192_000  # Hz


class Block(NamedTuple):
    """About a second of a recording.

    Attributes:
        samples: float32 `[channels, samples]`, nominally in ±1.
        rate: in Hz.
    """

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.samples.shape[1] / self.rate


def block_frames(rate: int, channels: int) -> int:
    """How many samples of each channel are decoded at once: a second of them, or one where they are refused anyway.

    Args:
        rate, channels: as a file's header says them, which is no amount of memory to take.
    """
    supported = MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE and channels <= MAX_CHANNELS
    return rate if supported else 1
