"""What test predictions say: whether two models differ, what they confuse, and on whom they fail.

Intervals are 95 %, over speakers and clips (`ser_core.records.resampling`). Tests are exact, and compare models on
the very clips that both classified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy  # whose stats package is loaded when it is used: that takes a second of a core

from ser_core.errors import RunError
from ser_core.records.predictions import Predictions
from ser_core.records.resampling import CONFIDENCE, interval, resampled_sums

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
        """95 % bootstrap interval of `accuracy` over speakers and clips, see `ser_core.records.resampling`."""
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
            of_these[:: 2 * net] = scipy.stats.binom.pmf(np.arange(clips + 1), clips, 0.5)
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
    first, _ = pairs[0]
    speaker_of = dict(zip(first.names, first.speakers.tolist(), strict=True))
    speakers, of_clip = np.unique([speaker_of[name] for name in names], return_inverse=True)
    counts = np.zeros((len(speakers), 2 * len(pairs) + 1), dtype=int)
    np.add.at(counts, (of_clip, net + len(pairs)), 1)
    return Difference(tuple(map(tuple, counts.tolist())))


def _right(predictions: Predictions, names: Sequence[str]) -> np.ndarray:
    """1 for each of these clips that is classified as meant, 0 for the others."""
    right = dict(zip(predictions.names, (predictions.predicted == predictions.targets).tolist(), strict=True))
    if sorted(right) != names:
        raise RunError("These runs were tested on different clips.")
    return np.array([right[name] for name in names], dtype=int)


def probability(p_value: float) -> str:
    """A p-value as text, as `= 0.027`."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"
