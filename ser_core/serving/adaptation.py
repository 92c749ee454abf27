"""Adaptation without labels: a speaker's own embeddings are shifted and scaled to those of the training clips.

Each voice, room and microphone moves all embeddings of a recording in one direction, which has nothing to do with
emotions. Given some recordings of a speaker, in whatever emotion, what moves them is known, and taken away:

    embedding → (embedding - own mean) / own deviation * deviation in training + mean in training

A few clips say little about a speaker, and much about what happened to be said in them. So their statistics are shrunk
towards those of training, as if so many clips had been heard before (the relevance factor of MAP adaptation, Reynolds
et al. 2000). `python -m benchmarks adaptation` measures what each number of clips gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_core.equality import ByContent
from ser_core.records.embedding import EmbeddingStatistics

MEAN_RELEVANCE = 5.0  # clips of a speaker that weigh as much as all training for the mean
DEVIATION_RELEVANCE = 20.0  # and for the deviation, of which so few clips know less
SMALLEST_DEVIATION = 1e-3


@dataclass(frozen=True, eq=False)
class Adaptation(ByContent):
    """What brings a speaker's embeddings `[..., width]` to those of training: `embedding * scale + shift`.

    Attributes:
        n_clips: that it was learned from; long recordings count as several.
        scale, shift: float32 `[width]`.
        left_out: recordings that could not be used, a sentence each.
    """

    n_clips: int
    scale: np.ndarray
    shift: np.ndarray
    left_out: tuple[str, ...] = ()


def learn(embeddings: np.ndarray, training: EmbeddingStatistics, left_out: tuple[str, ...] = ()) -> Adaptation:
    """Learn it from a speaker's embeddings `[clips, width]`, at least one."""
    n = len(embeddings)
    own = EmbeddingStatistics.of(embeddings)
    mean = (n * own.mean + MEAN_RELEVANCE * training.mean) / (n + MEAN_RELEVANCE)
    # One clip says nothing of a deviation: it takes n - 1 of n clips' squares to know it.
    squares = n * np.square(own.deviation) + DEVIATION_RELEVANCE * np.square(training.deviation)
    variance = squares / (n - 1 + DEVIATION_RELEVANCE)
    scale = training.deviation / np.sqrt(variance).clip(min=SMALLEST_DEVIATION)
    return Adaptation(n, scale.astype(np.float32), (training.mean - mean * scale).astype(np.float32), left_out)
