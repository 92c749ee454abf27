"""People and models on the same clips: what voice-only raters heard, and what a model predicts.

Raters heard a clip without seeing it and chose one of the six emotions; about ten did for each clip (Cao et al. 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import scipy  # whose stats package is loaded when it is used: that takes a second of a core

from ser_core.analysis.groups import GroupAccuracy, group_accuracies
from ser_core.corpus.clips import Clip, by_name
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.records.predictions import Predictions

Given = Literal["voice", "face", "both"]
UNCERTAINTY_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, np.log2(len(EMOTIONS)))  # bits


def rater_confusion(clips: Sequence[Clip], given: Given = "voice") -> np.ndarray:
    """Ratings by intended and chosen emotion: int `[6, 6]`, rows intended.

    Args:
        given: what the raters were given of the clips, the voice, the face, or both.
    """
    confusion = np.zeros((len(EMOTIONS), len(EMOTIONS)), dtype=int)
    for clip in clips:
        confusion[EMOTIONS.index(clip.emotion)] += getattr(clip, given).counts
    return confusion


class Agreement(NamedTuple):
    """How often, each over the clips where the question has an answer.

    Attributes:
        model_label: the model predicts the intended emotion.
        crowd_label: the raters' majority does; clips whose majority is a tie don't count.
        rater_label: a single rater does, over ratings.
        model_crowd: the model predicts what the majority heard.
        model_rater: the model predicts what a single rater heard, over ratings.
    """

    model_label: GroupAccuracy
    crowd_label: GroupAccuracy
    rater_label: float
    model_crowd: GroupAccuracy
    model_rater: float


def agreement(predictions: Predictions) -> Agreement:
    """Agreement of model, raters and the intended emotion on a run's test clips."""
    clips = by_name(predictions.names)
    predicted = [EMOTIONS[i] for i in predictions.predicted]
    crowd = np.array([clip.voice.majority[0] if len(clip.voice.majority) == 1 else "" for clip in clips])
    meant, decided = np.array([clip.emotion for clip in clips]), crowd != ""
    groups = {
        "model and label": (np.ones_like(decided), np.array(predicted) == meant),
        "crowd and label": (decided, crowd == meant),
        "model and crowd": (decided, crowd == predicted),
    }
    model_label, crowd_label, model_crowd = group_accuracies(groups, predictions.speakers)
    confusion = rater_confusion(clips)
    votes = sum(clip.voice.counts[EMOTIONS.index(said)] for clip, said in zip(clips, predicted, strict=True))
    return Agreement(
        model_label,
        crowd_label,
        float(np.trace(confusion) / max(confusion.sum(), 1)),
        model_crowd,
        float(votes / max(confusion.sum(), 1)),
    )


@dataclass(frozen=True, eq=False)
class Uncertainty(ByContent):
    """Whether a model is unsure where people are.

    Attributes:
        people: entropy of the votes for each clip in bits, float64 `[clips]`, 0 (all agree) to 2.58.
        model: entropy of the model's probabilities in bits, float64 `[clips]`.
        correlation: Spearman's rank correlation of both, -1..1.
        p_value: how likely so strong a correlation is if there is none.
    """

    people: np.ndarray
    model: np.ndarray
    correlation: float
    p_value: float


def uncertainty(predictions: Predictions) -> Uncertainty:
    """Entropies of people and model on a run's test clips, and their correlation."""
    people = entropy(np.array([clip.voice.shares for clip in by_name(predictions.names)]))
    model = entropy(predictions.probabilities.astype(float))
    if len(people) < 3 or np.ptp(people) == 0 or np.ptp(model) == 0:
        return Uncertainty(people, model, float("nan"), float("nan"))
    result = scipy.stats.spearmanr(people, model)
    return Uncertainty(people, model, float(result.statistic), float(result.pvalue))


def entropy(shares: np.ndarray) -> np.ndarray:
    """Shannon entropy in bits of distributions `[..., n]`: `[...]`."""
    return -np.sum(shares * np.log2(np.where(shares > 0, shares, 1)), axis=-1)


class Bin(NamedTuple):
    """Clips on which people are about equally unsure: range of their entropy, number, and the model's entropy there.

    `low` and `high` are the 95 % interval of the mean, from its standard error.
    """

    start: float
    end: float
    clips: int
    mean: float
    low: float
    high: float


def uncertainty_bins(found: Uncertainty) -> list[Bin]:
    """The model's mean entropy by that of people, for bins with at least two clips."""
    bins = []
    for start, end in pairwise(UNCERTAINTY_EDGES):
        chosen = found.model[_between(found.people, start, end)]
        if len(chosen) > 1:
            mean, margin = chosen.mean(), 1.96 * chosen.std(ddof=1) / np.sqrt(len(chosen))
            bins.append(Bin(start, float(end), len(chosen), float(mean), float(mean - margin), float(mean + margin)))
    return bins


def in_bin(found: Uncertainty, one: Bin) -> np.ndarray:
    """Which clips are in a bin: bools `[clips]`."""
    return _between(found.people, one.start, one.end)


def _between(people: np.ndarray, start: float, end: float) -> np.ndarray:
    return (people >= start) & ((people < end) | (end == UNCERTAINTY_EDGES[-1]))
