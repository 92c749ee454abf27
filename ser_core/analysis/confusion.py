"""Which emotions are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ser_core.emotions import EMOTIONS


class Confusion(NamedTuple):
    """How often one emotion was taken for another: number of clips, and their share of those that meant it."""

    true: str
    predicted: str
    clips: int
    share: float


def confused_pairs(confusion: Sequence[Sequence[int]] | np.ndarray, n: int = 5) -> list[Confusion]:
    """The n most common confusions of a matrix `[6, 6]` of counts (rows true), by share of the true emotion."""
    counts = np.asarray(confusion)
    shares = row_shares(counts)
    pairs = [
        Confusion(EMOTIONS[i], EMOTIONS[j], int(counts[i, j]), float(shares[i, j]))
        for i in range(len(EMOTIONS))
        for j in range(len(EMOTIONS))
        if i != j and counts[i, j]
    ]
    return sorted(pairs, key=lambda pair: -pair.share)[:n]


def row_shares(confusion: np.ndarray) -> np.ndarray:
    """A confusion matrix of counts `[..., 6, 6]` as shares of each row; rows without clips stay 0."""
    confusion = np.asarray(confusion, dtype=float)
    return confusion / np.maximum(confusion.sum(axis=-1, keepdims=True), 1)


def recalls(confusion: np.ndarray) -> dict[str, float]:
    """Recall by emotion, 0..1, of a confusion matrix of counts `[6, 6]`; emotions without clips have none."""
    counts, shares = np.asarray(confusion), row_shares(confusion)
    return {e: float(shares[i, i]) for i, e in enumerate(EMOTIONS) if counts[i].sum()}
