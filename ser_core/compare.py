"""What test predictions say: whether two models differ, what they confuse, and on whom they fail.

Intervals are 95 %, over speakers and clips (`ser_core.resampling`). Tests are exact, and compare models on the very
clips that both classified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, binomtest

from ser_core.cremad import INTENSITIES, SENTENCES, Clip, by_name
from ser_core.emotions import EMOTIONS
from ser_core.errors import RunError
from ser_core.resampling import CONFIDENCE, Speakers, interval, resampled_sums
from ser_core.runs import Predictions

SIGNIFICANCE = 1 - CONFIDENCE


@dataclass(frozen=True)
class Difference:
    """Two models on the same clips, or several pairs of models together.

    Attributes:
        by_speaker: of each speaker, the number of clips by how many of the pairs have the first model alone right,
            minus those that have the second alone right: `[speakers][2 · pairs + 1]`, from `-pairs` to `pairs`.
    """

    by_speaker: tuple[tuple[int, ...], ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Clips of all speakers by the same number: `[2 · pairs + 1]`."""
        return tuple(np.sum(self.by_speaker, axis=0).tolist())

    @property
    def _pairs(self) -> int:
        return len(self.by_speaker[0]) // 2

    @property
    def _net(self) -> np.ndarray:
        """What each of `counts` counts."""
        return np.arange(-self._pairs, self._pairs + 1)

    @property
    def only_first(self) -> int:
        """Clips that are more often right by the first models."""
        return sum(self.counts[self._pairs + 1 :])

    @property
    def only_second(self) -> int:
        """Clips that are more often right by the second models."""
        return sum(self.counts[: self._pairs])

    @property
    def accuracy(self) -> float:
        """Accuracy of the first minus that of the second, -1..1, the mean over pairs."""
        return float(self.counts @ self._net / (sum(self.counts) * self._pairs))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of `accuracy` over speakers and clips, see `ser_core.resampling`."""
        return _interval(self)

    @property
    def p_value(self) -> float:
        """How likely so unequal counts are if both models are equally good: then each clip's sign is a coin's toss.

        Of one pair, this is the exact McNemar test (McNemar 1947). Of several, clips stay whole, on which the pairs
        are not independent. It speaks of these networks: trained again from another seed, they would differ, too.
        """
        distribution = np.ones(1)  # of the sum over clips, from its least to its greatest value
        counts, pairs = self.counts, self._pairs
        for net in range(1, pairs + 1):
            clips = counts[pairs + net] + counts[pairs - net]
            of_these = np.zeros(2 * net * clips + 1)
            of_these[:: 2 * net] = binom.pmf(np.arange(clips + 1), clips, 0.5)
            distribution = np.convolve(distribution, of_these)
        sums = np.arange(len(distribution)) - len(distribution) // 2
        return float(min(1.0, distribution[abs(sums) >= abs(self._net @ counts)].sum()))

    @property
    def significant(self) -> bool:
        """Whether the difference is beyond chance at the 5 % level: by McNemar's test, and by the interval, too.

        The test takes clips as independent, which those of a speaker are not; the interval doesn't.
        """
        low, high = self.interval
        return self.p_value < SIGNIFICANCE and not low <= 0 <= high


@lru_cache(maxsize=256)  # pages show the same ones again and again
def _interval(difference: Difference) -> tuple[float, float]:
    net = np.concatenate([np.repeat(difference._net, counts) for counts in difference.by_speaker])
    speakers = np.repeat(np.arange(len(difference.by_speaker)), np.sum(difference.by_speaker, axis=1))
    sums = resampled_sums(np.column_stack((net, np.ones_like(net))), speakers)
    low, high = interval(sums[:, 0] / sums[:, 1])
    return low / difference._pairs, high / difference._pairs


def compare(first: Predictions, second: Predictions) -> Difference:
    """Compare two models on the same clips, in whatever order each lists them.

    Raises:
        RunError: they were tested on different clips.
    """
    return compare_together([(first, second)])


def compare_together(pairs: Sequence[tuple[Predictions, Predictions]]) -> Difference:
    """Compare the first models of all pairs with the second ones.

    Raises:
        RunError: they were not all tested on the same clips.
    """
    names = sorted(pairs[0][0].names)
    net = np.zeros(len(names), dtype=int)
    for first, second in pairs:
        net += _right(first, names) - _right(second, names)
    speakers, of_clip = np.unique([clip.actor.id for clip in by_name(names)], return_inverse=True)
    counts = np.zeros((len(speakers), 2 * len(pairs) + 1), dtype=int)
    np.add.at(counts, (of_clip, net + len(pairs)), 1)
    return Difference(tuple(map(tuple, counts.tolist())))


def _right(predictions: Predictions, names: Sequence[str]) -> np.ndarray:
    """1 for each of these clips that is classified as meant, 0 for the others."""
    right = dict(zip(predictions.names, (predictions.predicted == predictions.targets).tolist(), strict=True))
    if sorted(right) != names:
        raise RunError("These runs were tested on different clips.")
    return np.array([right[name] for name in names], dtype=int)


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


def recalls(confusion: np.ndarray) -> dict[str, float]:
    """Recall by emotion, 0..1, of a confusion matrix of counts `[6, 6]`; emotions without clips have none."""
    counts, shares = np.asarray(confusion), row_shares(confusion)
    return {e: float(shares[i, i]) for i, e in enumerate(EMOTIONS) if counts[i].sum()}


class GroupAccuracy(NamedTuple):
    """Accuracy within a group of clips: in 0..1, with its 95 % interval, see `group_accuracies`."""

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
    groups = np.array([group_of(clip) for clip in by_name(predictions.names)])
    right = predictions.predicted == predictions.targets
    present = {group: (groups == group, right) for group in order if (groups == group).any()}
    return group_accuracies(present, predictions.speakers)


def group_accuracies(groups: Mapping[str, tuple[np.ndarray, np.ndarray]], speakers: Speakers) -> list[GroupAccuracy]:
    """Accuracy in groups of the same clips, each with its 95 % bootstrap interval over speakers and clips.

    A resample is of all clips, so the size of a group varies, too. Where a group is right on all its clips or on none,
    so is each of its resamples: there the interval is Wilson's (1927), which takes clips as independent.

    Args:
        groups: which clips are in each, and which of all are right: bools `[clips]`, by name of the group; none empty.
        speakers: of each clip.
    """
    sums = resampled_sums(
        np.column_stack([column for inside, right in groups.values() for column in (inside, inside & right)]), speakers
    )
    found = []
    for i, (group, (inside, right)) in enumerate(groups.items()):
        n, n_right = int(inside.sum()), int((inside & right).sum())
        if 0 < n_right < n:
            clips, clips_right = sums[:, 2 * i], sums[:, 2 * i + 1]
            low, high = interval(clips_right[clips > 0] / clips[clips > 0])
        else:
            wilson = binomtest(n_right, n).proportion_ci(CONFIDENCE, method="wilson")
            low, high = float(wilson.low), float(wilson.high)
        found.append(GroupAccuracy(group, n, n_right / n, low, high))
    return found


def probability(p_value: float) -> str:
    """A p-value as text, as `= 0.027`."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"
