"""Which emotions are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ser_core.emotions import EMOTION_NAMES, EMOTIONS


class Confusion(NamedTuple):
    """How often one emotion was predicted as another: number of clips, and their share of those that intend it."""

    true: str
    predicted: str
    clips: int
    share: float


def confused_pairs(
    confusion: Sequence[Sequence[int]] | np.ndarray, n: int = 5, *, right: bool = False
) -> list[Confusion]:
    """The n most common confusions of a matrix `[6, 6]` of counts (rows intended), by share of the intended emotion.

    With `right`, what was predicted as intended is among them.
    """
    counts = np.asarray(confusion)
    shares = row_shares(counts)
    pairs = [
        Confusion(EMOTIONS[i], EMOTIONS[j], int(counts[i, j]), float(shares[i, j]))
        for i in range(len(EMOTIONS))
        for j in range(len(EMOTIONS))
        if (right or i != j) and counts[i, j]
    ]
    return sorted(pairs, key=lambda pair: -pair.share)[:n]


def cell_label(intended: str, answer: str, how: str = "predicted") -> str:
    """A cell of a confusion matrix in words, of the codes of two emotions: `fear predicted as sadness`."""
    return f"{EMOTION_NAMES[intended]} {how} as {EMOTION_NAMES[answer]}"


def row_shares(confusion: np.ndarray) -> np.ndarray:
    """A confusion matrix of counts `[..., 6, 6]` as shares of each row; rows without clips stay 0."""
    confusion = np.asarray(confusion, dtype=float)
    return confusion / np.maximum(confusion.sum(axis=-1, keepdims=True), 1)


def recalls(confusion: np.ndarray) -> dict[str, float]:
    """Recall by emotion, 0..1, of a confusion matrix of counts `[6, 6]`; emotions without clips have none."""
    counts, shares = np.asarray(confusion), row_shares(confusion)
    return {e: float(shares[i, i]) for i, e in enumerate(EMOTIONS) if counts[i].sum()}
