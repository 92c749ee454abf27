"""What a network says about some waveforms, and what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ser_core.emotions import EMOTIONS


class Outputs(NamedTuple):
    """What a network says about some waveforms.

    Attributes:
        probabilities: float32 `[waveforms, emotions]`.
        embeddings: float32 `[waveforms, width]`, before any adaptation; None if the network says nothing of one.
    """

    probabilities: np.ndarray
    embeddings: np.ndarray | None

    @staticmethod
    def joined(outputs: Sequence[Outputs]) -> Outputs:
        """Those of several batches, maybe of none, one after the other."""
        if not outputs:
            return Outputs(np.zeros((0, len(EMOTIONS)), np.float32), None)
        embeddings = [batch.embeddings for batch in outputs if batch.embeddings is not None]
        return Outputs(
            np.concatenate([batch.probabilities for batch in outputs]),
            np.concatenate(embeddings) if embeddings else None,
        )

    def part(self, start: int, end: int) -> Outputs:
        """Those of some of the waveforms."""
        return Outputs(self.probabilities[start:end], None if self.embeddings is None else self.embeddings[start:end])

    def mean(self) -> Outputs:
        """The average over all waveforms, as one row."""
        return Outputs(
            self.probabilities.mean(axis=0, keepdims=True),
            None if self.embeddings is None else self.embeddings.mean(axis=0, keepdims=True),
        )
