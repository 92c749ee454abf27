"""Maps of embeddings that no network made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ser_core.analysis.similarity import make_map
from ser_core.corpus.clips import by_name
from ser_core.emotions import EMOTIONS
from ser_core.records.embedding_map import EmbeddingMap, save_map
from tests.made_records import NAMES

MAPPED = NAMES[::8][:48]
EMOTION_PLACE = 10.0


def embeddings(width: int = 8) -> np.ndarray:
    """Of `MAPPED`, each near the place of its emotion: `[48, width]`."""
    noise = np.random.default_rng(0).normal(size=(len(MAPPED), width))
    return (
        noise + EMOTION_PLACE * np.eye(len(EMOTIONS), width)[[EMOTIONS.index(clip.emotion) for clip in by_name(MAPPED)]]
    )


def made_map(width: int = 8, *, says: str = "HAP") -> EmbeddingMap:
    """That of `embeddings`, by a network that always says the same."""
    probabilities = np.full((len(MAPPED), len(EMOTIONS)), 0.04)
    probabilities[:, EMOTIONS.index(says)] = 0.8
    return make_map(MAPPED, embeddings(width), probabilities)


def give_map(folder: Path, width: int = 8, *, says: str = "HAP") -> EmbeddingMap:
    """A checkpoint's folder gets it."""
    made = made_map(width, says=says)
    save_map(folder, made)
    return made
