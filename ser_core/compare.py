"""What test predictions say: whether two models differ, what they confuse, and on whom they fail.

Intervals are 95 %. Tests are exact, and compare models on the very clips that both classified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from ser_core.cremad import INTENSITIES, SENTENCES, Clip, by_name
from ser_core.emotions import EMOTIONS
from ser_core.errors import RunError
from ser_core.evaluation import CONFIDENCE, N_BOOTSTRAP
from ser_core.runs import Predictions

SIGNIFICANCE = 1 - CONFIDENCE


@dataclass(frozen=True)
class Difference:
    """Two models on the same clips.

    Attributes:
        only_first, only_second: clips that one of them classifies as meant and the other doesn't.
        clips: number of clips in all.
    """

    only_first: int
    only_second: int
    clips: int

    @property
    def accuracy(self) -> float:
        """Accuracy of the first minus that of the second, -1..1."""
        return (self.only_first - self.only_second) / self.clips

    @property
    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of `accuracy` over clips."""
        shares = np.array([self.only_first, self.only_second, self.clips - self.only_first - self.only_second])
        draws = np.random.default_rng(0).multinomial(self.clips, shares / self.clips, size=N_BOOTSTRAP)
        low, high = np.quantile((draws[:, 0] - draws[:, 1]) / self.clips, [SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2])
        return float(low), float(high)

    @property
    def p_value(self) -> float:
        """Of the exact McNemar test: how likely so unequal a split is if both models are equally good (McNemar 1947).

        It speaks of these two networks. Trained again from another seed, both would differ from themselves, too.
        """
        differing = self.only_first + self.only_second
        return float(binomtest(self.only_first, differing).pvalue) if differing else 1.0

    @property
    def significant(self) -> bool:
        """Whether the difference is beyond chance at the 5 % level."""
        return self.p_value < SIGNIFICANCE

    def __add__(self, other: Difference) -> Difference:
        """Of two pairs of models together, as if their clips were different ones."""
        return Difference(
            self.only_first + other.only_first, self.only_second + other.only_second, self.clips + other.clips
        )


def compare(first: Predictions, second: Predictions) -> Difference:
    """Compare two models on the same clips, in whatever order each lists them.

    Raises:
        RunError: they were tested on different clips.
    """
    if sorted(first.names) != sorted(second.names):
        raise RunError("These runs were tested on different clips.")
    right = dict(zip(second.names, second.predicted == second.targets, strict=True))
    a, b = first.predicted == first.targets, np.array([right[name] for name in first.names])
    return Difference(int((a & ~b).sum()), int((~a & b).sum()), len(a))


class Confusion(NamedTuple):
    """How often one emotion was taken for another: number of clips, and their share of those that meant it."""

    true: str
    predicted: str
    clips: int
    share: float


def confused_pairs(confusion: Sequence[Sequence[int]], n: int = 5) -> list[Confusion]:
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


class GroupAccuracy(NamedTuple):
    """Accuracy within a group of clips: in 0..1, with the 95 % Wilson score interval (Wilson 1927)."""

    group: str
    clips: int
    accuracy: float
    low: float
    high: float


def _age(clip: Clip) -> str:
    decade = min(clip.actor.age // 10 * 10, 60)
    return f"{decade} to {decade + 9}" if decade < 60 else "60 or older"


def _rater_agreement(clip: Clip) -> str:
    agreement = clip.voice.agreement
    low = next((low for low in (80, 60, 40) if agreement >= low / 100), 0)
    return {80: "80 % or more", 60: "60 to 80 %", 40: "40 to 60 %", 0: "below 40 %"}[low]


GROUPINGS: dict[str, tuple[Callable[[Clip], str], Sequence[str]]] = {
    "Actor's sex": (lambda clip: clip.actor.sex, ("female", "male")),
    "Actor's age": (_age, ("20 to 29", "30 to 39", "40 to 49", "50 to 59", "60 or older")),
    "Sentence": (lambda clip: clip.text, tuple(SENTENCES.values())),
    "Intensity": (lambda clip: INTENSITIES[clip.intensity], tuple(INTENSITIES.values())),
    "Voice-only raters who agree": (_rater_agreement, ("below 40 %", "40 to 60 %", "60 to 80 %", "80 % or more")),
    "Voice-only raters' majority": (
        lambda clip: "is the intended emotion" if clip.emotion in clip.voice.majority else "is another emotion",
        ("is the intended emotion", "is another emotion"),
    ),
}
"""How clips are grouped, and the groups in their order, by name of the grouping."""


def accuracy_by(predictions: Predictions, grouping: str) -> list[GroupAccuracy]:
    """Accuracy in each group that has clips.

    Args:
        grouping: one of `GROUPINGS`.
    """
    group_of, order = GROUPINGS[grouping]
    right = predictions.predicted == predictions.targets
    groups: dict[str, list[bool]] = {group: [] for group in order}
    for clip, correct in zip(by_name(predictions.names), right.tolist(), strict=True):
        groups.setdefault(group_of(clip), []).append(correct)
    return [group_accuracy(group, correct) for group, correct in groups.items() if correct]


def group_accuracy(group: str, right: Iterable[bool]) -> GroupAccuracy:
    """Accuracy of clips that were classified as meant, or not."""
    right = list(right)
    result = binomtest(sum(right), len(right))
    interval = result.proportion_ci(CONFIDENCE, method="wilson")
    return GroupAccuracy(group, len(right), result.statistic, float(interval.low), float(interval.high))


def probability(p_value: float) -> str:
    """A p-value as text, as `= 0.027`."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"
