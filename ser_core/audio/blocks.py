"""A recording in pieces: what decoders give, and what is made of it as it comes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


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
