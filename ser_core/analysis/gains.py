"""How much better one network is than another, and an interval: over seeds and folds, or over speakers and clips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # whose stats package is loaded when it is used: that takes a second of a core

from ser_core.errors import RunError
from ser_core.records.predictions import Predictions
from ser_core.records.resampling import CONFIDENCE, interval, resampled_sums


@dataclass(frozen=True)
class Gain:
    """How much more a figure is than that of another network.

    Attributes:
        differences: -1..1, each of networks that differ in nothing else: of one seed, or one fold.
        over_clips: the interval of their mean over speakers and clips, where that is what is known: of one seed.
    """

    differences: tuple[float, ...]
    over_clips: tuple[float, float] | None = None

    @property
    def mean(self) -> float | None:
        """Of all, None of none."""
        return float(np.mean(self.differences)) if self.differences else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean: `over_clips`, or Student's over the differences; None of fewer than two."""
        if self.over_clips:
            return self.over_clips
        n = len(self.differences)
        if n < 2:
            return None
        reach = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(self.differences, ddof=1) / math.sqrt(n)
        return float(np.mean(self.differences) - reach), float(np.mean(self.differences) + reach)


def gain_over_clips(one: Predictions, others: Sequence[Predictions], balanced: bool) -> tuple[float, float]:
    """95 % bootstrap interval, over speakers and clips, of how much better one is than others are on average.

    Args:
        balanced: whether of the unweighted average recall, and not of the accuracy.

    Raises:
        RunError: they did not answer the same clips.
    """
    if any(other.names != one.names for other in others):
        raise RunError("These networks did not answer the same clips.")
    right = [(said.predicted == said.targets).astype(int) for said in (one, *others)]
    net = len(others) * right[0] - np.sum(right[1:], axis=0)
    classes = np.unique(one.targets) if balanced else [None]
    member = np.column_stack([one.targets == emotion if balanced else np.ones(len(net), bool) for emotion in classes])
    sums = resampled_sums(np.hstack((member * net[:, None], member)), one.speakers)
    gained, clips = np.hsplit(sums, 2)
    with np.errstate(invalid="ignore"):  # a resample may lack an emotion
        return interval(np.nanmean(gained / clips, axis=1) / len(others))
