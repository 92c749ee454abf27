"""On whom and on what a model fails: accuracy by group of clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy  # whose stats package is loaded when it is used: that takes a second of a core

from ser_core.corpus.clips import Clip, by_name, load_actors
from ser_core.corpus.names import INTENSITIES, SENTENCES
from ser_core.emotions import EMOTION_NAMES
from ser_core.records.predictions import Predictions
from ser_core.records.resampling import CONFIDENCE, Speakers, interval, resampled_sums


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
    "Intended emotion": (lambda clip: EMOTION_NAMES[clip.emotion], tuple(EMOTION_NAMES.values())),
    "Actor's sex": (lambda clip: clip.actor.sex, ("female", "male")),
    "Actor's age": (_age, ("20 to 29", "30 to 39", "40 to 49", "50 to 59", "60 or older")),
    "Actor's race": (lambda clip: clip.actor.race, ("African American", "Asian", "Caucasian", "Unknown")),
    "Sentence": (lambda clip: clip.text, tuple(SENTENCES.values())),
    "Intensity": (lambda clip: INTENSITIES[clip.intensity], tuple(INTENSITIES.values())),
    "Agreement of raters": (_rater_agreement, ("below 40 %", "40 to 60 %", "60 to 80 %", "80 % or more")),
    "What most raters heard": (
        lambda clip: "the intended emotion" if clip.emotion in clip.voice.majority else "another emotion",
        ("the intended emotion", "another emotion"),
    ),
    "Actor": (lambda clip: str(clip.actor.id), tuple(str(actor) for actor in load_actors())),
}
"""How clips are grouped, and the groups in their order, by name of the grouping."""

OF_ACTORS = frozenset(("Actor's sex", "Actor's age", "Actor's race"))
"""Groupings in which all clips of an actor are in the same group."""


def groups_of(names: Iterable[str], grouping: str) -> np.ndarray:
    """The group of each of these clips, texts `[clips]`; `grouping` is one of `GROUPINGS`."""
    group_of, _ = GROUPINGS[grouping]
    return np.array([group_of(clip) for clip in by_name(names)])


def accuracy_by(predictions: Predictions, grouping: str) -> list[GroupAccuracy]:
    """Accuracy in each group that has clips.

    Args:
        grouping: one of `GROUPINGS`.
    """
    order, groups = GROUPINGS[grouping][1], groups_of(predictions.names, grouping)
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
            wilson = scipy.stats.binomtest(n_right, n).proportion_ci(CONFIDENCE, method="wilson")
            low, high = float(wilson.low), float(wilson.high)
        found.append(GroupAccuracy(group, n, n_right / n, low, high))
    return found
